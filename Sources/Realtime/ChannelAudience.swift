/// How many subscribers a channel has on which loops and in which encodings: what its owner must know to send
/// one item a loop and to encode once. Two short arrays, since nearly all channels are heard on few loops.
struct ChannelAudience {
  private struct Count {
    let key: Int
    var count: Int
  }

  private var byLoop: [Count] = []
  private var byEncoding: [Count] = []
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func add(loop: Int, encoding: Int) {
    count += 1
    Self.change(&byLoop, loop, by: 1)
    Self.change(&byEncoding, encoding, by: 1)
  }

  mutating func remove(loop: Int, encoding: Int) {
    count -= 1
    Self.change(&byLoop, loop, by: -1)
    Self.change(&byEncoding, encoding, by: -1)
  }

  func forEachLoop(_ body: (Int) -> Void) {
    for entry in byLoop { body(entry.key) }
  }

  func uses(encoding: Int) -> Bool { byEncoding.contains { $0.key == encoding } }

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
