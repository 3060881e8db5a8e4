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

  /// In plain memory: each connection sets several timers and takes them back.
  private var nodes: UnsafeMutablePointer<Node>
  private var nodeCount: Int32 = 0
  private var capacity = 64
  /// The first of the nodes without a timer, which are linked by `next`.
  private var firstFree = Self.none
  private let slots: UnsafeMutablePointer<Slot>
  /// A bit for each slot of each level, and one for each level that has any: every turn asks which is next.
  private let occupied: UnsafeMutablePointer<UInt64>
  private var occupiedLevels: UInt32 = 0
  /// Everything due at or before this time has fired.
  private(set) var time: UInt64
  private(set) var count = 0

  init(time: UInt64) {
    self.time = time
    nodes = .allocate(capacity: capacity)
    slots = .allocate(capacity: Self.levelCount * 64)
    slots.initialize(repeating: Slot(first: Self.none, last: Self.none), count: Self.levelCount * 64)
    occupied = .allocate(capacity: Self.levelCount)
    occupied.initialize(repeating: 0, count: Self.levelCount)
  }

  deinit {
    nodes.deinitialize(count: Int(nodeCount)).deallocate()
    slots.deallocate()
    occupied.deallocate()
  }

  /// Sets a timer for `deadline`; one that is not in the future fires at the next millisecond.
  mutating func insert(deadline: UInt64, target: any TimerTarget, token: UInt64) -> TimerID {
    let index = takeNode()
    let node = nodes + Int(index)
    node.pointee.deadline = max(deadline, time &+ 1)
    node.pointee.token = token
    node.pointee.target = target
    link(index)
    count += 1
    return TimerID(index: index, generation: node.pointee.generation)
  }

  private mutating func takeNode() -> Int32 {
    if firstFree != Self.none {
      defer { firstFree = nodes[Int(firstFree)].next }
      return firstFree
    }
    if nodeCount == capacity { grow() }
    (nodes + Int(nodeCount)).initialize(
      to: Node(
        deadline: 0, token: 0, target: nil, previous: Self.none, next: Self.none, generation: 0, slot: -1))
    defer { nodeCount += 1 }
    return nodeCount
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Node>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: nodes, count: Int(nodeCount))
    nodes.deallocate()
    nodes = larger
    capacity *= 2
  }

  /// Takes a timer back, and returns its target, whose end may come back to the wheel; nil if the timer has fired or was
  /// cancelled before.
  mutating func cancel(_ timer: TimerID) -> (any TimerTarget)? {
    guard timer.index >= 0, timer.index < nodeCount else { return nil }
    let node = nodes + Int(timer.index)
    guard node.pointee.generation == timer.generation, node.pointee.slot >= 0 else { return nil }
    unlink(timer.index)
    return release(timer.index)
  }

  /// Takes all timers back, and returns their targets: what their end sets off may come back to the wheel.
  mutating func removeAll() -> [any TimerTarget] {
    (0..<nodeCount).compactMap { index in
      guard nodes[Int(index)].slot >= 0 else { return nil }
      unlink(index)
      return release(index)
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
    let node = nodes + Int(index)
    let deadline = node.pointee.deadline
    let difference = deadline ^ time
    let level = difference == 0 ? 0 : (63 - difference.leadingZeroBitCount) / 6
    let slot = level * 64 + Int(deadline >> UInt64(level * 6) & 63)
    let last = slots[slot].last
    node.pointee.slot = Int32(slot)
    node.pointee.previous = last
    node.pointee.next = Self.none
    if last == Self.none { slots[slot].first = index } else { nodes[Int(last)].next = index }
    slots[slot].last = index
    occupied[level] |= 1 << UInt64(slot & 63)
    occupiedLevels |= 1 << UInt32(level)
  }

  private mutating func unlink(_ index: Int32) {
    let node = nodes + Int(index)
    let (slot, previous, next) = (Int(node.pointee.slot), node.pointee.previous, node.pointee.next)
    if previous == Self.none { slots[slot].first = next } else { nodes[Int(previous)].next = next }
    if next == Self.none { slots[slot].last = previous } else { nodes[Int(next)].previous = previous }
    if slots[slot].first == Self.none { vacate(slot) }
  }

  @discardableResult
  private mutating func release(_ index: Int32) -> (any TimerTarget)? {
    let node = nodes + Int(index)
    node.pointee.slot = -1
    node.pointee.generation &+= 1
    node.pointee.next = firstFree
    firstFree = index
    count -= 1
    return node.pointee.target.take()
  }
}
