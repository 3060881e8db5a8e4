/// How many subscribers a channel has on which loops and in which spellings (an encoding, plain or with
/// differences): what its owner must know to send one item a loop and to encode once.
///
/// Nearly all channels are heard on one loop in one spelling: these are held in place, and others, where there are any, in
/// an array.
struct ChannelAudience {
  private struct Entry {
    let key: Int32
    var count: Int32 = 0
  }

  /// Of which the count is 0: nothing is held in place.
  private var firstLoop = Entry(key: 0)
  private var firstSpelling = Entry(key: 0)
  /// Loops by their indices; spellings by theirs, below zero.
  private var others: [Entry] = []

  var isEmpty: Bool { count == 0 }
  var count: Int { others.reduce(Int(firstLoop.count)) { $1.key < 0 ? $0 : $0 + Int($1.count) } }

  mutating func add(loop: Int, spelling: Spelling) { change(loop, spelling, by: 1) }

  mutating func remove(loop: Int, spelling: Spelling) { change(loop, spelling, by: -1) }

  func forEachLoop(_ body: (Int) -> Void) {
    if firstLoop.count > 0 { body(Int(firstLoop.key)) }
    for entry in others where entry.key >= 0 { body(Int(entry.key)) }
  }

  var usesDelta: Bool { hasSpelling { $0 & 1 == 1 } }

  func uses(_ spelling: Spelling) -> Bool { hasSpelling { $0 == spelling.index } }

  private func hasSpelling(_ isWanted: (Int) -> Bool) -> Bool {
    (firstSpelling.count > 0 && isWanted(Int(firstSpelling.key)))
      || others.contains { $0.key < 0 && isWanted(-1 - Int($0.key)) }
  }

  /// Keys are indices of loops and encodings; counts are bounded by the descriptors of the machine.
  private mutating func change(_ loop: Int, _ spelling: Spelling, by difference: Int32) {
    let (loop, spelling) = (Int32(truncatingIfNeeded: loop), Int32(truncatingIfNeeded: spelling.index))
    let mayBegin = (loop: !isHeld(loop), spelling: !isHeld(-1 - spelling))
    if !Self.change(&firstLoop, loop, difference, mayBegin.loop) { change(other: loop, difference) }
    if !Self.change(&firstSpelling, spelling, difference, mayBegin.spelling) {
      change(other: -1 - spelling, difference)
    }
  }

  private func isHeld(_ key: Int32) -> Bool { others.contains { $0.key == key } }

  /// False where the place is another's.
  private static func change(
    _ entry: inout Entry, _ key: Int32, _ difference: Int32, _ mayBegin: Bool
  ) -> Bool {
    if entry.count == 0 {
      guard difference > 0, mayBegin else { return false }
      entry = Entry(key: key)
    }
    guard entry.key == key else { return false }
    entry.count += difference
    return true
  }

  private mutating func change(other key: Int32, _ difference: Int32) {
    guard let index = others.firstIndex(where: { $0.key == key }) else {
      precondition(difference > 0, "a subscription left that had not joined")
      return others.append(Entry(key: key, count: difference))
    }
    others[index].count += difference
    if others[index].count == 0 { others.remove(at: index) }
    if others.isEmpty { others = [] }
  }
}

/// How a subscription's publications are spelled: one of the hub's encodings, plain or with differences.
struct Spelling: Sendable {
  let encoding: Int
  let usesDelta: Bool

  var index: Int { encoding << 1 | (usesDelta ? 1 : 0) }
}
