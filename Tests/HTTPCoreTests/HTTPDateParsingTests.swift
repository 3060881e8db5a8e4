import HTTPCore
import Testing

@Suite struct HTTPDateParsingTests {
  /// 2026-01-01.
  private let now: Int64 = 1_767_225_600

  @Test(
    arguments: [
      // RFC 9110 §5.6.7: one time in the three forms.
      ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
      ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Wed Nov 16 08:49:37 1994", 784_975_777),
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
      ("Tue, 29 Feb 2000 00:00:00 GMT", 951_782_400), ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
      ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799), ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
      // That the weekday fits is not checked.
      ("Mon, 06 Nov 1994 08:49:37 GMT", 784_111_777),
      // 50 years and less ahead is the future, beyond is the past.
      ("Friday, 31-Dec-75 00:00:00 GMT", 3_344_976_000), ("Friday, 31-Dec-76 00:00:00 GMT", 220_838_400),
      ("Friday, 31-Dec-99 23:59:59 GMT", 946_684_799), ("Saturday, 01-Jan-00 00:00:00 GMT", 946_684_800),
    ] as [(String, Int64)])
  func parses(_ text: String, _ seconds: Int64) {
    #expect(HTTPDate.parse(text, now: now) == seconds)
  }

  @Test(arguments: [
    "", "Sun", "Sun,", "06 Nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT", "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 31 Nov 1994 08:49:37 GMT", "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT", "sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT", "Sunday Nov  6 08:49:37 1994", "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 94", "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, ٠٦ Nov 1994 08:49:37 GMT",
    "Tuesday, 29-Feb-75 00:00:00 GMT",
  ])
  func refuses(_ text: String) { #expect(HTTPDate.parse(text, now: now) == nil) }

  @Test func readsWhatIsWritten() {
    for seconds in stride(from: Int64(-30_610_224_000), to: 253_402_300_799, by: 86_399 * 977) {
      #expect(HTTPDate.parse(HTTPDate.format(secondsSinceEpoch: seconds), now: now) == seconds)
    }
  }

  /// Every cut and every changed byte is refused or another date, never a trap.
  @Test(
    arguments: [
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    ])
  func damagedDates(_ text: String) {
    let bytes = Array(text.utf8)
    for index in bytes.indices {
      #expect(HTTPDate.parse(String(decoding: bytes[..<index], as: UTF8.self), now: now) == nil)
      for byte in [0, 0x20, 0x2D, 0x30, 0x39, 0xFF] as [UInt8] {
        var changed = bytes
        changed[index] = byte
        _ = HTTPDate.parse(String(decoding: changed, as: UTF8.self), now: now)
      }
    }
  }

  @Test(
    arguments: [
      (["Retry-After": "0"], 0), (["Retry-After": "120"], 120), (["retry-after": "7"], 7),
      (["Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"], 60),
      (["Retry-After": "Thu, 01 Jan 2025 00:01:00 GMT"], 0),
      (["Retry-After": "Thu, 01 Jan 1970 00:01:00 GMT", "Date": "Thu, 01 Jan 1970 00:00:30 GMT"], 30),
      (["Retry-After": "18446744073709551615"], .max), (["Retry-After": "18446744073709551616"], nil),
      (["Retry-After": "-1"], nil), (["Retry-After": "soon"], nil), (["Retry-After": ""], nil), ([:], nil),
    ] as [(HTTPFields, UInt64?)])
  func retryAfter(_ fields: HTTPFields, _ seconds: UInt64?) {
    #expect(fields.retryAfterSeconds(now: now) == seconds)
  }
}
