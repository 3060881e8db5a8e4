import CLinux

/// The driver over epoll: level-triggered, writes tried at once, EPOLLOUT asked for only while blocked.
package final class EpollDriver: Driver {
  enum Kind {
    case free
    case listener
    case connecting
    case stream
  }

  struct Slot {
    var fd: Int32 = -1
    var generation: UInt32 = 0
    /// The events epoll watches for; nil while the descriptor is not in epoll.
    var events: UInt32?
    var kind = Kind.free
    /// Who hears of events. Let go of at the end of a turn, so that an event can be delivered without counting references.
    var target: Unmanaged<IOTarget>?
  }

  static let receiveBufferByteCount = 512 * 1024
  static let eventCount = 512
  /// Accepts a listener makes in one turn, so that a flood of new connections leaves room for the others.
  static let acceptBatch = 64

  let epoll: Int32
  let wakeDescriptor: Int32
  let events: UnsafeMutablePointer<epoll_event>
  let receiveBuffer: UnsafeMutableRawBufferPointer
  /// By index; plain memory, because every event and every write looks here.
  private(set) var slots: UnsafeMutablePointer<Slot>
  private var slotCapacity = 64
  private(set) var slotCount = 0
  var freeSlots: [UInt32] = []

  package override init() {
    epoll = clinux_epoll_create()
    wakeDescriptor = clinux_eventfd()
    precondition(epoll >= 0 && wakeDescriptor >= 0, "The system gave no descriptor for an event loop.")
    events = .allocate(capacity: Self.eventCount)
    receiveBuffer = .allocate(byteCount: Self.receiveBufferByteCount, alignment: 64)
    slots = .allocate(capacity: slotCapacity)
    super.init()
    // Edge-triggered: each wake is seen once and the counter need not be read.
    let status = clinux_epoll_ctl(
      epoll, EPOLL_CTL_ADD, wakeDescriptor, clinux_EPOLLIN | clinux_EPOLLET, RegistrationID.none.bits)
    precondition(status == 0, "epoll refused an eventfd.")
  }

  deinit {
    for index in 0..<slotCount {
      if slots[index].fd >= 0 { clinux_close(slots[index].fd) }
      slots[index].target?.release()
    }
    slots.deallocate()
    clinux_close(wakeDescriptor)
    clinux_close(epoll)
    events.deallocate()
    receiveBuffer.deallocate()
  }

  override func currentMilliseconds() -> UInt64 { clinux_monotonic_ms() }

  override func wake() { clinux_eventfd_add(wakeDescriptor) }

  override func wait(until deadline: UInt64?) {
    let timeout: Int32
    if let deadline {
      timeout = deadline == 0 ? 0 : Int32(clamping: deadline.subtractingOrZero(currentMilliseconds()))
    } else {
      timeout = -1
    }
    let count = clinux_epoll_wait(epoll, events, Int32(Self.eventCount), timeout)
    loop.updateTime()
    guard count > 0 else { return }
    for index in 0..<Int(count) {
      handle(RegistrationID(bits: clinux_event_data(events + index)), clinux_event_flags(events + index))
    }
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

  package override func isRegistered(_ id: RegistrationID) -> Bool {
    let index = Int(id.index)
    return index < slotCount && slots[index].generation == id.generation && slots[index].kind != .free
  }

  func register(_ fd: Int32, _ kind: Kind, target: IOTarget?) -> RegistrationID {
    let index: UInt32
    if let free = freeSlots.popLast() {
      index = free
    } else {
      if slotCount == slotCapacity { growSlots() }
      index = UInt32(slotCount)
      (slots + slotCount).initialize(to: Slot())
      slotCount += 1
    }
    slots[Int(index)].fd = fd
    slots[Int(index)].kind = kind
    slots[Int(index)].target = target.map(Unmanaged.passRetained)
    return RegistrationID(index: index, generation: slots[Int(index)].generation)
  }

  private func growSlots() {
    let larger = UnsafeMutablePointer<Slot>.allocate(capacity: slotCapacity * 2)
    larger.moveInitialize(from: slots, count: slotCount)
    slots.deallocate()
    slots = larger
    slotCapacity *= 2
  }

  /// Empties a slot for the next registration.
  private func free(_ index: Int) {
    releaseTarget(index)
    slots[index] = Slot(generation: slots[index].generation &+ 1)
    freeSlots.append(UInt32(index))
  }

  private func releaseTarget(_ index: Int) {
    guard let target = slots[index].target else { return }
    slots[index].target = nil
    loop.keepUntilEndOfTurn(target.takeRetainedValue())
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
    guard isRegistered(id) else { return }
    releaseTarget(Int(id.index))
    slots[Int(id.index)].target = .passRetained(target)
  }

  package override func localAddress(of id: RegistrationID) -> SocketAddress? {
    guard isRegistered(id) else { return nil }
    var storage = sockaddr_storage()
    var count: UInt32 = 0
    guard clinux_local_name(slots[Int(id.index)].fd, &storage, &count) == 0 else { return nil }
    return withUnsafeBytes(of: &storage) {
      SocketAddress(UnsafeRawBufferPointer(rebasing: $0.prefix(Int(count))))
    }
  }

  package override func close(_ id: RegistrationID, reset: Bool) {
    guard isRegistered(id) else { return }
    let index = Int(id.index)
    let fd = slots[index].fd
    free(index)
    if reset { clinux_reset_on_close(fd) }
    clinux_close(fd)
    if !starvedListeners.isEmpty { endStarvation() }
  }

  // MARK: listeners and streams

  package override func listen(
    on address: SocketAddress, _ settings: ListenSettings, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    register(try makeListener(on: address, settings), .listener, target: target)
  }

  package override func adoptListener(
    _ descriptor: Int32, _ settings: ListenSettings, target: IOTarget
  ) -> RegistrationID {
    prepareAdopted(descriptor, settings)
    return register(descriptor, .listener, target: target)
  }

  package override func detach(_ id: RegistrationID) -> DetachedSocket? {
    guard isRegistered(id) else { return nil }
    watch(id, nil)
    let index = Int(id.index)
    let socket = DetachedSocket(fd: slots[index].fd)
    free(index)
    return socket
  }

  package override func attach(_ socket: DetachedSocket) -> RegistrationID {
    register(socket.takeDescriptor(), .stream, target: nil)
  }

  package override func resumeAccepting(_ id: RegistrationID) {
    if isRegistered(id) { watch(id, clinux_EPOLLIN) }
  }

  package override func pauseAccepting(_ id: RegistrationID) {
    if isRegistered(id) { watch(id, nil) }
  }

  package override func connect(
    to address: SocketAddress, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    let id = register(try startConnecting(to: address), .connecting, target: target)
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
    for index in 0..<slotCount where slots[index].kind != .free {
      let id = RegistrationID(index: UInt32(index), generation: slots[index].generation)
      let target = slots[index].target?.takeUnretainedValue()
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
