import HTTPCore
import Testing

@testable import WebSocketCore

/// RFC 6455 §9.1.
@Suite struct ExtensionListTests {
  private static func read(_ values: String...) -> [ExtensionOffer]? {
    var fields = HTTPFields()
    for value in values { fields.append("Sec-WebSocket-Extensions", value) }
    return ExtensionOffer.all(in: fields)
  }

  private static func offer(_ name: String, _ parameters: (String, String?)...) -> ExtensionOffer {
    ExtensionOffer(name: name, parameters: parameters.map { .init(name: $0.0, value: $0.1) })
  }

  @Test func theFormsOfTheGrammar() {
    #expect(Self.read() == [])
    #expect(Self.read("foo") == [Self.offer("foo")])
    #expect(
      Self.read("deflate-stream, mux; max-channels=4 ;flow-control , deflate-stream") == [
        Self.offer("deflate-stream"), Self.offer("mux", ("max-channels", "4"), ("flow-control", nil)),
        Self.offer("deflate-stream"),
      ])
    #expect(Self.read("a;b=\"10\"") == [Self.offer("a", ("b", "10"))])
    #expect(Self.read("a;b=\"1\\0\"") == [Self.offer("a", ("b", "10"))])
    #expect(Self.read(" a\t; b = 1") == [Self.offer("a", ("b", "1"))])
  }

  /// RFC 6455 §9.1: the field may "be split across multiple lines".
  @Test func severalFieldsAreOneList() {
    #expect(Self.read("a; x", "b, c") == [Self.offer("a", ("x", nil)), Self.offer("b"), Self.offer("c")])
  }

  @Test func emptyElementsAreIgnored() {
    #expect(Self.read(", ,a,,b,") == [Self.offer("a"), Self.offer("b")])
    #expect(Self.read("") == [])
  }

  @Test(arguments: [
    "a;", "a;;b", "a b", "a;b=", "a;b==1", "a;b=\"", "a;b=\"\"", "a;b=\"x y\"", "a;b=\"x\\\"\"", "a;b=\"x\\",
    ";a", "=a", "a;b=1 2", "a/b", "\"a\"", "a;b=\"1\"2", "ä",
  ])
  func whatDoesNotFollowTheGrammar(_ value: String) {
    #expect(Self.read(value) == nil)
    #expect(Self.read("good", value) == nil)
  }
}
