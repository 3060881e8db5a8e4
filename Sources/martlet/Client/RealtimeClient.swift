import EventLoops
import JSON
import Transport
import WebSocketCore
import WebSockets

/// A Centrifugo client over a WebSocket that comes back by itself. Loop-confined: everything is called and told on
/// `loop`.
final class RealtimeClient: WebSocketHandler, TimerTarget, @unchecked Sendable {
  enum Event {
    case session(ClientSession.Event)
    /// No connection; the next attempt follows after this time.
    case waiting(reason: String, milliseconds: UInt64)
    /// There will be no further attempt.
    case ended(reason: String)
  }

  private enum State {
    case idle, connecting, open, waiting, ended
  }

  /// What the timer that is set means when it fires.
  private enum Alarm: UInt64 {
    case reconnect, silence, connectReply
  }

  /// How much later than announced a ping may come.
  private static let pingSlackMilliseconds: UInt64 = 10_000
  private static let replyTimeoutMilliseconds: UInt64 = 5_000

  let loop: EventLoop
  private let url: String
  private let tls: TLSClientOptions
  private let onEvent: (Event) -> Void
  private var session: ClientSession
  private var backoff: Backoff
  private var random = SystemRandomNumberGenerator()
  private var connection: WebSocketConnection?
  private var state = State.idle
  private var timer: (id: TimerID, alarm: Alarm)?
  private var pingMilliseconds: UInt64 = 0
  /// Why the connection that is being closed is closed.
  private var closingReason: String?

  init(
    loop: EventLoop, url: String, tls: TLSClientOptions = TLSClientOptions(), session: ClientSession,
    backoff: Backoff = Backoff(maximumMilliseconds: 20_000),
    onEvent: @escaping (Event) -> Void
  ) {
    self.loop = loop
    self.url = url
    self.tls = tls
    self.session = session
    self.backoff = backoff
    self.onEvent = onEvent
  }

  var isConnected: Bool { session.isConnected }

  func start() {
    guard state == .idle || state == .waiting else { return }
    state = .connecting
    setTimer(nil)
    // The server pings, so that a WebSocket ping of ours would say nothing new.
    let options = WebSocketClientOptions(
      socket: WebSocketOptions(keepaliveIntervalMilliseconds: 0), tls: tls)
    WebSocketClient.connect(to: url, on: loop, options: options, handler: self) { [self] result in
      if case .failure(let error) = result { connectFailed(error) }
    }
  }

  /// Closes the connection and stays away.
  func stop() {
    state = .ended
    setTimer(nil)
    connection?.close()
  }

  func subscribe(_ channel: String, token: String? = nil, consumer: String? = nil) {
    if let message = session.subscribe(channel, token: token, consumer: consumer) { send(message) }
  }

  /// A publication has been dealt with.
  func acknowledge(_ offset: UInt64, in channel: String) {
    if let message = session.acknowledge(offset, in: channel) { send(message) }
  }

  /// Returns the number under which the answer is told; nil if there is no connection and nothing was sent.
  @discardableResult
  func publish(_ channel: String, _ data: [UInt8]) -> UInt64? {
    guard isConnected else { return nil }
    let (number, message) = session.publish(channel, data)
    send(message)
    return number
  }

  private func send(_ message: [UInt8]) {
    message.withUnsafeBytes { _ = connection?.send($0, .text) }
  }

  // MARK: The WebSocket

  override func opened(_ connection: WebSocketConnection) {
    guard state == .connecting else { return connection.close() }
    self.connection = connection
    state = .open
    setTimer(.connectReply, after: Self.replyTimeoutMilliseconds)
    send(session.connect())
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    guard state == .open else { return }
    var replies: [[UInt8]] = []
    var events: [ClientSession.Event] = []
    do {
      try session.receive(message, reply: { replies.append($0) }, tell: { events.append($0) })
    } catch {
      closingReason = "the server sent what is not valid JSON: \(error)"
      return connection.close(code: .protocolError)
    }
    replies.forEach(send)
    for event in events where state == .open { handle(event) }
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    guard self.connection === connection else { return }
    self.connection = nil
    session.disconnect()
    guard state == .open else { return }
    let text = closingReason ?? "\(reason.isEmpty ? "the connection was closed" : reason) (\(code.rawValue))"
    closingReason = nil
    if Self.isFinal(Int(code.rawValue)) { end(text) } else { retry(text) }
  }

  private func connectFailed(_ error: WebSocketError) {
    guard state == .connecting else { return }
    let reason = Explanation.brief(error)
    // A refusal is the server's answer; only what may pass by itself is tried again.
    if error.code == .invalidURL || (400..<500).contains(error.status?.code ?? 0) {
      end(reason)
    } else {
      retry(reason)
    }
  }

  // MARK: The session

  private func handle(_ event: ClientSession.Event) {
    switch event {
    case .connected(_, let milliseconds):
      backoff.reset()
      pingMilliseconds = milliseconds
      expectPing()
    case .ping: expectPing()
    case .refused(let error) where error.isTemporary:
      closingReason = error.message
      connection?.close()
      return
    case .refused(let error):
      return end("the server refused the connection: " + Explanation.of(error))
    case .disconnected(let code, let reason):
      let text = "\(reason) (\(code))"
      if Self.isFinal(code) { return end(text) }
      closingReason = text
      connection?.close()
    default: break
    }
    onEvent(.session(event))
  }

  /// Codes with which the server says that coming back is of no use.
  private static func isFinal(_ code: Int) -> Bool {
    (3_500..<4_000).contains(code) || (4_500..<5_000).contains(code)
  }

  private func retry(_ reason: String) {
    state = .waiting
    let milliseconds = backoff.nextDelay(using: &random)
    setTimer(.reconnect, after: milliseconds)
    onEvent(.waiting(reason: reason, milliseconds: milliseconds))
  }

  private func end(_ reason: String) {
    guard state != .ended else { return }
    stop()
    onEvent(.ended(reason: reason))
  }

  // MARK: Time

  private func expectPing() {
    if pingMilliseconds == 0 { return setTimer(nil) }
    setTimer(.silence, after: pingMilliseconds + Self.pingSlackMilliseconds)
  }

  private func setTimer(_ alarm: Alarm?, after milliseconds: UInt64 = 0) {
    if let timer { loop.cancel(timer.id) }
    timer = alarm.map { (loop.schedule(after: milliseconds, self, token: $0.rawValue), $0) }
  }

  func timerFired(_ token: UInt64) {
    guard let alarm = timer?.alarm, alarm.rawValue == token else { return }
    timer = nil
    switch alarm {
    case .reconnect: start()
    case .silence: giveUp("the server has not sent a ping in time")
    case .connectReply: giveUp("the server has not answered in time")
    }
  }

  /// The peer may be gone without a word: no closing handshake is waited for.
  private func giveUp(_ reason: String) {
    closingReason = reason
    connection?.abort()
  }
}
