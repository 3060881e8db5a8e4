import CLinux

/// The driver of a simulated loop: completions come from a `SimulatedNetwork`, waiting never blocks.
package final class SimulatedDriver: Driver {
  private enum Kind {
    case free
    case listener(pending: [SimulatedSocket])
    case connecting(error: Int32?)
    case stream
  }

  private struct Slot {
    var generation: UInt32 = 0
    var kind = Kind.free
    var target: IOTarget?
    var socket: SimulatedSocket?
    var address = SocketAddress.unix("")
    /// Accepting, or receiving.
    var isReading = false
    var isBlocked = false
    var endReported = false
    var isBroken = false
  }

  private let network: SimulatedNetwork.State
  private var slots: [Slot] = []
  /// A driver that collects writes would hand them to the kernel now.
  package var onSubmitWrites: (() -> Void)?
  private let receiveBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 512 * 1024, alignment: 64)

  init(network: SimulatedNetwork.State) {
    self.network = network
    super.init()
  }

  deinit { receiveBuffer.deallocate() }

  override func currentMilliseconds() -> UInt64 { network.now }
  override func wake() {}
  override func submitWrites() { onSubmitWrites?() }

  override func wait(until deadline: UInt64?, at time: UInt64) {
    updateTime()
    for id in ids where isRegistered(id) && isReady(Int(id.index)) { handle(id) }
  }

  var isReady: Bool { slots.indices.contains { isReady($0) } }

  /// Registered and unregistered sockets that a test may script, newest last.
  package var sockets: [SimulatedSocket] { slots.compactMap(\.socket) }

  /// How many listeners, connections and connects under way there are.
  package var registrationCount: Int { ids.count { isRegistered($0) } }

  /// The socket behind an id.
  package func socket(of id: RegistrationID) -> SimulatedSocket? {
    isRegistered(id) ? slots[Int(id.index)].socket : nil
  }

  private var ids: [RegistrationID] {
    slots.indices.map { RegistrationID(index: UInt32($0), generation: slots[$0].generation) }
  }

  private func isReady(_ index: Int) -> Bool {
    let slot = slots[index]
    switch slot.kind {
    case .free: return false
    case .listener(let pending): return slot.isReading && !pending.isEmpty
    case .connecting(let error): return error != nil
    case .stream:
      guard let socket = slot.socket, !slot.isBroken else { return false }
      if socket.error != 0 || (slot.isBlocked && socket.writeWindow != 0) { return true }
      return slot.isReading && (!socket.inbox.isEmpty || (socket.endReceived && !slot.endReported))
    }
  }

  private func handle(_ id: RegistrationID) {
    let index = Int(id.index)
    switch slots[index].kind {
    case .free: break
    case .listener: accept(id)
    case .connecting(let error):
      if error == 0 { slots[index].kind = .stream } else { slots[index].kind = .connecting(error: nil) }
      slots[index].target?.connectCompleted(error ?? 0)
    case .stream: handleStream(id)
    }
  }

  private func accept(_ id: RegistrationID) {
    let index = Int(id.index)
    while isRegistered(id), slots[index].isReading, case .listener(var pending) = slots[index].kind,
      !pending.isEmpty
    {
      if !network.acceptErrors.isEmpty {
        let error = network.acceptErrors.removeFirst()
        starve(id)
        slots[index].target?.acceptFailed(error)
        return
      }
      let socket = pending.removeFirst()
      slots[index].kind = .listener(pending: pending)
      let target = slots[index].target
      let stream = register(.stream, target: nil, socket, address: slots[index].address)
      target?.accepted(stream, from: socket.other?.address ?? .unix(""))
    }
  }

  private func handleStream(_ id: RegistrationID) {
    let index = Int(id.index)
    guard let socket = slots[index].socket, let target = slots[index].target else { return }
    if socket.error != 0 {
      slots[index].isBroken = true
      return target.failed(socket.error)
    }
    if slots[index].isBlocked, socket.writeWindow != 0 {
      slots[index].isBlocked = false
      target.writeCompleted(0)
    }
    guard isRegistered(id), slots[index].isReading else { return }
    let limit =
      socket.inbox.isEmpty || socket.readSizes.isEmpty
      ? socket.readPieceByteCount : socket.readSizes.removeFirst()
    let count = min(max(1, limit), socket.inbox.count, receiveBuffer.count)
    if count > 0 {
      receiveBuffer.copyBytes(from: socket.inbox[..<count])
      socket.inbox.removeFirst(count)
      target.received(UnsafeMutableRawBufferPointer(rebasing: receiveBuffer[..<count]))
    } else if socket.endReceived, !slots[index].endReported {
      slots[index].endReported = true
      target.receivedEnd()
    }
  }

  // MARK: registrations

  private func register(
    _ kind: Kind, target: IOTarget?, _ socket: SimulatedSocket?, address: SocketAddress
  ) -> RegistrationID {
    let index = slots.firstIndex { if case .free = $0.kind { true } else { false } } ?? slots.count
    if index == slots.count { slots.append(Slot()) }
    slots[index] = Slot(
      generation: slots[index].generation, kind: kind, target: target, socket: socket, address: address)
    return RegistrationID(index: UInt32(index), generation: slots[index].generation)
  }

  func addPending(_ socket: SimulatedSocket, to id: RegistrationID) {
    guard isRegistered(id), case .listener(let pending) = slots[Int(id.index)].kind else { return }
    slots[Int(id.index)].kind = .listener(pending: pending + [socket])
  }

  package override func isRegistered(_ id: RegistrationID) -> Bool {
    let index = Int(id.index)
    guard index < slots.count, slots[index].generation == id.generation else { return false }
    if case .free = slots[index].kind { return false }
    return true
  }

  package override func setTarget(_ target: IOTarget, of id: RegistrationID) {
    if isRegistered(id) { slots[Int(id.index)].target = target }
  }

  package override func localAddress(of id: RegistrationID) -> SocketAddress? {
    isRegistered(id) ? slots[Int(id.index)].address : nil
  }

  package override func close(_ id: RegistrationID, reset: Bool) {
    guard isRegistered(id) else { return }
    let index = Int(id.index)
    if case .listener = slots[index].kind { network.listeners[slots[index].address] = nil }
    if let socket = slots[index].socket {
      if reset { socket.reset() } else { socket.end() }
    }
    slots[index] = Slot(generation: slots[index].generation &+ 1)
    if !starvedListeners.isEmpty { endStarvation() }
  }

  override func stopAll() {
    for id in ids where isRegistered(id) {
      let target = slots[Int(id.index)].target
      close(id, reset: false)
      target?.loopStopped()
    }
  }

  // MARK: listeners and streams

  package override func listen(
    on address: SocketAddress, _ settings: ListenSettings, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    let address = address.port == 0 ? address.with(port: network.nextPort()) : address
    guard network.listeners[address] == nil else { throw IOError(errno: EADDRINUSE) }
    let id = register(.listener(pending: []), target: target, nil, address: address)
    network.listeners[address] = (self, id)
    return id
  }

  package override func detach(_ id: RegistrationID) -> DetachedSocket? {
    guard isRegistered(id) else { return nil }
    let socket = slots[Int(id.index)].socket
    slots[Int(id.index)] = Slot(generation: slots[Int(id.index)].generation &+ 1)
    return DetachedSocket(simulated: socket)
  }

  package override func attach(_ socket: DetachedSocket) -> RegistrationID {
    let address = socket.simulated?.address ?? .unix("")
    return register(.stream, target: nil, socket.simulated, address: address)
  }

  package override func makePair() throws(IOError) -> (DetachedSocket, DetachedSocket) {
    let (near, far) = SimulatedSocket.pair(near: .unix(""), far: .unix(""))
    return (DetachedSocket(simulated: near), DetachedSocket(simulated: far))
  }

  package override func resumeAccepting(_ id: RegistrationID) { resumeReceiving(id) }
  package override func pauseAccepting(_ id: RegistrationID) { pauseReceiving(id) }

  package override func connect(
    to address: SocketAddress, from source: SocketAddress?, target: IOTarget
  ) throws(IOError) -> RegistrationID {
    if let source, source.family != address.family { throw IOError(errno: EAFNOSUPPORT) }
    let near = network.near(source)
    if let near = network.connect(to: address, from: near) {
      return register(.connecting(error: 0), target: target, near, address: near.address)
    }
    switch network.connectScripts[address] {
    case nil:
      return register(.connecting(error: ECONNREFUSED), target: target, nil, address: near)
    case .fails(let error):
      return register(.connecting(error: error), target: target, nil, address: near)
    case .silent:
      return register(.connecting(error: nil), target: target, nil, address: near)
    case .succeeds(let body):
      let (test, own) = SimulatedSocket.pair(near: address, far: near)
      body(test)
      return register(.connecting(error: 0), target: target, own, address: near)
    }
  }

  package override func resumeReceiving(_ id: RegistrationID) {
    if isRegistered(id) { slots[Int(id.index)].isReading = true }
  }

  package override func pauseReceiving(_ id: RegistrationID) {
    if isRegistered(id) { slots[Int(id.index)].isReading = false }
  }

  package override func write(_ bytes: UnsafeRawBufferPointer, to id: RegistrationID) -> WriteResult {
    guard let socket = socket(of: id) else { return .failed(EBADF) }
    if socket.nextWriteError != 0 {
      defer { socket.nextWriteError = 0 }
      return .failed(socket.nextWriteError)
    }
    if socket.error != 0 || socket.endSent || socket.other == nil { return .failed(EPIPE) }
    let count = socket.takeable(bytes.count)
    if count < bytes.count { slots[Int(id.index)].isBlocked = true }
    guard count > 0 else { return .pending }
    socket.writes.append(count)
    socket.send(bytes.prefix(count))
    return .wrote(count)
  }

  package override func write(
    _ pieces: UnsafeMutableBufferPointer<iovec>, to id: RegistrationID
  ) -> WriteResult {
    let bytes = pieces.flatMap { UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len) }
    return bytes.withUnsafeBytes { write($0, to: id) }
  }

  package override func shutdownWrite(_ id: RegistrationID) { socket(of: id)?.end() }
}
