import Bytes
import CLinux

/// Names one registration of a driver: an index, and a generation that makes a name of the past harmless.
public struct RegistrationID: Sendable, Hashable {
  package let index: UInt32
  package let generation: UInt32

  package init(index: UInt32, generation: UInt32) {
    self.index = index
    self.generation = generation
  }

  init(bits: UInt64) {
    self.init(index: UInt32(truncatingIfNeeded: bits), generation: UInt32(truncatingIfNeeded: bits >> 32))
  }

  var bits: UInt64 { UInt64(generation) << 32 | UInt64(index) }

  /// Names nothing: every driver ignores it.
  package static var none: RegistrationID { RegistrationID(index: .max, generation: .max) }
}

/// What a driver tells the owner of a registration. All calls come on the loop.
open class IOTarget {
  /// Makes a target that ignores everything.
  public init() {}

  /// A listener's new connection: registered, not yet receiving, and without a target.
  open func accepted(_ id: RegistrationID, from peer: SocketAddress) {}
  /// Accepting failed with `error` (errno). For EMFILE and its like the driver has paused and will try again.
  open func acceptFailed(_ error: Int32) {}
  /// A connect has ended: 0, or an errno.
  open func connectCompleted(_ error: Int32) {}
  /// Bytes arrived. They are the loop's one receive buffer, lent until the call returns.
  open func received(_ bytes: UnsafeMutableRawBufferPointer) {}
  /// The peer will send no more.
  open func receivedEnd() {}
  /// The connection is broken: errno. Nothing else will come.
  open func failed(_ error: Int32) {}
  /// A write that was short or pending can go on; `count` bytes of it have been taken meanwhile.
  open func writeCompleted(_ count: Int) {}
  /// The last of the bytes that a write was said to have taken could not leave: they go first when the connection can
  /// be written to again, of which `writeCompleted` tells. They are lent until the call returns, in which nothing may be
  /// written.
  open func writeReturned(_ bytes: UnsafeRawBufferPointer) {}
  /// The loop is being shut down; the registration is gone after this call.
  open func loopStopped() {}
  /// Something will be reported soon: brings what is `depth` references away from here into the processor's caches. At 1 it
  /// is what this object refers to, at 2 what that refers to.
  open func prefetch(depth: Int) {}
}

/// What became of a write.
package enum WriteResult: Equatable {
  /// This many bytes were taken. If it is fewer than were offered, `writeCompleted` follows when there is room.
  case wrote(Int)
  /// None were taken yet; `writeCompleted` follows.
  case pending
  /// The connection is broken: errno.
  case failed(Int32)
}

/// An errno from a driver's call.
package struct IOError: Error, Equatable {
  package let errno: Int32

  package init(errno: Int32) { self.errno = errno }
}

/// What connects an event loop with its sockets. Completion-shaped: calls start things, `IOTarget` hears the end.
///
/// Everything is called on the loop, except `wake`. An id that is stale is ignored. Not a protocol, so that the hot
/// path makes plain virtual calls.
package class Driver {
  /// The loop that this driver serves; set by the loop.
  final var loop: EventLoop {
    get { loopReference.takeUnretainedValue() }
    set { loopReference = .passUnretained(newValue) }
  }
  private final var loopReference: Unmanaged<EventLoop>!

  /// Reads the loop's clock, when a wait has ended. The loop holds the driver: each turn counts one reference less.
  final func updateTime() {
    loopReference._withUnsafeGuaranteedRef { $0.updateTime() }
  }

  /// Accepts that failed because descriptors or memory ran out (EMFILE, ENFILE, ENOBUFS, ENOMEM).
  package final var acceptsRefusedCount: UInt64 = 0
  final var starvedListeners: [RegistrationID] = []
  final var starvationTimer = TimerID.none

  init() {}

  /// Binds and listens; accepting starts with `resumeAccepting`.
  package func listen(
    on address: SocketAddress, _ settings: ListenSettings, target: IOTarget
  ) throws(IOError) -> RegistrationID { fatalError("abstract") }
  /// Takes a socket that listens already; accepting starts with `resumeAccepting`.
  package func adoptListener(
    _ descriptor: Int32, _ settings: ListenSettings, target: IOTarget
  ) -> RegistrationID { fatalError("abstract") }
  package func resumeAccepting(_ id: RegistrationID) { fatalError("abstract") }
  package func pauseAccepting(_ id: RegistrationID) { fatalError("abstract") }
  /// Starts to connect, from an address of this machine if there is one; `connectCompleted` follows unless it throws.
  package func connect(
    to address: SocketAddress, from source: SocketAddress?, target: IOTarget
  ) throws(IOError) -> RegistrationID { fatalError("abstract") }
  final func connect(to address: SocketAddress, target: IOTarget) throws(IOError) -> RegistrationID {
    try connect(to: address, from: nil, target: target)
  }
  /// The address of our end, or nil for a stale id.
  package func localAddress(of id: RegistrationID) -> SocketAddress? { fatalError("abstract") }
  /// Takes a connection off this loop, just after it was accepted; nil for a stale id.
  package func detach(_ id: RegistrationID) -> DetachedSocket? { fatalError("abstract") }
  /// Puts it on this loop: registered, not yet receiving, and without a target.
  package func attach(_ socket: DetachedSocket) -> RegistrationID { fatalError("abstract") }
  /// Two sockets that are connected with each other.
  package func makePair() throws(IOError) -> (DetachedSocket, DetachedSocket) {
    var ends: (Int32, Int32) = (-1, -1)
    let status = withUnsafeMutableBytes(of: &ends) {
      clinux_socket_pair($0.assumingMemoryBound(to: Int32.self).baseAddress)
    }
    guard status >= 0 else { throw IOError(errno: -status) }
    return (DetachedSocket(fd: ends.0), DetachedSocket(fd: ends.1))
  }
  package func setTarget(_ target: IOTarget, of id: RegistrationID) { fatalError("abstract") }
  /// Whether the id names a registration that is still there.
  package func isRegistered(_ id: RegistrationID) -> Bool { fatalError("abstract") }
  package func resumeReceiving(_ id: RegistrationID) { fatalError("abstract") }
  package func pauseReceiving(_ id: RegistrationID) { fatalError("abstract") }
  /// Offers bytes; the memory may be reused when the call returns.
  package func write(_ bytes: UnsafeRawBufferPointer, to id: RegistrationID) -> WriteResult {
    fatalError("abstract")
  }
  /// Offers several pieces, at most 1,024, in order.
  package func write(_ pieces: UnsafeMutableBufferPointer<iovec>, to id: RegistrationID) -> WriteResult {
    fatalError("abstract")
  }
  /// Offers bytes that a reference keeps.
  package func write(_ bytes: SharedBytes, to id: RegistrationID) -> WriteResult {
    bytes.withUnsafeBytes { write($0, to: id) }
  }
  /// A driver may collect writes until the loop's next turn. After this call all that was taken has left, or has come
  /// back by `writeReturned`.
  package func settle(_ id: RegistrationID) {}
  /// Hands to the kernel what writes have collected.
  func submitWrites() {}
  /// How many of the bytes taken may still come back.
  package func unsettledByteCount(of id: RegistrationID) -> Int { 0 }
  package func shutdownWrite(_ id: RegistrationID) { fatalError("abstract") }
  /// Forgets the registration and closes its socket; with `reset` the peer sees ECONNRESET.
  package func close(_ id: RegistrationID, reset: Bool) { fatalError("abstract") }

  /// Hands out completions; waits for the first until `deadline` (ms), for ever if nil, not at all if it has passed.
  /// `time` is what the clock says now.
  func wait(until deadline: UInt64?, at time: UInt64) { fatalError("abstract") }
  /// Ends a wait, from any thread.
  func wake() { fatalError("abstract") }
  func currentMilliseconds() -> UInt64 { fatalError("abstract") }
  /// Tells all targets that the loop stops, and closes everything.
  func stopAll() { fatalError("abstract") }
}

/// How long a listener that ran out of descriptors waits before it tries again.
let starvationRetryMilliseconds: UInt64 = 100

extension Driver: TimerTarget {
  static func isStarvation(_ error: Int32) -> Bool {
    error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM
  }

  /// Stops accepting until a descriptor is closed here or some time has passed: never spins on a full table.
  final func starve(_ listener: RegistrationID) {
    acceptsRefusedCount &+= 1
    pauseAccepting(listener)
    if !starvedListeners.contains(listener) { starvedListeners.append(listener) }
    if starvedListeners.count == 1 {
      starvationTimer = loop.schedule(after: starvationRetryMilliseconds, self, token: 0)
    }
  }

  /// Lets starved listeners try again.
  final func endStarvation() {
    let listeners = starvedListeners
    starvedListeners.removeAll()
    loop.cancel(starvationTimer)
    for listener in listeners { resumeAccepting(listener) }
  }

  package func timerFired(_ token: UInt64) { endStarvation() }
}

extension EventLoop {
  /// As the driver's. Who is not of this module and asks the driver itself counts a reference for each message.
  package func write(_ bytes: UnsafeRawBufferPointer, to id: RegistrationID) -> WriteResult {
    driver.write(bytes, to: id)
  }

  /// As the driver's.
  package func write(_ bytes: SharedBytes, to id: RegistrationID) -> WriteResult {
    driver.write(bytes, to: id)
  }
}
