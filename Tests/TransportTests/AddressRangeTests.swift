import EventLoops
import Testing
import Transport

@Suite struct AddressRangeTests {
  private func address(_ text: String) throws -> SocketAddress {
    try #require(SocketAddress(literal: text, port: 1))
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
    ("10.0.0.0/8", "9.255.255.255", false), ("192.0.2.7", "192.0.2.7", true),
    ("192.0.2.7", "192.0.2.8", false), ("192.0.2.0/31", "192.0.2.1", true),
    ("192.0.2.0/31", "192.0.2.2", false), ("192.0.2.77/24", "192.0.2.1", true),
    ("0.0.0.0/0", "255.255.255.255", true), ("0.0.0.0/0", "::1", false), ("::/0", "10.0.0.1", false),
    ("::/0", "::ffff:10.0.0.1", false), ("10.0.0.0/8", "::ffff:10.0.0.1", true),
    ("::ffff:10.0.0.0/104", "10.255.0.1", true), ("::ffff:10.0.0.0/104", "11.0.0.1", false),
    ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
    ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/64", "2001:db8:0:1::", false),
    ("2001:db8::/65", "2001:db8::7fff:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
    ("::1", "::1", true), ("::1", "::2", false), ("::1/127", "::", true), ("unix", "10.0.0.1", false),
  ])
  func contains(range: String, text: String, isInside: Bool) throws {
    let range = try #require(AddressRange(range))
    #expect(range.contains(try address(text)) == isInside)
  }

  @Test func unixSocketsAreARangeOfTheirOwn() throws {
    #expect(try #require(AddressRange("unix")).contains(.unix("")))
    #expect(!(try #require(AddressRange("0.0.0.0/0")).contains(.unix(""))))
  }

  @Test(arguments: [
    "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8/8", "10.0.0/8", "::/129",
    "name",
    "10.0.0.0/99999999999999999999",
  ])
  func whatIsNoRange(text: String) {
    #expect(AddressRange(text) == nil)
  }

  @Test(arguments: [
    ("10.1.2.3/8", "10.0.0.0/8"), ("::1", "::1/128"), ("fd00::1/8", "fd00::/8"), ("unix", "unix"),
  ])
  func description(text: String, expected: String) {
    #expect(AddressRange(text)?.description == expected)
  }
}
