import EventLoops

/// A connection of a trusted proxy until its PROXY protocol header has arrived; below everything else, TLS included.
final class ProxyHeaderReader: IOTarget, TimerTarget {
  private let listener: LoopListener
  private let id: RegistrationID
  private let peer: SocketAddress
  private let isRequired: Bool
  private var timer = TimerID.none
  /// The beginning of a header that came in pieces.
  private var pending: [UInt8] = []

  init(listener: LoopListener, id: RegistrationID, peer: SocketAddress, isRequired: Bool) {
    self.listener = listener
    self.id = id
    self.peer = peer
    self.isRequired = isRequired
  }

  func start(timeoutMilliseconds: UInt64) {
    let loop = listener.loop
    loop.driver.setTarget(self, of: id)
    timer = loop.schedule(after: timeoutMilliseconds, self, token: 0)
    loop.driver.resumeReceiving(id)
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer) {
    if pending.isEmpty { return decode(bytes) }
    pending.append(contentsOf: bytes)
    var all = pending
    all.withUnsafeMutableBytes { decode($0) }
  }

  private func decode(_ bytes: UnsafeMutableRawBufferPointer) {
    do {
      switch try ProxyHeaderDecoder.decode(UnsafeRawBufferPointer(bytes)) {
      case .incomplete:
        // Never more than a header's greatest length: beyond it the decoder throws.
        if pending.isEmpty { pending = Array(bytes) }
      case .complete(let header, let count):
        pass(header, UnsafeMutableRawBufferPointer(rebasing: bytes[count...]))
      case .absent:
        if isRequired { refuse() } else { pass(nil, bytes) }
      }
    } catch {
      refuse()
    }
  }

  /// The connection begins; `rest` is what followed the header.
  private func pass(_ header: ProxyHeader?, _ rest: UnsafeMutableRawBufferPointer) {
    listener.loop.cancel(timer)
    let client = header?.source
    guard let connection = listener.admit(id, from: client ?? peer, proxy: header == nil ? nil : peer) else {
      return
    }
    if connection.isReadingPaused { listener.loop.driver.pauseReceiving(id) }
    if !rest.isEmpty { connection.received(rest) }
  }

  /// A client that says nothing at all where no header is required has the deadlines of its protocol.
  func timerFired(_ token: UInt64) {
    if !isRequired, pending.isEmpty {
      pass(nil, UnsafeMutableRawBufferPointer(start: nil, count: 0))
    } else {
      refuse()
    }
  }

  override func receivedEnd() { refuse(isCounted: !pending.isEmpty) }

  override func failed(_ error: Int32) { refuse(isCounted: false) }

  override func loopStopped() { listener.loop.cancel(timer) }

  /// A proxy that checks whether we are there connects and ends: no header, nothing wrong.
  private func refuse(isCounted: Bool = true) {
    listener.loop.cancel(timer)
    listener.drop(id, countsProxyHeader: isCounted)
  }
}
