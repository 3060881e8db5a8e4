import Bytes
import CLinux

/// The driver over io_uring: accepts and receives that go on by themselves, sends collected and submitted together
/// with the wait of the loop's next turn, so that a turn is one system call.
///
/// A send never waits in the kernel (MSG_DONTWAIT) and tells only what is less than success. So it is done when its
/// request has been submitted: what it points to is needed no longer, and a connection that takes nothing is known
/// before anything else happens. Each connection has at most one send among those not submitted.
package final class IOUringDriver: Driver {
  /// Room for a fan-out to two thousand in one system call.
  package static let requestCount: UInt32 = 2_048
  package static let completionCount: UInt32 = 4_096
  /// Writes of this many bytes or more are not worth a copy: they go by a system call of their own.
  static let copiedByteCount = 4_096
  /// Shared bytes need no copy unless the peer takes less than all.
  static let keptByteCount = 16_384
  static let indexBits: UInt64 = 28

  var ring: IORing
  var buffers: ReceiveBuffers
  var sends = SendMemory()
  /// Made with the first connection that brings much at a time.
  var bulkBuffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// Counts submissions, so that a slot knows whether its send is still to come.
  var submission: UInt32 = 1
  var sendCount = 0
  /// Up to here completions have been searched for failed sends.
  var searchedEnd: UInt32 = 0
  var backlogSearched = 0
  var isSettling = false
  /// Completions taken off the ring to make room.
  var backlog: [clinux_completion] = []
  var backlogHead = 0
  /// Registrations whose receive ended for want of buffers, or has bytes to deliver that came during a pause.
  var waiting: [RegistrationID] = []
  var waitingBefore: [RegistrationID] = []
  /// What arrived while receiving was paused, by slot.
  var held: [UInt32: HeldInput] = [:]
  var armedCount = 0
  var isEnabled = false
  let wakeDescriptor: Int32
  var table = SlotTable<Slot>()
  var slots: UnsafeMutablePointer<Slot> { table.slots }

  /// - Throws: what the kernel says where it has no io_uring, not all that is needed (Linux 6.1), or forbids it.
  package static func make(
    requests: UInt32 = requestCount, completions: UInt32 = completionCount
  ) throws(IOError) -> IOUringDriver {
    let ring = try IORing(requests: requests, completions: completions)
    let buffers = try ReceiveBuffers(for: ring.fd)
    return IOUringDriver(ring, buffers)
  }

  private init(_ ring: consuming IORing, _ buffers: consuming ReceiveBuffers) {
    self.ring = ring
    self.buffers = buffers
    wakeDescriptor = clinux_eventfd()
    precondition(wakeDescriptor >= 0, "The system gave no descriptor for an event loop.")
    super.init()
  }

  deinit {
    clinux_close(wakeDescriptor)
    bulkBuffer.deallocate()
  }

  override func currentMilliseconds() -> UInt64 { clinux_monotonic_ms() }

  override func wake() { clinux_eventfd_add(wakeDescriptor) }

  override func wait(until deadline: UInt64?, at time: UInt64) { completeTurn(until: deadline, at: time) }

  // MARK: registrations

  package override func isRegistered(_ id: RegistrationID) -> Bool { table.contains(id) }

  package override func setTarget(_ target: IOTarget, of id: RegistrationID) {
    guard isRegistered(id), let last = table.replaceTarget(of: id, by: target) else { return }
    loop.keepUntilEndOfTurn(last)
  }

  package override func localAddress(of id: RegistrationID) -> SocketAddress? {
    isRegistered(id) ? localAddress(of: slots[Int(id.index)].fd) : nil
  }

  package override func close(_ id: RegistrationID, reset: Bool) {
    settle(id)
    guard isRegistered(id) else { return }
    let isAccepting = slots[Int(id.index)].armed.contains(.accept)
    let fd = forget(id)
    if reset { clinux_reset_on_close(fd) }
    clinux_close(fd)
    // The kernel holds the socket until its requests have ended; a port must be free when its listener is closed.
    if isAccepting { submit(finishing: true) }
    if !starvedListeners.isEmpty { endStarvation() }
  }

  package override func detach(_ id: RegistrationID) -> DetachedSocket? {
    settle(id)
    return isRegistered(id) ? DetachedSocket(fd: forget(id)) : nil
  }

  package override func attach(_ socket: DetachedSocket) -> RegistrationID {
    table.insert(socket.takeDescriptor(), .stream, target: nil)
  }

  // MARK: listeners and connects

  package override func listen(
    on address: SocketAddress, _ settings: ListenSettings, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    table.insert(try makeListener(on: address, settings), .listener, target: target)
  }

  package override func adoptListener(
    _ descriptor: Int32, _ settings: ListenSettings, target: IOTarget
  ) -> RegistrationID {
    prepareAdopted(descriptor, settings)
    return table.insert(descriptor, .listener, target: target)
  }

  package override func resumeAccepting(_ id: RegistrationID) {
    guard isRegistered(id) else { return }
    slots[Int(id.index)].isReading = true
    arm(.accept, id)
  }

  package override func pauseAccepting(_ id: RegistrationID) {
    guard isRegistered(id) else { return }
    slots[Int(id.index)].isReading = false
    guard slots[Int(id.index)].armed.contains(.accept) else { return }
    cancel(.accept, id)
    submit(finishing: true)
  }

  package override func connect(
    to address: SocketAddress, from source: SocketAddress?, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    let id = table.insert(try startConnecting(to: address, from: source), .connecting, target: target)
    arm(.writable, id)
    return id
  }

  // MARK: streams

  package override func resumeReceiving(_ id: RegistrationID) {
    if isRegistered(id) { startReceiving(id) }
  }

  package override func pauseReceiving(_ id: RegistrationID) {
    if isRegistered(id) { stopReceiving(id) }
  }

  package override func write(_ bytes: UnsafeRawBufferPointer, to id: RegistrationID) -> WriteResult {
    if let result = prepareToSend(id) { return result }
    guard bytes.count < Self.copiedByteCount, let copy = copyForSend(bytes) else {
      let count = clinux_send(slots[Int(id.index)].fd, bytes.baseAddress, bytes.count)
      return wrote(count, of: bytes.count, id)
    }
    return queueSend(copy, bytes.count, id)
  }

  package override func write(_ bytes: SharedBytes, to id: RegistrationID) -> WriteResult {
    guard bytes.count < Self.keptByteCount else { return bytes.withUnsafeBytes { write($0, to: id) } }
    if let result = prepareToSend(id) { return result }
    sends.keep(bytes)
    return bytes.withUnsafeBytes { bytes in
      guard let start = bytes.baseAddress else { return .wrote(0) }
      return queueSend(start, bytes.count, id)
    }
  }

  package override func write(
    _ pieces: UnsafeMutableBufferPointer<iovec>, to id: RegistrationID
  ) -> WriteResult {
    if let result = prepareToSend(id) { return result }
    var total = 0
    for piece in pieces { total += piece.iov_len }
    guard total < Self.copiedByteCount, let copy = copyForSend(pieces, count: total) else {
      let count = clinux_send_vector(slots[Int(id.index)].fd, pieces.baseAddress, pieces.count)
      return wrote(count, of: total, id)
    }
    return queueSend(copy, total, id)
  }

  package override func settle(_ id: RegistrationID) {
    if isRegistered(id), hasUnsubmittedSend(Int(id.index)) { submit() }
  }

  override func submitWrites() {
    if sendCount > 0 { submit() }
  }

  package override func unsettledByteCount(of id: RegistrationID) -> Int {
    guard isRegistered(id), hasUnsubmittedSend(Int(id.index)) else { return 0 }
    return Int(slots[Int(id.index)].sendCount)
  }

  package override func shutdownWrite(_ id: RegistrationID) {
    settle(id)
    if isRegistered(id) { _ = clinux_shutdown_write(slots[Int(id.index)].fd) }
  }

  override func stopAll() {
    for id in table.all {
      let target = target(id)
      close(id, reset: false)
      target?.loopStopped()
    }
    finish()
  }
}
