import CLinux

/// What the driver knows of each registration.
extension IOUringDriver {
  /// What a request asks for; with the registration it names the request.
  enum Operation: UInt64 {
    case none
    case wake
    case accept
    case receive
    /// Poll for something to read, again and again.
    case readable
    case send
    /// Poll for room to write, or for the end of a connect.
    case writable
    /// Poll for an error only.
    case failure
  }

  /// Those that the kernel keeps until they are done.
  private static let stayingOperations: [Operation] = [.accept, .receive, .readable, .writable, .failure]

  /// The requests of a registration that the kernel has.
  struct Armed: OptionSet {
    var rawValue: UInt8
    init(rawValue: UInt8) { self.rawValue = rawValue }
    init(_ operation: Operation) { rawValue = 1 << UInt8(truncatingIfNeeded: operation.rawValue) }
    static let accept = Armed(.accept)
    static let receive = Armed(.receive)
    static let readable = Armed(.readable)
    static let writable = Armed(.writable)
    static let failure = Armed(.failure)
  }

  struct Slot: DriverSlot {
    var fd: Int32 = -1
    var generation: UInt32 = 0
    var target: Unmanaged<IOTarget>?
    /// The send of the submission number `sendSubmission`.
    var sendStart: UnsafeRawPointer?
    var sendCount: UInt32 = 0
    var sendSubmission: UInt32 = 0
    var kind = RegistrationKind.free
    var armed: Armed = []
    /// Accepting, or receiving.
    var isReading = false
    /// The receive that is armed, or the poll in its place, has been cancelled.
    var isCancelling = false
    /// Read by system calls when a poll says so.
    var isBulk = false
    /// Receives in a row that were for the other way of reading.
    var otherCount: UInt8 = 0
    /// The peer's end has been told.
    var endReported = false
  }

  /// Frees the slot; its descriptor is the caller's.
  func forget(_ id: RegistrationID) -> Int32 {
    let index = Int(id.index)
    for operation in Self.stayingOperations
    where slots[index].armed.contains(Armed(operation)) {
      cancel(operation, id)
    }
    let (fd, target) = table.remove(id)
    if let target { loop.keepUntilEndOfTurn(target) }
    if !held.isEmpty { held[id.index] = nil }
    return fd
  }

  /// Who hears of a registration that is there; lives until the end of the turn.
  func target(_ id: RegistrationID) -> IOTarget? { slots[Int(id.index)].target?.takeUnretainedValue() }
}
