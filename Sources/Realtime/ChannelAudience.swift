/// How many subscribers a channel has on which loops and in which spellings (an encoding, plain or with
/// differences): what its owner must know to send one item a loop and to encode once. Two short arrays, since nearly all channels are heard on few loops.
struct ChannelAudience {
  private struct Count {
    let key: Int
    var count: Int
  }

  private var byLoop: [Count] = []
  private var bySpelling: [Count] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func add(loop: Int, spelling: Spelling) {
    count += 1
    Self.change(&byLoop, loop, by: 1)
    Self.change(&bySpelling, spelling.index, by: 1)
  }

  mutating func remove(loop: Int, spelling: Spelling) {
    count -= 1
    Self.change(&byLoop, loop, by: -1)
    Self.change(&bySpelling, spelling.index, by: -1)
  }

  func forEachLoop(_ body: (Int) -> Void) {
    for entry in byLoop { body(entry.key) }
  }

  var usesDelta: Bool { bySpelling.contains { $0.key & 1 == 1 } }

  func uses(_ spelling: Spelling) -> Bool { bySpelling.contains { $0.key == spelling.index } }

  private static func change(_ counts: inout [Count], _ key: Int, by difference: Int) {
    guard let index = counts.firstIndex(where: { $0.key == key }) else {
      precondition(difference > 0, "a subscription left that had not joined")
      counts.append(Count(key: key, count: difference))
      return
    }
    counts[index].count += difference
    if counts[index].count == 0 { counts.remove(at: index) }
  }
}

/// How a subscription's publications are spelled: one of the hub's encodings, plain or with differences.
struct Spelling: Sendable {
  let encoding: Int
  let usesDelta: Bool

  var index: Int { encoding << 1 | (usesDelta ? 1 : 0) }
}
