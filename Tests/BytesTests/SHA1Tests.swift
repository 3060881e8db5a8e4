import Bytes
import Testing

@Suite struct SHA1Tests {
  private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// FIPS 180 and RFC 3174 §7.3.
  @Test(
    arguments: [
      ("", "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
      ("abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "84983e441c3bd26ebaae4aa1f95129e5e54670f1"
      ),
      ("a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"),
      (
        "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11",
        "b37a4f2cc0624f1690f64606cf385945b2bec4ea"
      ),
    ])
  func vectors(_ text: String, _ digest: String) {
    #expect(hexadecimal(SHA1.hash(Array(text.utf8))) == digest)
  }

  @Test func repeatedVectors() {
    let million = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000)
    #expect(hexadecimal(SHA1.hash(million)) == "34aa973cd4c4daa4f61eeb2bdbad27316534016f")
    let digits = Array(String(repeating: "01234567", count: 80).utf8)
    #expect(hexadecimal(SHA1.hash(digits)) == "dea356a2cddd90c7a7ecedc5ebb563934f460452")
  }

  /// Lengths around a block, where the padding takes another one; the values are those of Python's hashlib.
  @Test(
    arguments: [
      (54, "31045e7bb077ff8d188a776b196b980388735dbb"),
      (55, "cef734ba81a024479e09eb5a75b6ddae62e6abf1"),
      (56, "901305367c259952f4e7af8323f480d59f81335b"),
      (57, "025ecbd5d70f8fb3c5457cd96bab13fda305dc59"),
      (62, "ff5b5136336035a9f58c21d5da1e2a1d29c67943"),
      (63, "0ddc4e0cccd9a12850deb5abb0853a4425559fec"),
      (64, "bb2fa3ee7afb9f54c6dfb5d021f14b1ffe40c163"),
      (65, "78c741ddc482e4cdf8c474a0876347a0905b6233"),
      (119, "4300320394f7ee239bcdce7d3b8bcee173a0cd5c"),
      (120, "ceb2821639c4b6dcb10bce0e522ca2e608ce056d"),
      (127, "e463484d274607e1897d4099497cbf2aedcf8206"),
      (128, "150fa3fbdc899bd0b8f95a9fb6027f564d953762"),
    ])
  func lengthsAroundABlock(_ count: Int, _ digest: String) {
    #expect(hexadecimal(SHA1.hash([UInt8](repeating: 0x78, count: count))) == digest)
  }
}
