/// Numbers with a unit, as people write them.
enum Quantity {
  /// `65536`, `64KiB`, `64K`, `1MiB`, `2GiB` as bytes; nil if it is none of these.
  static func bytes(_ text: String) -> Int? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let number = Int(digits) else { return nil }
    let shift: Int
    switch text.dropFirst(digits.count).lowercased() {
    case "", "b": shift = 0
    case "k", "kib": shift = 10
    case "m", "mib": shift = 20
    case "g", "gib": shift = 30
    default: return nil
    }
    let (product, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : product
  }

  /// `90`, `90s`, `15m`, `1h30m`, `7d` as seconds; nil if it is none of these.
  static func seconds(_ text: String) -> Int? {
    if let plain = Int(text) { return plain >= 0 ? plain : nil }
    var rest = text[...]
    var total = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int(digits), let unit = rest.dropFirst(digits.count).first else { return nil }
      let factor: Int
      switch unit {
      case "s": factor = 1
      case "m": factor = 60
      case "h": factor = 3_600
      case "d": factor = 86_400
      default: return nil
      }
      let (product, tooLarge) = number.multipliedReportingOverflow(by: factor)
      let (sum, overflow) = total.addingReportingOverflow(product)
      guard !tooLarge, !overflow else { return nil }
      total = sum
      rest = rest.dropFirst(digits.count + 1)
    }
    return text.isEmpty ? nil : total
  }
}
