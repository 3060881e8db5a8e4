import Bytes
import Testing

@Suite struct UUIDTextTests {
  @Test(
    arguments: [
      (0, 0, "00000000-0000-0000-0000-000000000000"), (.max, .max, "ffffffff-ffff-ffff-ffff-ffffffffffff"),
      (0x0123_4567_89AB_4DEF, 0x8123_4567_89AB_CDEF, "01234567-89ab-4def-8123-456789abcdef"),
    ] as [(UInt64, UInt64, String)])
  func bitsAreSpelledAndRead(high: UInt64, low: UInt64, text: String) throws {
    #expect(UUIDText.make(high, low) == text)
    #expect(try #require(UUIDText.read(text)) == (high, low))
  }

  @Test(arguments: [
    "", "01234567-89AB-4def-8123-456789abcdef", "0123456789ab4def8123456789abcdef",
    "01234567-89ab-4def-8123_456789abcdef", "01234567-89ab-4def-8123-456789abcdef0",
  ])
  func otherSpellingsAreNotRead(_ text: String) {
    #expect(UUIDText.read(text) == nil)
  }
}
