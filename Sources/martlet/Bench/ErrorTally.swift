/// What went wrong, counted by what it was.
struct ErrorTally: Sendable {
  /// More kinds than anybody reads; what comes after them is counted only.
  private static let maximumKinds = 16

  private(set) var count = 0
  private(set) var kinds: [(text: String, count: Int)] = []

  mutating func add(_ text: String, _ number: Int = 1) {
    guard number > 0 else { return }
    count += number
    if let index = kinds.firstIndex(where: { $0.text == text }) {
      kinds[index].count += number
    } else if kinds.count < Self.maximumKinds {
      kinds.append((text, number))
    }
  }

  mutating func merge(_ other: ErrorTally) {
    let told = other.kinds.map(\.count).reduce(0, +)
    for kind in other.kinds { add(kind.text, kind.count) }
    count += other.count - told
  }
}
