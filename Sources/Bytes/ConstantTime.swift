/// Comparison that takes as long for a near miss as for a far one.
public enum ConstantTime {
  /// Whether both hold the same bytes; only their lengths can be told from the time it takes.
  public static func equal(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for (x, y) in zip(a, b) { difference |= x ^ y }
    return difference == 0
  }
}
