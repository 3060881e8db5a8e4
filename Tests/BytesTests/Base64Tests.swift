import Bytes
import TestRandomness
import Testing

@Suite struct Base64Tests {
  /// RFC 4648 §10.
  @Test(
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func vectorsOfTheRFC(_ plain: String, _ encoded: String) {
    let bytes = Array(plain.utf8)
    #expect(Base64.encode(bytes) == encoded)
    #expect(Base64.decode(encoded) == bytes)
    let bare = String(encoded.filter { $0 != "=" })
    #expect(Base64.encode(bytes, padding: false) == bare)
    #expect(Base64.decode(bare, padding: false) == bytes)
  }

  @Test func alphabets() {
    let bytes: [UInt8] = [0xFB, 0xEF, 0xFF, 0x3E]
    #expect(Base64.encode(bytes) == "++//Pg==")
    #expect(Base64.encode(bytes, alphabet: .url, padding: false) == "--__Pg")
    #expect(Base64.decode("++//Pg==") == bytes)
    #expect(Base64.decode("--__Pg", alphabet: .url, padding: false) == bytes)
    #expect(Base64.decode("--__Pg==") == nil && Base64.decode("++//Pg==", alphabet: .url) == nil)
    let all = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    #expect(Base64.decode(all).map { Base64.encode($0) } == all)
  }

  @Test(arguments: [
    // Padding that is missing, too much, misplaced, or alone.
    "Zg", "Zg=", "Zg===", "Zm8", "Zm8==", "Zm9v=", "Zm9v====", "=", "==", "====", "Z===", "Zg==Zg==", "Z=g=",
    "=Zg=",
    // A single character holds no byte.
    "Z", "Zm9vZ", "Zm9vZ===",
    // Bits left over that are not zero.
    "Zh==", "Zi==", "Zk==", "Zo==", "Zm9=", "Zm+=", "Zn==", "ZmB=", "Z/==",
    // Other characters, white space too.
    "Zm 9", "Zm9v\n", " Zm9v", "Zm9v ", "Zm-9", "Zm_9", "Zm.9", "Zé==", "Zm\u{0}9", "Zm9v\u{80}",
  ])
  func refuses(_ text: String) {
    #expect(Base64.decode(text) == nil)
  }

  @Test(arguments: ["Zg==", "Zm8=", "Zh", "Zm9", "Z", "Zm9vZ", "+/+/", "="])
  func refusesWithoutPadding(_ text: String) {
    #expect(Base64.decode(text, alphabet: .url, padding: false) == nil)
  }

  /// What is decoded is written back as it was: a value has one spelling only.
  @Test func randomTextsHaveOneSpelling() {
    var random = SeededRandom(seed: 9)
    let letters = Array("AQgw+/-_=Zz09 ".utf8)
    var decoded = 0
    for _ in 0..<20_000 {
      let text = (0..<Int.random(in: 0...9, using: &random)).map { _ in
        letters.randomElement(using: &random) ?? 0
      }
      for alphabet in [Base64.Alphabet.standard, .url] {
        for padding in [true, false] {
          guard let bytes = Base64.decode(text, alphabet: alphabet, padding: padding) else { continue }
          decoded += 1
          let again = Base64.encode(bytes, alphabet: alphabet, padding: padding)
          if Array(again.utf8) != text { Issue.record("\(again)") }
        }
      }
    }
    #expect(decoded > 1_000)
  }

  @Test func randomBytesComeBack() {
    var random = SeededRandom(seed: 10)
    for count in 0..<300 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      for alphabet in [Base64.Alphabet.standard, .url] {
        for padding in [true, false] {
          let text = Base64.encode(bytes, alphabet: alphabet, padding: padding)
          #expect(Base64.decode(text, alphabet: alphabet, padding: padding) == bytes)
          #expect(text.utf8.count == (padding ? (count + 2) / 3 * 4 : (count * 4 + 2) / 3))
        }
      }
    }
  }
}
