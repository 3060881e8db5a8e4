/// Keys that sign nothing but tests' tokens, in PEM.
enum TokenTestKeys {
  static let rsa = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCWT51loTqCy+H2
    5no2nuOHEDWHwWYSoAW7Wv5B5QKsq1C8gW2b8bg+HUQjSZltaWjhwS7YVqWVZdgt
    QFG7NafIxntBt5SBodda5mb1g+mRFHPeLeKsJZsyfhS1tLXnN+I8JX1PQLfEVBkQ
    Mqy0WbObdfWdXZdk/G7EkTyvtWF+t/3C5egdqMVAGfYVpYVqSxF/csTRRkOTjLS+
    wSAcT10lQeOpVsrFmhWA0iUHSfBnk2VyX2Yc0FD6AuXJG/nzAwMfIrB+UYj//6S1
    TW35hMWHHz7c0CSllacPJ6ZRzbxw9BdlJPU0+n4VhSB1ER5SLsLc50LfA4AfymOC
    YNKu3XC/AgMBAAECggEAAgxzXFXp/fJXvgfr1JqTv+N0r1Hd1zrEC3DBCCYFyL16
    l56U30sEd4p3b3d7NlECE/VW5dE3iqIySV8M5L5cn6rTn9JPmPjHSV7cTCNpsY4m
    ng+4sfwOQ5KM3F1YsoPENrkyxd8Lrkiq8KTeydOEVD9Jn/WRrpVzOli60nILrefN
    ppJj9/iYCjbRO68aZGJ3e0HTHwHZdPctMTXpHzCqPNYM9+s1zuBfV/YbO5a6GKIP
    9ORO6dpHQqgWzFoQ+O17OYXSk6OnjEfc8scDgnEv8MSrE+rq5lDXb+YKt4EdmdcJ
    FQ1KiBD03LV0xZ5lksLIsqzZDI0lAceTzUNfzeQW/QKBgQDJotYv2yxUI9YCfzJJ
    YEoE/GAmflgbn2tZOyDTRCrdXPV5BJ8V3KNuUy3KbFQmKftPRI0KFSFqIwdoQBQo
    Dp5SLqMtCFRgXPirMrXsOWBKFio0ttgBjaymTjbkF/5qVaYCkg25oNhNA84vZ+GM
    GdNBvgpQQ5hR5jw5c+orzK8HIwKBgQC+1kJpe9kQyHhj3wMqg/B+dMsRKUcTyAyZ
    DCILqvSCUSmNNR+xbRrC2neztlogdse3SYqRLF4fIt8Qwc1BU+ojz7fP7i1NvFzY
    XggBQbggNzXTgtq70Ky771Yl8LSDVLmGbWr4hR/+VnPQIpGCZubrIrMGUVIs1BBp
    WjMVWNXXtQKBgQDIKlmcamSIJocWNXUTOH5ikrNUo0oOKeUkULlWYS54UAbzmy3e
    QwkOxY4IjB/BPx3W5ANrRezE838v86TO2yw6A0hDtSgl/UVylkXY+mBnS7ecWwL2
    D9GbyrtdFaCfqOTDWoA7jbwMQEHX97UFIsIAWorcgS3d58RTeIm371q1pwKBgC8D
    N48m7H2e9VGdMfl6UXfFq/UJVzI/WSMnAwge0Gd+OR9JVApwl2QjT9Pc+2z99gto
    OZOz+2fuPkexhrAuTQMPe/fkdBKvcav31j8BAqwlDcSSevJD4RnXR0DHgKDN8Xp1
    YCHjIdOVVqiSq4gVc5O/k5zd0cGraHObvfPnU571AoGBAIfsDXnxDJpSR9nWHW3d
    q7ZB9i9exHbDqtUvCozYuCc0U1kZn9Z9PTEN4slUrQ3qwuAGSa6EzhBo2/ZHkFjH
    zeRXJ2UkoNCmXs+AQdcKMtwUVVt1BF8dbcPSK0XRHY75DJgzdm9dqtYJEitNuzFg
    2qVW5ndljigDPQCAZQ6jtShI
    -----END PRIVATE KEY-----
    """)
  static let rsaPublic = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAlk+dZaE6gsvh9uZ6Np7j
    hxA1h8FmEqAFu1r+QeUCrKtQvIFtm/G4Ph1EI0mZbWlo4cEu2FallWXYLUBRuzWn
    yMZ7QbeUgaHXWuZm9YPpkRRz3i3irCWbMn4UtbS15zfiPCV9T0C3xFQZEDKstFmz
    m3X1nV2XZPxuxJE8r7Vhfrf9wuXoHajFQBn2FaWFaksRf3LE0UZDk4y0vsEgHE9d
    JUHjqVbKxZoVgNIlB0nwZ5Nlcl9mHNBQ+gLlyRv58wMDHyKwflGI//+ktU1t+YTF
    hx8+3NAkpZWnDyemUc28cPQXZST1NPp+FYUgdREeUi7C3OdC3wOAH8pjgmDSrt1w
    vwIDAQAB
    -----END PUBLIC KEY-----
    """)
  static let rsa1024 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAMtkQtef5ebiln3S
    vjcS7CFtb5+RK9mbSEY1gdeHhfz4hI9moMtZPGz0cZwakNqLECfVTuQCIIitrYCB
    fIIZgjm/5iD/FMImFox9dWi5ETAr2M9h5iJi/WAtrehwZ8hsWx/DV9ebfa5LCYiM
    RjHTo/lkbTnB7Uwhb5DNPpM/y4x/AgMBAAECgYApiv8EH8rLj/iBFqx3f0vvv/SO
    uQ4l0ku+22r75Nh/RRt+Vs38+usWrg8OfXaczM6t9Cm69JxEjoTjvI772833NFay
    o+XI/TU078RKdViMnECMA3JzxmEdIiCy5rpGsGTshKXMSfbeb00nxYEDC6hQoW97
    DxDIN621sqWFn9Yw0QJBAPGkMQPYW/79LskRNWV4VO8PvfQAOqF3wrEdqWCOa4TS
    FzmtLktS7H98a8SJ3iB8C61yCDCn5IcJzqc/wLVgv0UCQQDXejiazWI7e2UuzX7W
    PHKmSsPcUFQjMVLqauVNe9r/kCFUzPPnMJn5iMUQFm5O6vRMYR4WnCDy1JPSeYUP
    hubzAkEA7zU4JHNRltoyL29uqZV2lvXBeEOlxuRUgps3alNykpibz0fmNUDQx992
    m6hTkVrbAIeLHgeGTjviLGULM0Kj9QJBAL4UHuLP0pvOGk/TDtRFto1i3qv2YII6
    /H21lllnrKRMrFp2AaIriWhKcivi3aPYN3E5KqWfTKFpTI0ajXpI8mkCQQCQc9Ad
    Ea45O9ul5qgNjvgrFLi9aday7UM8DpbpADhjQYX8bBv2GGUvDYi0tNDWIv7BIsIW
    RjHjaDIkmKljPZEC
    -----END PRIVATE KEY-----
    """)
  static let rsa1024Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDLZELXn+Xm4pZ90r43EuwhbW+f
    kSvZm0hGNYHXh4X8+ISPZqDLWTxs9HGcGpDaixAn1U7kAiCIra2AgXyCGYI5v+Yg
    /xTCJhaMfXVouREwK9jPYeYiYv1gLa3ocGfIbFsfw1fXm32uSwmIjEYx06P5ZG05
    we1MIW+QzT6TP8uMfwIDAQAB
    -----END PUBLIC KEY-----
    """)
  static let rsaOther = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIIEugIBADANBgkqhkiG9w0BAQEFAASCBKQwggSgAgEAAoIBAQCYOTPnvVEpSdtv
    S7SDzw1OmzmBA7LZX4n6p+FvHjTPS/weo5Ejq/1Xdpv6hAlu8KdY8n4nrXVD0P7w
    HFA8OXBnEzKYyGfBtZX6nWY6LnaJIJbDeKui0VHLjD8peCza5aefYieXooklWCtL
    UIlPWROqn0s7fIxaAMGl1Wl+evr91crspeZdkyaB6dYIoLSkO6rc5us9cYvzX12x
    u5Iwy2x9yB6kKQ3n8LXvXjlYBHbF4rD1OS+4JMUpx1/viHZyt3q3OTlNXGZ3NdWY
    xJhEOjyGN2C16OQYowrYGLy3DdLqllzHX2NqQQM62DO2yxZjfKnON/pGZe8zteCg
    Bbz1mU7JAgMBAAECgf8ih3sTItbS/x6HdOS9mv8F55FE97g2NV6zPOGWtt+GWWa7
    B1ovIR6MMMRpOo9FZUIBP6Ql2+27FaWf4PU90rUvEsfk0NhmYopOQhke4SirKqI7
    Z/2G6Z07RI0t/Dr9TaT9UcP2KShJ8ZTBywBk09Jsc4eqA4SVQgxto3OFeBM0cUqF
    vmgSjSTO/D560isBzzKVOr/P0n4GaSAtyEtpZ3DnmZcgE5Gezb6azRz4SPRODsCc
    WAEOfqQxy5s82FTQ43ogwXXJlOQsmeMMvCK34N8OZTZGe7KzMuJYBX42i0yCZALL
    e18abVfIC0A/dhS0oKi3wpqwql9vAsK1J+BuAt0CgYEAyWV50uyOIcRvwe3EYoBl
    XEC+iGrJdhSh/J+K/QuLPlNfcwNVtNAXrBFDXnXL0GuD8QPBNSNNqxHeaXP4cLYj
    Fethbf/Xzgz3OI32lZnZ7BH3omPr7a5QPA9aRcCWrMKCBMabrqu5xrPS8Mku+CPM
    5R5C/LRP5HlR4pbymKpaTl0CgYEAwX67AM9qE8YIgTx5oACUu4iCQ96kGYqGZvsN
    vZjYyhlMstW90QSSWWdQsSFybSz0TA1CTm3JT+yiHVoj18u+yjTXL35bNJTdIxmb
    81qnP5fiVeyz2u+85sE5kCjHVKaPg+5eXxCewCu8KI6vhVU07Ye2B0ShVj+7LGAd
    N9fiw10CgYAQcM4/H7yCmSyeYjCT8fNUUpy7Oix0DT8kBkosWhLl5Zx3ISCQACTO
    kSI0xdz7iKtes3XERruCaZUEeskfOl8m3O45MpeFZJ2R6lTk5YhasyTKBuotnvtB
    y+cMpqomNEK07RmsaqxhwjBII8RH0XRah9vkETwsZJMAsl3fhJiWqQKBgCGH8aYh
    S3OjxMOIlFca4qtg65oRUgSvEb100hvCCgdzvOvcyGkZTrc5hS0865RpzugDADOR
    KOq1yh4mCcISp7xozcWIMwv4pB26CWFxmzwU+P8E5uIQ235ti6kkt+4+cu5c93On
    8KrCqXepylbjvilPdEbsKL1GjAwTl9yeh8htAoGABz3skHNl5I3jAGJ7JoYGB6Pi
    uR+jMCIDtWbMS9Jz0XT0OmNcwjXkEJJH99/K2tJ4VAncVLU6pEN+G2JHF3R7e6WF
    MNSU8G7p+liUEvqafCAHijQORPMCcnPCTBPIINp4Rhk48YhsVQEhCNN2g6+haUnY
    lJpBNT3L7Y01DCYkHfk=
    -----END PRIVATE KEY-----
    """)
  static let rsaOtherPublic = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAmDkz571RKUnbb0u0g88N
    Tps5gQOy2V+J+qfhbx40z0v8HqORI6v9V3ab+oQJbvCnWPJ+J611Q9D+8BxQPDlw
    ZxMymMhnwbWV+p1mOi52iSCWw3irotFRy4w/KXgs2uWnn2Inl6KJJVgrS1CJT1kT
    qp9LO3yMWgDBpdVpfnr6/dXK7KXmXZMmgenWCKC0pDuq3ObrPXGL819dsbuSMMts
    fcgepCkN5/C17145WAR2xeKw9TkvuCTFKcdf74h2crd6tzk5TVxmdzXVmMSYRDo8
    hjdgtejkGKMK2Bi8tw3S6pZcx19jakEDOtgztssWY3ypzjf6RmXvM7XgoAW89ZlO
    yQIDAQAB
    -----END PUBLIC KEY-----
    """)
  static let p256 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgnjiiO5rQ7EOm/2QR
    cc66iGrOS3qYX7L7N/gewzznXJmhRANCAASPSYx3Qgl8lKhumInIFwjO//+YRYLC
    6hbdwfa/TI7vhFPqKgyekkoS0Cd3IhH2kXTKxYiggBHL3CdG7iyWElUD
    -----END PRIVATE KEY-----
    """)
  static let p256Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEj0mMd0IJfJSobpiJyBcIzv//mEWC
    wuoW3cH2v0yO74RT6ioMnpJKEtAndyIR9pF0ysWIoIARy9wnRu4slhJVAw==
    -----END PUBLIC KEY-----
    """)
  static let p256Other = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgiLL1cztNqFxjr2Vo
    5L+XfK9+k5pmCOGoeosbbPRImHuhRANCAAQ6KzlfjjGa2RQyVwjci9oi4k0jwKf3
    CwTdQvempDHSou1CclaMlU5pDPPhu3yJ19hWihaaKF4U8oBHAQBCGH57
    -----END PRIVATE KEY-----
    """)
  static let p256OtherPublic = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEOis5X44xmtkUMlcI3IvaIuJNI8Cn
    9wsE3UL3pqQx0qLtQnJWjJVOaQzz4bt8idfYVooWmiheFPKARwEAQhh+ew==
    -----END PUBLIC KEY-----
    """)
  static let p384 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDP5Lw+ICs3rIiIv1Tg
    yQ1ck6DssJBjVTzmcEO0mVGng/OIq6SYxzZfCgQGxt1rHK6hZANiAATYtO7efpDm
    7SCKgzF+bY5NTb9zxj8FP/bZTPPC5qDeetZ3b/hgqkSJtWTLKonY4/sQwNRC74D4
    hleLktmNJcGIuqBlbjoKBgkOoHEzmZjx+Vf3OdSgR0DFDoxjuW6T4wU=
    -----END PRIVATE KEY-----
    """)
  static let p384Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE2LTu3n6Q5u0gioMxfm2OTU2/c8Y/BT/2
    2Uzzwuag3nrWd2/4YKpEibVkyyqJ2OP7EMDUQu+A+IZXi5LZjSXBiLqgZW46CgYJ
    DqBxM5mY8flX9znUoEdAxQ6MY7luk+MF
    -----END PUBLIC KEY-----
    """)
  static let p521 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIATFSVeJofOHcwpl7r
    1t475J/flF+XIhnuGxR+y4gFPImzBn91gdFdf/+SGU0aUny6U1H8xJQC8ZaLpi/z
    gsN0bRWhgYkDgYYABAFS+E4VspYZbOQhlXQOdUgsNa7CIqhGIN1+dNpMusYtg9E8
    7xB2iHbMVyHsFPVEgUl4E8khZHVtT3hHFlAVdO6w3wH7th6R72VJ8pQzFxI8lRD1
    UF11sz9xO09WyfNJ8KLCG7aq23aVZ3+sdt5mY92OADgETDXK++sMfGjEImmAtwna
    ZQ==
    -----END PRIVATE KEY-----
    """)
  static let p521Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBUvhOFbKWGWzkIZV0DnVILDWuwiKo
    RiDdfnTaTLrGLYPRPO8Qdoh2zFch7BT1RIFJeBPJIWR1bU94RxZQFXTusN8B+7Ye
    ke9lSfKUMxcSPJUQ9VBddbM/cTtPVsnzSfCiwhu2qtt2lWd/rHbeZmPdjgA4BEw1
    yvvrDHxoxCJpgLcJ2mU=
    -----END PUBLIC KEY-----
    """)
  static let k256 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MIGEAgEAMBAGByqGSM49AgEGBSuBBAAKBG0wawIBAQQgKLRFgKQPedjRGbJG+Avo
    jHYr4EAkP03mQAWokNEIdjShRANCAAR1SBKukc5fYBYJ1/K5tSe6xLWFARd4xZu5
    O5MrQ0QvbEeMMoPQ9M0fuSgqHhURv1aG5uMcV/E0HRegvibELATb
    -----END PRIVATE KEY-----
    """)
  static let k256Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEdUgSrpHOX2AWCdfyubUnusS1hQEXeMWb
    uTuTK0NEL2xHjDKD0PTNH7koKh4VEb9WhubjHFfxNB0XoL4mxCwE2w==
    -----END PUBLIC KEY-----
    """)
  static let ed25519 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEINp3OBVKEcYAQ0DgoCSZ3uHAwTGc56aGFGvEs9es78oX
    -----END PRIVATE KEY-----
    """)
  static let ed25519Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEAF0N0LRxUvXG/SfEINiFwJGD+T7FfWvA5fZeyrX2GtyA=
    -----END PUBLIC KEY-----
    """)
  static let x25519 = pem(
    """
    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VuBCIEILjr4no/G8JG7+Qk9EZfLpC/q7TJAJ4cDJtIWtlxgXx9
    -----END PRIVATE KEY-----
    """)
  static let x25519Public = pem(
    """
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VuAyEAFV1QPJVJ35aa6UcC7VImIR2HN96Xaic8bEP16BvdhVM=
    -----END PUBLIC KEY-----
    """)
  static let p256Encrypted = pem(
    """
    -----BEGIN ENCRYPTED PRIVATE KEY-----
    MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjdLwXj+lk90gICCAAw
    DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEECvZSHzjIDVjBVnUd9P8CpIEgZBa
    xfohj8zy1O+yzaOhysv0d5GlHLydsECj/E1eU4ax6ur30iczb7Izvb9xOJcTHFQ6
    dXWBijZgsT6UAwX6gAfH7uQUW/Lo4ft1EQtPdvH3pr3kagGv0ccG4Y5a5/zAQDw0
    m0m/a36ZB8+WArPwGfTuKoEwrrqy56MNv3FLNrzMutsHQDlh5L5ZiN/lP3ow9dA=
    -----END ENCRYPTED PRIVATE KEY-----
    """)
  static let p256Certificate = pem(
    """
    -----BEGIN CERTIFICATE-----
    MIIBbzCCARWgAwIBAgIUSFuzkoyX1zO3jeIdlw4Jl8hefvYwCgYIKoZIzj0EAwIw
    DDEKMAgGA1UEAwwBeDAgFw0yNjExMjExNDA2NDRaGA8yMTI2MTAyODE0MDY0NFow
    DDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI9JjHdCCXyU
    qG6YicgXCM7//5hFgsLqFt3B9r9Mju+EU+oqDJ6SShLQJ3ciEfaRdMrFiKCAEcvc
    J0buLJYSVQOjUzBRMB0GA1UdDgQWBBRWmKHL0Z2ekCKwZb01UvqR3yCUVzAfBgNV
    HSMEGDAWgBRWmKHL0Z2ekCKwZb01UvqR3yCUVzAPBgNVHRMBAf8EBTADAQH/MAoG
    CCqGSM49BAMCA0gAMEUCIGstDWkSYy+JnEQyKiPnyRPxZSO2BHem9QrDtqF/gUsA
    AiEA9f+eAbZXkGpmyfPK/FsPjZuWMwvvILDiq+2c3xIP03w=
    -----END CERTIFICATE-----
    """)

  private static func pem(_ text: String) -> [UInt8] { Array((text + "\n").utf8) }
}
