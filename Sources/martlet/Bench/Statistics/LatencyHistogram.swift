/// Time spans in nanoseconds, counted in cells whose width grows with the value (as HdrHistogram does): bounded memory,
/// recording costs a few instructions, and a value is known to within 1/256 of itself.
struct LatencyHistogram: Sendable {
  /// Cells of an octave. A cell's middle is at most half a cell, 1/256, away from what is in it.
  private static let cellBits = 7
  private static let cellsPerOctave = 1 << cellBits

  private var cells = [UInt64](repeating: 0, count: (64 - cellBits + 1) << cellBits)
  private(set) var count: UInt64 = 0
  private(set) var minimum = UInt64.max
  private(set) var maximum: UInt64 = 0
  /// Wraps after 584 years.
  private var sum: UInt64 = 0

  @inline(__always)
  mutating func record(_ nanoseconds: UInt64) {
    cells[Self.cell(of: nanoseconds)] &+= 1
    count &+= 1
    sum &+= nanoseconds
    if nanoseconds > maximum { maximum = nanoseconds }
    if nanoseconds < minimum { minimum = nanoseconds }
  }

  mutating func merge(_ other: LatencyHistogram) {
    for index in cells.indices { cells[index] &+= other.cells[index] }
    count &+= other.count
    sum &+= other.sum
    minimum = min(minimum, other.minimum)
    maximum = max(maximum, other.maximum)
  }

  /// Exact.
  var mean: Double { count == 0 ? 0 : Double(sum) / Double(count) }

  /// The smallest recorded value that `part` (0...1) of all values do not exceed, to within a cell; 0 if there is none.
  func percentile(_ part: Double) -> UInt64 {
    guard count > 0 else { return 0 }
    let rank = max(1, UInt64(min(Double(count), (part * Double(count)).rounded(.up))))
    var seen: UInt64 = 0
    for (index, number) in cells.enumerated() where number > 0 {
      seen += number
      if seen >= rank { return rank == count ? maximum : min(max(Self.middle(of: index), minimum), maximum) }
    }
    return maximum
  }

  /// What was recorded, in rising order: the cell's bounds (the upper one is not in it) and how many values it holds.
  var occupied: [(lower: UInt64, upper: UInt64, count: UInt64)] {
    cells.enumerated().compactMap { index, number in
      number == 0 ? nil : (Self.lower(of: index), Self.lower(of: index) &+ Self.width(of: index), number)
    }
  }

  /// Values below two octaves of cells have a cell each; from there on the leading bits choose the cell.
  @inline(__always)
  private static func cell(of value: UInt64) -> Int {
    let shift = max(0, 63 - (value | 1).leadingZeroBitCount - cellBits)
    return shift << cellBits + Int(truncatingIfNeeded: value >> UInt64(shift))
  }

  private static func shift(of cell: Int) -> UInt64 { UInt64(max(0, cell >> cellBits - 1)) }

  private static func width(of cell: Int) -> UInt64 { 1 << shift(of: cell) }

  private static func lower(of cell: Int) -> UInt64 {
    let shift = shift(of: cell)
    return UInt64(cell - Int(shift) << cellBits) << shift
  }

  private static func middle(of cell: Int) -> UInt64 { lower(of: cell) + width(of: cell) / 2 }
}
