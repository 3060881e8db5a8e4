/// What a timer calls.
public protocol TimerTarget: AnyObject {
  /// The timer set with `token` is due. Called once, on the loop.
  func timerFired(_ token: UInt64)
}

/// Names one set timer; stale as soon as it fired or was cancelled, and then harmless to cancel.
public struct TimerID: Sendable, Hashable {
  let index: Int32
  let generation: UInt32

  /// Names no timer; cancelling it does nothing.
  public static var none: TimerID { TimerID(index: -1, generation: 0) }
}

/// A hierarchical timer wheel: 11 levels of 64 slots over milliseconds, so that every UInt64 deadline has its slot.
///
/// A timer lives on the level of the highest bit in which its deadline differs from the wheel's time. Setting and
/// cancelling are O(1); each timer moves down at most once a level before it fires. Timers fire in deadline order,
/// and those with the same deadline in the order they were set.
struct TimerWheel: ~Copyable {
  private static var levelCount: Int { 11 }
  private static var none: Int32 { -1 }

  private struct Node {
    var deadline: UInt64
    var token: UInt64
    var target: (any TimerTarget)?
    var previous: Int32
    var next: Int32
    var generation: UInt32
    /// The slot (level * 64 + slot of level) the timer waits in, or -1.
    var slot: Int32
  }

  private struct Slot {
    var first: Int32
    var last: Int32
  }

  private var nodes: [Node] = []
  private var freeNodes: [Int32] = []
  private var slots: [Slot]
  /// A bit for each slot of each level, and one for each level that has any: every turn asks which is next.
  private var occupied: [UInt64]
  private var occupiedLevels: UInt32 = 0
  /// Everything due at or before this time has fired.
  private(set) var time: UInt64
  private(set) var count = 0

  init(time: UInt64) {
    self.time = time
    slots = Array(repeating: Slot(first: Self.none, last: Self.none), count: Self.levelCount * 64)
    occupied = Array(repeating: 0, count: Self.levelCount)
  }

  /// Sets a timer for `deadline`; one that is not in the future fires at the next millisecond.
  mutating func insert(deadline: UInt64, target: any TimerTarget, token: UInt64) -> TimerID {
    let index: Int32
    if let free = freeNodes.popLast() {
      index = free
    } else {
      index = Int32(nodes.count)
      nodes.append(
        Node(
          deadline: 0, token: 0, target: nil, previous: Self.none, next: Self.none, generation: 0, slot: -1))
    }
    nodes[Int(index)].deadline = max(deadline, time &+ 1)
    nodes[Int(index)].token = token
    nodes[Int(index)].target = target
    link(index)
    count += 1
    return TimerID(index: index, generation: nodes[Int(index)].generation)
  }

  /// Takes a timer back; false if it has fired or was cancelled before.
  @discardableResult
  mutating func cancel(_ timer: TimerID) -> Bool {
    let index = Int(timer.index)
    guard nodes.indices.contains(index), nodes[index].generation == timer.generation, nodes[index].slot >= 0
    else { return false }
    unlink(timer.index)
    release(timer.index)
    return true
  }

  /// Takes all timers back, and returns their targets: what their end sets off may come back to the wheel.
  mutating func removeAll() -> [any TimerTarget] {
    nodes.indices.compactMap { index in
      guard nodes[index].slot >= 0 else { return nil }
      unlink(Int32(index))
      return release(Int32(index))
    }
  }

  /// The time at which `advance` has something to do, or nil. May be early: timers far away first move down a level.
  var nextTime: UInt64? { nextSlot?.time }

  /// Takes one due timer out; nil, and the wheel stands at `now`, when no more is due. Call until nil.
  mutating func popDue(now: UInt64) -> (target: any TimerTarget, token: UInt64)? {
    while let (slot, due) = nextSlot, due <= now {
      time = due
      if slot < 64 {
        let index = slots[slot].first
        unlink(index)
        let token = nodes[Int(index)].token
        guard let target = release(index) else { continue }
        return (target, token)
      }
      moveDown(slot)
    }
    time = max(time, now)
    return nil
  }

  private var nextSlot: (slot: Int, time: UInt64)? {
    guard occupiedLevels != 0 else { return nil }
    let level = occupiedLevels.trailingZeroBitCount
    let slot = occupied[level].trailingZeroBitCount
    let shift = UInt64(level * 6)
    // The bits above this level are the wheel's own: a timer that differs there lives higher up.
    let above = shift + 6 >= 64 ? 0 : (time >> (shift + 6)) << (shift + 6)
    return (level * 64 + slot, above | UInt64(slot) << shift)
  }

  /// The slot has no timer any more.
  private mutating func vacate(_ slot: Int) {
    let level = slot >> 6
    occupied[level] &= ~(1 << UInt64(slot & 63))
    if occupied[level] == 0 { occupiedLevels &= ~(1 << UInt32(level)) }
  }

  private mutating func moveDown(_ slot: Int) {
    var index = slots[slot].first
    slots[slot] = Slot(first: Self.none, last: Self.none)
    vacate(slot)
    while index != Self.none {
      let next = nodes[Int(index)].next
      link(index)
      index = next
    }
  }

  private mutating func link(_ index: Int32) {
    let deadline = nodes[Int(index)].deadline
    let difference = deadline ^ time
    let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / 6
    let slot = level * 64 + Int(deadline >> UInt64(level * 6) & 63)
    let last = slots[slot].last
    nodes[Int(index)].slot = Int32(slot)
    nodes[Int(index)].previous = last
    nodes[Int(index)].next = Self.none
    if last == Self.none { slots[slot].first = index } else { nodes[Int(last)].next = index }
    slots[slot].last = index
    occupied[level] |= 1 << UInt64(slot & 63)
    occupiedLevels |= 1 << UInt32(level)
  }

  private mutating func unlink(_ index: Int32) {
    let node = nodes[Int(index)]
    let slot = Int(node.slot)
    if node.previous == Self.none {
      slots[slot].first = node.next
    } else {
      nodes[Int(node.previous)].next = node.next
    }
    if node.next == Self.none {
      slots[slot].last = node.previous
    } else {
      nodes[Int(node.next)].previous = node.previous
    }
    if slots[slot].first == Self.none { vacate(slot) }
  }

  @discardableResult
  private mutating func release(_ index: Int32) -> (any TimerTarget)? {
    let target = nodes[Int(index)].target
    nodes[Int(index)].target = nil
    nodes[Int(index)].slot = -1
    nodes[Int(index)].generation &+= 1
    freeNodes.append(index)
    count -= 1
    return target
  }
}
