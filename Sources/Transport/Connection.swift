import Bytes
import EventLoops

/// A connected byte stream (TCP or Unix) on one event loop.
///
/// It is Sendable so that it can be named from anywhere; all its members but `loop`, `id` and `peerAddress` are for its
/// loop's thread, which debug builds check. From elsewhere: `connection.loop.execute { connection.write(...) }`.
///
/// Writes are collected. What a handler writes inside `received` leaves in one system call when `received` returns;
/// everything else at the end of the loop's turn, one system call a connection. What the kernel does not take waits in
/// a queue bounded by `maximumQueuedBytes`. A connection that is idle owns no buffer.
public final class Connection: IOTarget, @unchecked Sendable {
  struct Flags: OptionSet {
    var rawValue: UInt16
    /// `received` is running: it flushes when it returns.
    static let isHandlingRead = Flags(rawValue: 1 << 0)
    /// The connection is on the loop's end-of-turn list.
    static let isScheduled = Flags(rawValue: 1 << 1)
    /// The kernel takes no more; `writeCompleted` will come.
    static let isBlocked = Flags(rawValue: 1 << 2)
    static let isReadingPaused = Flags(rawValue: 1 << 3)
    /// The peer has ended its side.
    static let endReceived = Flags(rawValue: 1 << 4)
    /// Nothing more may be written; our side ends when the queue is empty.
    static let isFinishing = Flags(rawValue: 1 << 5)
    /// Our side has ended.
    static let endSent = Flags(rawValue: 1 << 6)
    /// `close()` was called: what arrives is thrown away.
    static let isClosing = Flags(rawValue: 1 << 7)
    static let isClosed = Flags(rawValue: 1 << 8)
    static let closedReported = Flags(rawValue: 1 << 9)
    /// Reading starts when `connected` has returned.
    static let isStarted = Flags(rawValue: 1 << 10)
    /// TLS: the stream ended without a close_notify.
    static let isTruncated = Flags(rawValue: 1 << 11)
    /// The listener counts it under its client's address.
    static let isCountedByAddress = Flags(rawValue: 1 << 12)
    /// The kernel takes bytes again; the handler is told when what waits is written.
    static let isUnblocked = Flags(rawValue: 1 << 13)
  }

  /// The default of `maximumQueuedBytes`: 1 MiB.
  public static let defaultMaximumQueuedBytes = 1 << 20

  /// The loop the connection lives on, for all its life.
  public let loop: EventLoop
  /// The other end, or the client that a trusted proxy named by the PROXY protocol; empty Unix path if it has no name.
  public let peerAddress: SocketAddress
  package let id: RegistrationID

  /// Who hears what happens; may be replaced at any time. Nil once the connection is closed and that was reported.
  public var handler: ConnectionHandler? {
    get { handlerReference?.takeUnretainedValue() }
    set {
      // The old one may be running: whoever calls a handler does not count a reference for that.
      if let handlerReference { loop.keepUntilEndOfTurn(handlerReference.takeRetainedValue()) }
      handlerReference = newValue.map(Unmanaged.passRetained)
    }
  }

  /// How many bytes may wait, in bytes (default 1 MiB). A write that would leave more waiting, after the kernel has
  /// been offered what it can take, closes the connection with `outboundQueueOverflow`; the queue does not grow.
  /// Beyond 4 GiB there is no limit.
  public var maximumQueuedBytes: Int {
    get { queueLimit == .max ? .max : Int(queueLimit) }
    set { queueLimit = UInt32(clamping: newValue) }
  }

  private var handlerReference: Unmanaged<ConnectionHandler>?
  var outbound: OutboundQueue.Pointer?
  /// The one reference that was written this turn: fan-out needs no queue.
  var lone: SharedBytes?
  /// TLS; nil without.
  var tls: TLSSession?
  /// Bytes that were given to `write`, all told.
  package internal(set) var writtenByteCount: UInt64 = 0
  /// What few connections have; nil until there is something of it.
  private(set) var extras: ConnectionExtras?
  /// Where the connection is counted; nil where nothing is.
  var admission: ConnectionAdmission?
  private(set) var queueLimit = UInt32(Connection.defaultMaximumQueuedBytes)
  var flags: Flags = []

  init(
    loop: EventLoop, id: RegistrationID, peer: SocketAddress, handler: ConnectionHandler,
    proxy: SocketAddress? = nil
  ) {
    self.loop = loop
    self.id = id
    self.peerAddress = peer
    handlerReference = .passRetained(handler)
    super.init()
    if proxy != nil { makeExtras().proxy = proxy }
  }

  deinit {
    handlerReference?.release()
    if let outbound { OutboundQueue.destroy(outbound) }
  }

  public override func prefetch(depth: Int) {
    if depth == 1 {
      handlerReference?.prefetch()
    } else {
      handlerReference?._withUnsafeGuaranteedRef { $0.prefetch(depth: depth - 1) }
    }
  }

  /// The proxy that passes the connection on by the PROXY protocol, if there is one.
  public var proxyAddress: SocketAddress? { extras?.proxy }

  /// When its user began to end it, in the loop's milliseconds; for the user.
  package var endingSince: UInt64? {
    get { extras?.endingSince }
    set { makeExtras().endingSince = newValue }
  }

  func makeExtras() -> ConnectionExtras {
    if let extras { return extras }
    let made = ConnectionExtras()
    extras = made
    return made
  }

  /// What the connections of the loop share.
  var shared: LoopTransport { loop.transport }

  /// Our own end, asked of the system each time; nil once the connection is closed.
  public var localAddress: SocketAddress? {
    assert(loop.isCurrent)
    return loop.driver.localAddress(of: id)
  }

  /// Bytes written but not yet taken by the kernel; those that are encrypted already count as they are then.
  public var queuedByteCount: Int {
    if tls == nil, lone == nil { return outbound?.pointee.byteCount ?? 0 }
    return waitingByteCount + (tls?.queuedByteCount ?? 0)
  }

  /// How many of the bytes written may have left, encrypted ones included; stays as it is when the connection is closed.
  package var flushedByteCount: UInt64 {
    let missing = waitingByteCount + loop.driver.unsettledByteCount(of: id) + (extras?.lostByteCount ?? 0)
    return writtenByteCount &- UInt64(missing)
  }

  /// Bytes that wait as they were given to `write`.
  var waitingByteCount: Int { (outbound?.pointee.byteCount ?? 0) + (lone?.count ?? 0) }

  /// Whether the kernel has stopped taking bytes; `drained` will follow when the queue is empty again.
  public var isBlocked: Bool { flags.contains(.isBlocked) }

  /// Whether `write` still does something: not finished, not closing, not closed.
  public var isWritable: Bool { flags.isDisjoint(with: [.isFinishing, .isClosing, .isClosed]) }

  /// Whether the connection is closed (though `closed` may still be about to be called).
  public var isClosed: Bool { flags.contains(.isClosed) }

  /// Tells the handler, then starts to read.
  func start() {
    loop.driver.setTarget(self, of: id)
    handler?.connected(self)
    flags.insert(.isStarted)
    if flags.isDisjoint(with: [.isClosed, .isReadingPaused]) { loop.driver.resumeReceiving(id) }
  }

  // MARK: what the driver says

  /// For the driver.
  public override func received(_ bytes: UnsafeMutableRawBufferPointer) {
    guard flags.isDisjoint(with: [.isClosing, .isClosed]) else { return }
    if let tls { return receivedCiphertext(UnsafeRawBufferPointer(bytes), tls) }
    flags.insert(.isHandlingRead)
    handOut(bytes)
    flags.remove(.isHandlingRead)
    flush()
  }

  func handOut(_ bytes: UnsafeMutableRawBufferPointer) {
    handlerReference?._withUnsafeGuaranteedRef { $0.received(bytes, on: self) }
  }

  /// For the driver.
  public override func receivedEnd() {
    guard !flags.contains(.isClosed) else { return }
    if let tls, !flags.contains(.isClosing) { return receivedEndOfCiphertext(tls) }
    reportEnd()
  }

  func reportEnd() {
    flags.insert(.endReceived)
    if flags.contains(.endSent) { return terminate(.ended) }
    if !flags.contains(.isClosing) { handler?.receivedEnd(on: self) }
  }

  /// For the driver.
  public override func failed(_ error: Int32) {
    // After `close()` has delivered everything, how the peer takes its leave is of no interest.
    terminate(flags.contains(.isClosing) && flags.contains(.endSent) ? .ended : .failed(errno: error))
  }

  /// For the driver.
  public override func writeCompleted(_ count: Int) {
    guard !flags.contains(.isClosed) else { return }
    flags.remove(.isBlocked)
    if count > 0 { (tls == nil ? outbound : tls?.ciphertext)?.pointee.consume(count) }
    // With the others that write: thousands may be told at once.
    flags.insert(.isUnblocked)
    schedule()
  }

  /// For the driver.
  public override func writeReturned(_ bytes: UnsafeRawBufferPointer) { takeBack(bytes) }

  /// For the driver.
  public override func loopStopped() { terminate(.loopStopped) }

  // MARK: reading

  /// Whether `pauseReading` is in force.
  public var isReadingPaused: Bool { flags.contains(.isReadingPaused) }

  /// Stops reading from the socket: the peer is held back by the network's own flow control.
  public func pauseReading() {
    assert(loop.isCurrent)
    guard flags.isDisjoint(with: [.isReadingPaused, .isClosing, .isClosed]) else { return }
    flags.insert(.isReadingPaused)
    loop.driver.pauseReceiving(id)
  }

  /// Reads again.
  public func resumeReading() {
    assert(loop.isCurrent)
    guard flags.contains(.isReadingPaused), !flags.contains(.isClosed) else { return }
    flags.remove(.isReadingPaused)
    if tls?.isHeld == true { return schedule() }
    if flags.contains(.isStarted), !flags.contains(.endReceived) { loop.driver.resumeReceiving(id) }
  }
}

/// What few connections have, apart, so that the others do not pay for it.
final class ConnectionExtras {
  var proxy: SocketAddress?

  // MARK: from the moment it is being closed

  var endingSince: UInt64?
  /// How many bytes that were written the kernel never took.
  var lostByteCount = 0
  var lingerTimer = TimerID.none
  var reason = ConnectionCloseReason.ended
}
