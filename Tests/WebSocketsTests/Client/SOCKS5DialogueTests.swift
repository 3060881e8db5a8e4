import Testing

@testable import WebSockets

@Suite struct SOCKS5DialogueTests {
  private let ann = (user: "ann", password: "pw")

  private func dialogue(
    _ host: String = "example.org", _ credentials: (user: String, password: String)? = nil
  ) throws(ProxyRefusal) -> Dialogue<SOCKS5Dialogue> {
    try Dialogue(SOCKS5Dialogue(to: ProxyDestination(host: host, port: 0x1F90), credentials: credentials))
  }

  private func complaint(
    _ answers: [UInt8], host: String = "example.org", _ credentials: (user: String, password: String)? = nil
  ) -> String? {
    do {
      let dialogue = try dialogue(host, credentials)
      try dialogue.feed(answers)
      return nil
    } catch { return error.complaint }
  }

  @Test func aNameIsSentAsAName() throws {
    let dialogue = try dialogue()
    #expect(dialogue.sent == [[5, 1, 0]])
    try dialogue.feed([5, 0])
    #expect(dialogue.sent.last == [5, 1, 0, 3, 11] + Array("example.org".utf8) + [0x1F, 0x90])
  }

  @Test func addressesAreSentAsAddresses() throws {
    let four = try dialogue("10.0.0.255")
    try four.feed([5, 0])
    #expect(four.sent.last == [5, 1, 0, 1, 10, 0, 0, 255, 0x1F, 0x90])
    let six = try dialogue("2001:db8::ff")
    try six.feed([5, 0])
    #expect(
      six.sent.last == [5, 1, 0, 4, 0x20, 1, 0xD, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0x1F, 0x90])
  }

  @Test func userAndPassword() throws {
    let dialogue = try dialogue("a", ann)
    #expect(dialogue.sent == [[5, 2, 0, 2]])
    try dialogue.feed([5, 2])
    #expect(dialogue.sent.last == [1, 3] + Array("ann".utf8) + [2] + Array("pw".utf8))
    try dialogue.feed([1, 0])
    #expect(dialogue.sent.last == [5, 1, 0, 3, 1, 0x61, 0x1F, 0x90])
  }

  @Test(
    arguments: [
      [5, 0, 0, 1, 127, 0, 0, 1, 1, 2],
      [5, 0, 0, 4] + Array(repeating: 0xAA, count: 16) + [1, 2], [5, 0, 0, 3, 0, 1, 2],
      [5, 0, 0, 3, 3, 1, 2, 3, 1, 2], [5, 0, 0, 3, 255] + Array(repeating: 0x61, count: 255) + [1, 2],
    ] as [[UInt8]])
  func splitAnywhereAndNothingBehindIsLost(_ reply: [UInt8]) throws {
    let answers: [UInt8] = [5, 2, 1, 0] + reply
    for size in 1...(answers.count + 3) {
      let dialogue = try dialogue("a", ann)
      try dialogue.feed(answers + [9, 8, 7], pieces: size)
      #expect(dialogue.isEstablished && dialogue.rest == [9, 8, 7] && dialogue.sent.count == 3)
    }
    for end in answers.indices {
      let dialogue = try dialogue("a", ann)
      try dialogue.feed(Array(answers[..<end]))
      #expect(!dialogue.isEstablished)
    }
  }

  @Test(
    arguments: [
      (1, "could not reach example.org:8080: general failure of the proxy."),
      (2, "does not allow connections to example.org:8080."),
      (3, "could not reach example.org:8080: network unreachable."),
      (4, "could not reach example.org:8080: host unreachable, or its name is not known."),
      (5, "could not reach example.org:8080: connection refused."),
      (6, "got no answer from example.org:8080 in time (TTL expired)."),
      (7, "does not make connections for others (the command is not supported)."),
      (8, "does not take this kind of address (example.org:8080)."),
      (99, "could not reach example.org:8080: reply 99."),
    ] as [(UInt8, String)])
  func replyCodesInWords(_ code: UInt8, _ words: String) {
    #expect(complaint([5, 0, 5, code]) == words)
  }

  @Test func refusedMethodsAndPasswords() {
    #expect(complaint([5, 0xFF])?.hasPrefix("wants a user name and a password") == true)
    #expect(complaint([5, 0xFF], ann)?.hasPrefix("takes no user name") == true)
    #expect(complaint([5, 2])?.contains("not offered (method 2)") == true)
    #expect(complaint([5, 1], ann)?.contains("not offered (method 1)") == true)
    #expect(complaint([5, 2, 1, 1], ann) == "does not take this user name and password.")
    #expect(complaint([5, 0, 5, 0, 0, 1, 1, 1, 1, 1, 1, 1], ann) == nil)
  }

  @Test func garbage() {
    for bytes in [[0x48, 0x54], [4, 0], [5, 0, 4, 0], [5, 2, 5, 0]] as [[UInt8]] {
      #expect(complaint(bytes, ann)?.hasPrefix("does not speak SOCKS 5") == true)
    }
    #expect(complaint([5, 0, 5, 0, 0, 2, 0])?.contains("address of type 2") == true)
  }

  @Test func lengthsOfOneByte() {
    let long = String(repeating: "a", count: 255)
    #expect(complaint([5, 0], host: long) == nil)
    #expect(complaint([5, 0], host: long + "a")?.contains("255 bytes") == true)
    #expect(complaint([5, 2], (user: long, password: long)) == nil)
    #expect(complaint([5, 2], (user: long + "a", password: "")) != nil)
    #expect(complaint([5, 2], (user: "a", password: long + "a")) != nil)
  }
}
