import CLinux

/// What a driver over the kernel keeps of each registration, beside what is its own.
protocol DriverSlot {
  init()
  var fd: Int32 { get set }
  var generation: UInt32 { get set }
  var kind: RegistrationKind { get set }
  /// Who hears of events. Let go of at the end of a turn, so that an event can be delivered without counting references.
  var target: Unmanaged<IOTarget>? { get set }
}

enum RegistrationKind {
  case free
  case listener
  case connecting
  case stream
}

/// The registrations of a driver by index, in plain memory, because every event and every write looks here.
struct SlotTable<Slot: DriverSlot>: ~Copyable {
  private(set) var slots: UnsafeMutablePointer<Slot>
  private(set) var count = 0
  private var capacity = 64
  private var freeSlots: [UInt32] = []

  init() { slots = .allocate(capacity: capacity) }

  deinit {
    for index in 0..<count {
      if slots[index].fd >= 0 { clinux_close(slots[index].fd) }
      slots[index].target?.release()
    }
    slots.deallocate()
  }

  func contains(_ id: RegistrationID) -> Bool {
    let index = Int(id.index)
    return index < count && slots[index].generation == id.generation && slots[index].kind != .free
  }

  /// The registrations that are there.
  var all: [RegistrationID] {
    (0..<count).compactMap { index in
      slots[index].kind == .free
        ? nil : RegistrationID(index: UInt32(index), generation: slots[index].generation)
    }
  }

  mutating func insert(_ fd: Int32, _ kind: RegistrationKind, target: IOTarget?) -> RegistrationID {
    let index: UInt32
    if let free = freeSlots.popLast() {
      index = free
    } else {
      if count == capacity { grow() }
      index = UInt32(count)
      (slots + count).initialize(to: Slot())
      count += 1
    }
    slots[Int(index)].fd = fd
    slots[Int(index)].kind = kind
    slots[Int(index)].target = target.map(Unmanaged.passRetained)
    return RegistrationID(index: index, generation: slots[Int(index)].generation)
  }

  /// Empties a slot for the next registration; what it held is the caller's.
  mutating func remove(_ id: RegistrationID) -> (fd: Int32, target: IOTarget?) {
    let slot = slots[Int(id.index)]
    slots[Int(id.index)] = Slot()
    slots[Int(id.index)].generation = slot.generation &+ 1
    freeSlots.append(id.index)
    return (slot.fd, slot.target?.takeRetainedValue())
  }

  /// Returns the one before, which is the caller's.
  func replaceTarget(of id: RegistrationID, by target: IOTarget) -> IOTarget? {
    let before = slots[Int(id.index)].target
    slots[Int(id.index)].target = .passRetained(target)
    return before?.takeRetainedValue()
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Slot>.allocate(capacity: capacity * 2)
    larger.moveInitialize(from: slots, count: count)
    slots.deallocate()
    slots = larger
    capacity *= 2
  }
}
