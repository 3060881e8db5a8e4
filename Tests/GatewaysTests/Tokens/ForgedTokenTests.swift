import Bytes
import Testing

@testable import Gateways

/// Tokens that somebody without the keys could send, against a verifier with keys of every kind.
@Suite struct ForgedTokenTests {
  private static let now: UInt64 = 1_700_000_000
  private static let payload = #"{"sub":"admin","exp":1700000060,"iss":"i","aud":"a"}"#
  private static let publicKeys = [
    TokenTestKeys.rsaPublic, TokenTestKeys.p256Public, TokenTestKeys.p384Public, TokenTestKeys.p521Public,
    TokenTestKeys.ed25519Public,
  ]

  private static func verifier() throws -> TokenVerifier {
    var keys = try publicKeys.enumerated().map { try TokenKey(pem: $1, identifier: "\($0)") }
    keys.append(try TokenKey(secret: "the secret", algorithms: [.hs256], identifier: "s"))
    keys.append(try TokenKey(pem: TokenTestKeys.rsaPublic, algorithms: [.rs256]))
    return TokenVerifier(keys: keys, audience: "a", issuer: "i")
  }

  private static func text(_ bytes: [UInt8]) -> String {
    Base64.encode(bytes, alphabet: .url, padding: false)
  }
  private static func text(_ text: String) -> String { Self.text(Array(text.utf8)) }

  private static func token(_ header: String, _ signature: (String) -> [UInt8]) -> String {
    let signed = "\(text(header)).\(text(payload))"
    return "\(signed).\(text(signature(signed)))"
  }

  private static func hash(of algorithm: TokenAlgorithm) -> SHA2 { algorithm.hash ?? .sha256 }

  /// `none` in every spelling, with and without something in the signature's place.
  private static var unsigned: [String] {
    let names = [
      "none", "None", "NONE", "nOnE", "none ", " none", "", "null", "HS256\\u0000", "hs256", "RS256 ",
    ]
    return names.flatMap { name in
      [[], [0], [UInt8](repeating: 0, count: 32)].map { bytes in
        token(#"{"alg":"\#(name)","typ":"JWT"}"#) { _ in bytes }
      }
    }
  }

  /// A public key as the secret of HMAC, as it is in its file, without its last line break, and in DER.
  private static var confused: [String] {
    publicKeys.flatMap { pem -> [[UInt8]] in
      let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n")
      let der = Base64.decode(lines.filter { !$0.hasPrefix("-") }.joined()) ?? []
      return [pem, Array(pem.dropLast()), der]
    }.flatMap { key in
      TokenAlgorithm.hmac.sorted { $0.rawValue < $1.rawValue }.flatMap { algorithm in
        ["", #","kid":"0""#].map { kid in
          token(#"{"alg":"\#(algorithm.rawValue)"\#(kid)}"#) { signed in
            HMACCode.make(Array(signed.utf8), key: key, hash(of: algorithm))
          }
        }
      }
    }
  }

  /// Signatures of the right and of wrong lengths that are of nobody: zeros, ones, and numbers that ECDSA must refuse.
  private static var empty: [String] {
    TokenAlgorithm.allCases.flatMap { algorithm in
      [0, 1, 31, 32, 63, 64, 65, 96, 132, 256].flatMap { count in
        [UInt8(0), 1, 255].map { byte in
          token(#"{"alg":"\#(algorithm.rawValue)"}"#) { _ in [UInt8](repeating: byte, count: count) }
        }
      }
    }
  }

  /// The right kind of key, of somebody else; its public half offered in the header.
  private static func foreign() throws -> [String] {
    let rsa = try PrivateKey(pem: TokenTestKeys.rsaOther)
    let p256 = try PrivateKey(pem: TokenTestKeys.p256Other)
    let offers = [
      "", #","kid":"0""#, #","kid":"1""#, #","kid":"../../etc/passwd""#, #","kid":"' OR '1'='1""#,
      #","jku":"https://example.com/keys""#, #","x5u":"https://example.com/cert""#,
      #","jwk":{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
      #","x5c":["AAAA"]"#, #","crit":[]"#, #","b64":false,"crit":["b64"]"#, #","alg":"RS256""#,
    ]
    return offers.flatMap { offer in
      [TokenAlgorithm.rs256, .rs512, .es256].map { algorithm in
        token(#"{"alg":"\#(algorithm.rawValue)"\#(offer)}"#) { signed in
          (algorithm == .es256 ? p256 : rsa).signature(of: Array(signed.utf8), algorithm) ?? []
        }
      }
    }
  }

  /// One of ours, and then changed.
  private static func changed() throws -> [String] {
    let pairs: [(TokenAlgorithm, [UInt8])] = [
      (.rs256, TokenTestKeys.rsa), (.es256, TokenTestKeys.p256), (.es384, TokenTestKeys.p384),
      (.es512, TokenTestKeys.p521), (.edDSA, TokenTestKeys.ed25519),
    ]
    return try pairs.flatMap { algorithm, pem -> [String] in
      let genuine = try TokenSigner(privateKey: pem, algorithm: algorithm).sign(payload: Array(payload.utf8))
      #expect(throws: Never.self) { try verifier().verify(genuine, now: now) }
      let parts = genuine.split(separator: ".").map(String.init)
      let signature = Base64.decode(parts[2], alphabet: .url, padding: false) ?? []
      var flipped = signature
      flipped[signature.count / 2] ^= 1
      let half = signature.count / 2
      let der = ECDSASignature.der(signature, half: half) ?? []
      let swapped = Array(signature[half...] + signature[..<half])
      let other = text(payload.replacing("admin", with: "root"))
      return [
        "\(parts[0]).\(other).\(parts[2])", "\(parts[0]).\(parts[1]).\(text(flipped))",
        "\(parts[0]).\(parts[1]).\(text(der))", "\(parts[0]).\(parts[1]).\(text(swapped))",
        "\(parts[0]).\(parts[1]).\(text(signature + [0]))",
        "\(parts[0]).\(parts[1]).\(text([0] + signature))",
        "\(parts[0]).\(parts[1]).\(text(Array(signature.dropLast())))", "\(parts[0]).\(parts[1]).",
        genuine + ".",
        "." + genuine, genuine + "=", "\(parts[1]).\(parts[0]).\(parts[2])", "\(parts[0])..\(parts[2])",
        "\(text(#"{"alg":"RS384"}"#)).\(parts[1]).\(parts[2])",
        "\(text(#"{"alg":"HS256"}"#)).\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).\(parts[2])\n",
        "Bearer " + genuine, "\(parts[0]).\(parts[1]).\(parts[1])",
      ]
    }
  }

  @Test func noneIsTaken() throws {
    let tokens = try Self.unsigned + Self.confused + Self.empty + Self.foreign() + Self.changed()
    #expect(Set(tokens).count >= 400)
    let verifier = try Self.verifier()
    for token in tokens {
      #expect(throws: TokenError.invalid, "\(token)") { try verifier.verify(token, now: Self.now) }
    }
  }
}
