/// Short time spans for people.
enum Milliseconds {
  /// `0.31 ms`, `12 ms`, `1,250 ms` as `1250 ms`.
  static func text(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let microseconds = seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    if microseconds >= 10_000 { return "\((microseconds + 500) / 1_000) ms" }
    let hundredths = (microseconds + 5) / 10
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) ms"
  }
}
