import CLinux

/// The driver over epoll: level-triggered, writes tried at once, EPOLLOUT asked for only while blocked.
package final class EpollDriver: Driver {
  struct Slot: DriverSlot {
    var fd: Int32 = -1
    var generation: UInt32 = 0
    /// The events epoll watches for; nil while the descriptor is not in epoll.
    var events: UInt32?
    var kind = RegistrationKind.free
    var target: Unmanaged<IOTarget>?
  }

  static let receiveBufferByteCount = 512 * 1024
  static let eventCount = 512
  /// Accepts a listener makes in one turn, so that a flood of new connections leaves room for the others.
  static let acceptBatch = 64
  /// So many of them however long the turn has lasted.
  static let leastAcceptBatch = 4

  let epoll: Int32
  let wakeDescriptor: Int32
  let events: UnsafeMutablePointer<epoll_event>
  /// The events that the last turn had no time for.
  private var waiting = 0..<0
  let receiveBuffer: UnsafeMutableRawBufferPointer
  var table = SlotTable<Slot>()
  var slots: UnsafeMutablePointer<Slot> { table.slots }

  package override init() {
    epoll = clinux_epoll_create()
    wakeDescriptor = clinux_eventfd()
    precondition(epoll >= 0 && wakeDescriptor >= 0, "The system gave no descriptor for an event loop.")
    events = .allocate(capacity: Self.eventCount)
    receiveBuffer = .allocate(byteCount: Self.receiveBufferByteCount, alignment: 64)
    super.init()
    // Edge-triggered: each wake is seen once and the counter need not be read.
    let status = clinux_epoll_ctl(
      epoll, EPOLL_CTL_ADD, wakeDescriptor, clinux_EPOLLIN | clinux_EPOLLET, RegistrationID.none.bits)
    precondition(status == 0, "epoll refused an eventfd.")
  }

  deinit {
    clinux_close(wakeDescriptor)
    clinux_close(epoll)
    events.deallocate()
    receiveBuffer.deallocate()
  }

  override func currentMilliseconds() -> UInt64 { clinux_monotonic_ms() }

  override func wake() { clinux_eventfd_add(wakeDescriptor) }

  override func wait(until deadline: UInt64?, at time: UInt64) {
    guard waiting.isEmpty else { return handleWaiting() }
    let timeout = deadline.map { Int32(clamping: $0.subtractingOrZero(time)) } ?? -1
    let count = clinux_epoll_wait(epoll, events, Int32(Self.eventCount), timeout)
    updateTime()
    guard count > 0 else { return }
    if count > HandlingTime.checkInterval { return handleEvents(0..<Int(count)) }
    for index in 0..<Int(count) { handleEvent(index) }
  }

  private func handleWaiting() {
    updateTime()
    handleEvents(waiting)
  }

  /// Hands out events; when that has taken long, the others wait for the next turn, so that what is to be written, timers and
  /// the mailbox do not wait for all of them.
  private func handleEvents(_ range: Range<Int>) {
    waiting = 0..<0
    let isCrowd = table.count >= Self.crowdCount
    var time = HandlingTime()
    for index in range {
      if time.isOver { return waiting = index..<range.upperBound }
      if isCrowd { prefetch(behind: index, end: range.upperBound) }
      handleEvent(index)
      time.count(loop)
    }
  }

  private func handleEvent(_ index: Int) {
    handle(RegistrationID(bits: clinux_event_data(events + index)), clinux_event_flags(events + index))
  }

  private func handle(_ id: RegistrationID, _ flags: UInt32) {
    // Stale: closed earlier in this batch, its slot perhaps in use again. The wake descriptor ends here, too.
    guard isRegistered(id) else { return }
    switch slots[Int(id.index)].kind {
    case .free: break
    case .listener: accept(id)
    case .connecting: completeConnect(id)
    case .stream: handleStream(id, flags)
    }
  }

  // MARK: registrations

  package override func isRegistered(_ id: RegistrationID) -> Bool { table.contains(id) }

  /// Frees the slot; its descriptor is the caller's.
  private func forget(_ id: RegistrationID) -> Int32 {
    let (fd, target) = table.remove(id)
    if let target { loop.keepUntilEndOfTurn(target) }
    return fd
  }

  /// Makes epoll watch for `events`, for errors only if 0, not at all if nil.
  func watch(_ id: RegistrationID, _ events: UInt32?) {
    let index = Int(id.index)
    let old = slots[index].events
    guard old != events else { return }
    slots[index].events = events
    let operation = events == nil ? EPOLL_CTL_DEL : old == nil ? EPOLL_CTL_ADD : EPOLL_CTL_MOD
    let status = clinux_epoll_ctl(epoll, operation, slots[index].fd, events ?? 0, id.bits)
    // Only memory and the watch limit can be short here; a connection that cannot be watched is lost.
    if status < 0, let target = slots[index].target {
      slots[index].events = nil
      loop.execute(Failure(driver: self, id: id, target: target.takeUnretainedValue(), error: -status).report)
    }
  }

  package override func setTarget(_ target: IOTarget, of id: RegistrationID) {
    guard isRegistered(id), let last = table.replaceTarget(of: id, by: target) else { return }
    loop.keepUntilEndOfTurn(last)
  }

  package override func localAddress(of id: RegistrationID) -> SocketAddress? {
    isRegistered(id) ? localAddress(of: slots[Int(id.index)].fd) : nil
  }

  package override func close(_ id: RegistrationID, reset: Bool) {
    guard isRegistered(id) else { return }
    let fd = forget(id)
    if reset { clinux_reset_on_close(fd) }
    clinux_close(fd)
    if !starvedListeners.isEmpty { endStarvation() }
  }

  // MARK: listeners and streams

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

  package override func detach(_ id: RegistrationID) -> DetachedSocket? {
    guard isRegistered(id) else { return nil }
    watch(id, nil)
    return DetachedSocket(fd: forget(id))
  }

  package override func attach(_ socket: DetachedSocket) -> RegistrationID {
    table.insert(socket.takeDescriptor(), .stream, target: nil)
  }

  package override func resumeAccepting(_ id: RegistrationID) {
    if isRegistered(id) { watch(id, clinux_EPOLLIN) }
  }

  package override func pauseAccepting(_ id: RegistrationID) {
    if isRegistered(id) { watch(id, nil) }
  }

  package override func connect(
    to address: SocketAddress, from source: SocketAddress?, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    let id = table.insert(try startConnecting(to: address, from: source), .connecting, target: target)
    watch(id, clinux_EPOLLOUT)
    return id
  }

  package override func resumeReceiving(_ id: RegistrationID) {
    guard isRegistered(id) else { return }
    watch(id, (slots[Int(id.index)].events ?? 0) | clinux_EPOLLIN)
  }

  package override func pauseReceiving(_ id: RegistrationID) {
    guard isRegistered(id), let events = slots[Int(id.index)].events else { return }
    watch(id, events & ~clinux_EPOLLIN)
  }

  package override func write(_ bytes: UnsafeRawBufferPointer, to id: RegistrationID) -> WriteResult {
    guard isRegistered(id) else { return .failed(EBADF) }
    let count = clinux_send(slots[Int(id.index)].fd, bytes.baseAddress, bytes.count)
    return wrote(count, of: bytes.count, id)
  }

  package override func write(
    _ pieces: UnsafeMutableBufferPointer<iovec>, to id: RegistrationID
  ) -> WriteResult {
    guard isRegistered(id) else { return .failed(EBADF) }
    var total = 0
    for piece in pieces { total += piece.iov_len }
    let count = clinux_send_vector(slots[Int(id.index)].fd, pieces.baseAddress, pieces.count)
    return wrote(count, of: total, id)
  }

  package override func shutdownWrite(_ id: RegistrationID) {
    if isRegistered(id) { _ = clinux_shutdown_write(slots[Int(id.index)].fd) }
  }

  override func stopAll() {
    for id in table.all {
      let target = slots[Int(id.index)].target?.takeUnretainedValue()
      close(id, reset: false)
      target?.loopStopped()
    }
  }
}

/// A failure found where the target cannot be called; it is reported by a job of its own.
private struct Failure: @unchecked Sendable {
  let driver: EpollDriver
  let id: RegistrationID
  let target: IOTarget
  let error: Int32

  @Sendable func report() {
    if driver.isRegistered(id) { target.failed(error) }
  }
}

extension UInt64 {
  func subtractingOrZero(_ other: UInt64) -> UInt64 { self > other ? self - other : 0 }
}
