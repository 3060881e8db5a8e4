/// Numbers for people.
enum Figure {
  /// `value` with so many digits behind the point.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((abs(value) * Double(scale)).rounded())
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard digits > 0 else { return sign + String(scaled) }
    let fraction = String(scaled % scale)
    return sign + "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }

  /// A whole number with commas: `1,234,567`.
  static func count(_ value: Double) -> String {
    let digits = fixed(abs(value), 0)
    var result = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { result += "," }
      result.append(digit)
    }
    return (value < 0 && digits != "0" ? "-" : "") + result
  }

  /// Three or more significant digits, as a person would write it.
  static func short(_ value: Double) -> String {
    switch abs(value) {
    case 100...: count(value)
    case 10..<100: fixed(value, 1)
    default: fixed(value, 2)
    }
  }

  /// A time: `1.23 µs`, `45.6 ms`, `2.00 s`.
  static func time(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<999_500: short(nanoseconds / 1e3) + " µs"
    case ..<999_500_000: short(nanoseconds / 1e6) + " ms"
    default: short(nanoseconds / 1e9) + " s"
    }
  }

  /// A share: `97 %`.
  static func percent(_ part: Double) -> String { fixed(part * 100, 0) + " %" }
}
