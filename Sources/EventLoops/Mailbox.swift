import Synchronization

/// Something that an event loop is to run: a Swift job, or a closure.
enum LoopWork {
  case job(UnownedJob)
  case closure(@Sendable () -> Void)
}

/// What other threads post to a loop: many producers, one consumer, no lock.
///
/// One word holds everything: a list of posted items, newest first, or `asleep`, or `closed`. A producer that finds `asleep` is
/// the one, and the only one, that has to wake the loop, so that a busy loop costs its producers no system call.
struct Mailbox: ~Copyable {
  private struct Node {
    let work: LoopWork
    var next: UInt
  }

  private static var empty: UInt { 0 }
  private static var asleep: UInt { 1 }
  private static var closed: UInt { 2 }

  private let head = Atomic<UInt>(0)

  deinit {
    var items: [LoopWork] = []
    close(into: &items)
  }

  /// Adds an item, from any thread; true if the loop sleeps and has to be woken by the caller.
  func post(_ work: consuming LoopWork) -> Bool {
    let node = UnsafeMutablePointer<Node>.allocate(capacity: 1)
    node.initialize(to: Node(work: work, next: Self.empty))
    var seen = head.load(ordering: .relaxed)
    while true {
      if seen == Self.closed {
        node.deinitialize(count: 1)
        node.deallocate()
        return false
      }
      node.pointee.next = seen == Self.asleep ? Self.empty : seen
      let (exchanged, original) = head.weakCompareExchange(
        expected: seen, desired: UInt(bitPattern: node), successOrdering: .acquiringAndReleasing,
        failureOrdering: .relaxed)
      if exchanged { return seen == Self.asleep }
      seen = original
    }
  }

  /// Says that the loop is about to sleep; false if there is something to do first. Loop only.
  func prepareToSleep() -> Bool {
    head.compareExchange(expected: Self.empty, desired: Self.asleep, ordering: .acquiringAndReleasing)
      .exchanged
  }

  /// Whether nothing is posted. Loop only.
  var isEmpty: Bool { head.load(ordering: .relaxed) <= Self.closed }

  /// Takes the last items; what is posted from here on is dropped. Loop only.
  func close(into items: inout [LoopWork]) {
    take(head.exchange(Self.closed, ordering: .acquiringAndReleasing), into: &items)
  }

  /// Ends the sleep and moves all posted items to `items`, oldest first. Loop only.
  func takeAll(into items: inout [LoopWork]) {
    // The common turn finds nothing: no bus-locked instruction for it.
    let seen = head.load(ordering: .relaxed)
    guard seen != Self.empty, seen != Self.closed else { return }
    take(head.exchange(Self.empty, ordering: .acquiringAndReleasing), into: &items)
  }

  private func take(_ list: UInt, into items: inout [LoopWork]) {
    guard list > Self.closed else { return }
    var word = list
    let first = items.count
    while let node = UnsafeMutablePointer<Node>(bitPattern: word) {
      let taken = node.move()
      node.deallocate()
      items.append(taken.work)
      word = taken.next
    }
    // In place: reversing a slice of an array would copy it.
    var (low, high) = (first, items.count - 1)
    while low < high {
      items.swapAt(low, high)
      low += 1
      high -= 1
    }
  }
}
