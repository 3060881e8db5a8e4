/// How many subscribers a channel has on which loops and in which spellings (an encoding, plain or with
/// differences): what its owner must know to send one item a loop and to encode once.
struct ChannelAudience {
  private var loops = SmallTally()
  private var spellings = SmallTally()

  var count: Int { loops.total }
  var isEmpty: Bool { loops.isEmpty }

  mutating func add(loop: Int, spelling: Spelling) {
    loops.change(loop, by: 1)
    spellings.change(spelling.index, by: 1)
  }

  mutating func remove(loop: Int, spelling: Spelling) {
    loops.change(loop, by: -1)
    spellings.change(spelling.index, by: -1)
  }

  func forEachLoop(_ body: (Int) -> Void) { loops.forEach { key, _ in body(key) } }

  var usesDelta: Bool { spellings.contains { $0 & 1 == 1 } }

  func uses(_ spelling: Spelling) -> Bool { spellings.contains { $0 == spelling.index } }
}

/// How a subscription's publications are spelled: one of the hub's encodings, plain or with differences.
struct Spelling: Sendable {
  let encoding: Int
  let usesDelta: Bool

  var index: Int { encoding << 1 | (usesDelta ? 1 : 0) }
}

/// Counts by key. Nearly all channels are heard on one loop in one spelling: that key is held in place, and the others,
/// where there are any, in an array.
private struct SmallTally {
  private struct Entry {
    let key: Int32
    var count: Int32
  }

  /// Of which the count is 0: nothing is held in place.
  private var first = Entry(key: 0, count: 0)
  private var others: [Entry] = []

  var isEmpty: Bool { first.count == 0 && others.isEmpty }
  var total: Int { others.reduce(Int(first.count)) { $0 + Int($1.count) } }

  /// Keys are indices of loops and encodings; counts are bounded by the descriptors of the machine.
  mutating func change(_ key: Int, by difference: Int32) {
    let key = Int32(truncatingIfNeeded: key)
    if first.count > 0, first.key == key {
      first.count += difference
    } else if let index = others.firstIndex(where: { $0.key == key }) {
      others[index].count += difference
      if others[index].count == 0 { others.remove(at: index) }
    } else {
      precondition(difference > 0, "a subscription left that had not joined")
      if first.count == 0 {
        first = Entry(key: key, count: 1)
      } else {
        others.append(Entry(key: key, count: 1))
      }
    }
  }

  func forEach(_ body: (Int, Int) -> Void) {
    if first.count > 0 { body(Int(first.key), Int(first.count)) }
    for entry in others { body(Int(entry.key), Int(entry.count)) }
  }

  func contains(_ isWanted: (Int) -> Bool) -> Bool {
    (first.count > 0 && isWanted(Int(first.key))) || others.contains { isWanted(Int($0.key)) }
  }
}
