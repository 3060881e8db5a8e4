extension HTTPDate {
  /// Reads a time in any of HTTP's three forms (RFC 9110 §5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`, the obsolete
  /// `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`.
  ///
  /// - Parameters:
  ///   - text: the date, without white space around it. That the weekday fits is not checked.
  ///   - now: the present in seconds since 1970-01-01 UTC, from which a year of two digits is understood.
  /// - Returns: seconds since 1970-01-01 UTC; nil if it is no such date.
  public static func parse(_ text: String, now: Int64) -> Int64? {
    var scanner = DateScanner(text)
    guard let isLong = scanner.weekday() else { return nil }
    let date =
      switch (scanner.take(","), isLong) {
      case (true, false): scanner.fixedDate()
      case (true, true): scanner.datedByRFC850(now: now)
      case (false, false): scanner.asctime()
      case (false, true): DateFields?.none
      }
    guard let date, scanner.isAtEnd else { return nil }
    return date.seconds
  }
}

/// A date and a time of day, as written.
private struct DateFields {
  var year = 0
  var month = 0
  var day = 0
  var secondOfDay = 0

  /// Nil if there is no such day.
  var seconds: Int64? {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    guard (1...12).contains(month), (1...lengths[month - 1]).contains(day) else { return nil }
    return Int64(Self.daysSinceEpoch(year, month, day)) * 86_400 + Int64(secondOfDay)
  }

  /// By eras of 400 years that begin on March 1.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// Takes the pieces of a date off the front of a text; each method returns nil for what does not fit. Case matters.
private struct DateScanner {
  private static let shortDays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
  private static let longDays = [
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
  ]

  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ text: String) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  /// Takes a weekday's name: whether it is the long one.
  mutating func weekday() -> Bool? {
    for name in Self.longDays where take(name) { return true }
    for name in Self.shortDays where take(name) { return false }
    return nil
  }

  /// ` 06 Nov 1994 08:49:37 GMT`
  mutating func fixedDate() -> DateFields? {
    var date = DateFields()
    guard take(" "), let day = number(2), take(" "), let month = month(), take(" "), let year = number(4),
      take(" "), let time = timeOfDay(), take(" GMT")
    else { return nil }
    (date.day, date.month, date.year, date.secondOfDay) = (day, month, year, time)
    return date
  }

  /// ` 06-Nov-94 08:49:37 GMT`
  mutating func datedByRFC850(now: Int64) -> DateFields? {
    var date = DateFields()
    guard take(" "), let day = number(2), take("-"), let month = month(), take("-"), let year = number(2),
      take(" "), let time = timeOfDay(), take(" GMT")
    else { return nil }
    (date.day, date.month, date.year, date.secondOfDay) = (day, month, 2_000 + year, time)
    // §5.6.7: "a timestamp … that appears to be more than 50 years in the future" is "the most recent year in the past
    // that had the same last two digits".
    let limit = now + 50 * 31_556_952
    if date.seconds.map({ $0 > limit }) == true { date.year -= 100 }
    return date
  }

  /// ` Nov  6 08:49:37 1994`
  mutating func asctime() -> DateFields? {
    var date = DateFields()
    guard take(" "), let month = month(), take(" "), let day = take(" ") ? number(1) : number(2), take(" "),
      let time = timeOfDay(), take(" "), let year = number(4)
    else { return nil }
    (date.day, date.month, date.year, date.secondOfDay) = (day, month, year, time)
    return date
  }

  private mutating func month() -> Int? {
    for (index, name) in HTTPDate.months.enumerated() where take(name) { return index + 1 }
    return nil
  }

  /// A leap second is the next minute's first.
  private mutating func timeOfDay() -> Int? {
    guard let hour = number(2), hour < 24, take(":"), let minute = number(2), minute < 60, take(":"),
      let second = number(2), second <= 60
    else { return nil }
    return hour * 3_600 + minute * 60 + second
  }

  private mutating func number(_ digits: Int) -> Int? {
    guard let value = ASCII.decimal(rest.prefix(digits)), rest.count >= digits else { return nil }
    rest = rest.dropFirst(digits)
    return Int(value)
  }
}
