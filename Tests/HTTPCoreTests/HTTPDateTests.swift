import HTTPCore
import Testing

@Suite struct HTTPDateTests {
  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"),
      (1_078_099_200, "Mon, 01 Mar 2004 00:00:00 GMT"), (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
      (-1, "Wed, 31 Dec 1969 23:59:59 GMT"), (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] as [(Int64, String)])
  func formats(_ seconds: Int64, _ expected: String) {
    #expect(HTTPDate.format(secondsSinceEpoch: seconds) == expected)
  }

  /// Values of Python's `email.utils.formatdate(…, usegmt=True)`.
  @Test(
    arguments: [
      (36697185098, "Sun, 20 Nov 3132 22:31:38 GMT"),
      (131442835709, "Tue, 05 Apr 6135 02:48:29 GMT"),
      (132445921193, "Fri, 16 Jan 6167 21:39:53 GMT"),
      (151437772356, "Thu, 14 Nov 6768 23:52:36 GMT"),
      (159935840253, "Fri, 02 Mar 7038 06:17:33 GMT"),
      (161601238182, "Tue, 09 Dec 7090 16:49:42 GMT"),
      (163490201561, "Thu, 19 Oct 7150 16:52:41 GMT"),
      (249164659237, "Mon, 18 Sep 9865 05:20:37 GMT"),
      (250697048484, "Sat, 11 Apr 9914 05:01:24 GMT"),
      (1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"),
      (1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"),
      (4102444799, "Thu, 31 Dec 2099 23:59:59 GMT"),
    ] as [(Int64, String)])
  func agreesWithPython(_ seconds: Int64, _ expected: String) {
    #expect(HTTPDate.format(secondsSinceEpoch: seconds) == expected)
  }

  /// The days of 200 years follow each other: each date is the one before plus one, each weekday the next.
  @Test func daysFollowEachOther() {
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    var (year, month, day) = (1970, 0, 1)
    for number in 0..<73_049 {
      let expected =
        "\(weekdays[number % 7]), \(day < 10 ? "0" : "")\(day) \(months[month]) \(year) 12:00:00 GMT"
      if HTTPDate.format(secondsSinceEpoch: Int64(number) * 86_400 + 43_200) != expected {
        Issue.record("\(expected)")
        return
      }
      let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      day += 1
      guard day > [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] else { continue }
      (month, day) = (month + 1, 1)
      if month == 12 { (year, month) = (year + 1, 0) }
    }
    #expect(year == 2170)
  }
}
