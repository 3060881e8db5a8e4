import Bytes
import EventLoops
import Realtime

/// What a session writes to.
protocol CentrifugoOutput: AnyObject {
  /// Sends what an encoding, the session's, makes of a reply or a push; false if the connection has ended, or ends
  /// because too much waits for its peer already.
  func send(_ message: [UInt8], as encoding: ClientEncoding) -> Bool
  /// Sends a frame that is shared with others: what the session's encoding among those of the hub makes, a server's whole
  /// WebSocket frame; false as above.
  func send(frame: SharedBytes) -> Bool
  /// Whether more than so many bytes wait for the peer to take them; if so, `CentrifugoSession.drained` will be called.
  func isBackedUp(beyond byteCount: Int) -> Bool
  /// Ends the connection with a close code.
  func close(_ disconnect: Disconnect)
  /// Holds the peer back.
  func pauseReading()
  /// Reads again.
  func resumeReading()
}

extension CentrifugoOutput {
  // Where it is not known what waits.
  func isBackedUp(beyond byteCount: Int) -> Bool { false }
}

/// One client connection of the protocol: takes commands one after the other, answers them, and hands on what the hub
/// delivers. Loop-confined.
///
/// There are many of them, mostly idle: what few have is in their ``SessionExtras``.
final class CentrifugoSession: Subscriber, TimerTarget, @unchecked Sendable {
  private let context: SessionContext
  let output: any CentrifugoOutput
  private(set) var extras: SessionExtras?
  /// What was pushed while the connect command was under way: the client expects the reply first.
  private var heldBack: HeldPushes?
  /// Commands behind one whose reply waits for another loop, so that they see its effect.
  private var waiting: WaitingCommands?
  /// When the connection's token ends, in seconds since 1970.
  @Moment var expiresAt: UInt64?
  /// What the client's address counts as.
  let address: CountedAddress
  /// How the client's messages are spelled, and those to it.
  let clientEncoding: ClientEncoding
  private var stage = Stage.open
  /// Whether the backend prolongs the connection, rather than the client with a new token.
  var isRefreshedByBackend = false
  /// The connect command was answered with an error: what the client has sent behind it is passed over.
  private(set) var wasRefused = false
  /// A command's reply waits for another loop.
  private var isBusy = false
  /// Those that waited are being worked off.
  private var isCatchingUp = false
  /// The last ping was not answered yet.
  var isAwaitingPong = false
  var heartbeat = SessionHeartbeat()

  private enum Stage {
    case open
    /// The client has a place in the hub.
    case connected
    case closed
  }

  private static let nobody = ClientInfo(client: "", user: "")

  init(
    _ context: SessionContext, encoding: Int, clientEncoding: ClientEncoding = .json,
    carrier: SessionCarrier = .webSocket, loop: EventLoop, output: any CentrifugoOutput,
    headers: [(name: String, value: String)] = [], address: CountedAddress = .none
  ) {
    self.context = context
    self.output = output
    self.address = address
    self.clientEncoding = clientEncoding
    super.init(
      loop: loop, info: Self.nobody, session: carrier.emulation?.session ?? "", encoding: encoding)
    if carrier !== SessionCarrier.webSocket { makeExtras().carrier = carrier }
    if !context.options.rateLimits.isEmpty { makeExtras().rate = RateLimiter.Connection() }
    self.headers = headers
    counters.opened.count()
    setConnectDeadline()
  }

  func makeExtras() -> SessionExtras {
    if let extras { return extras }
    let made = SessionExtras()
    extras = made
    return made
  }

  /// The client has a place in the hub.
  var isConnected: Bool { stage == .connected }
  /// The connection is gone, or about to be.
  var isClosed: Bool { stage == .closed }
  /// The connect command is to come, or was not answered yet.
  var isConnecting: Bool { stage == .open || heldBack != nil }

  var hub: Hub { context.hub }
  var options: CentrifugoOptions { context.options }
  var counters: CentrifugoCounters { context.counters }

  // MARK: Input

  /// Takes a message: one command or several.
  func received(_ message: UnsafeRawBufferPointer) {
    guard !isClosed else { return }
    let isWhole = clientEncoding.forEachCommand(in: message) { command in
      if !isBusy {
        perform(command)
      } else if isConnected, clientEncoding.isPong(command) {
        // The client is not to be taken for gone because a command ahead of this takes its time.
        receivedPong()
      } else {
        wait(command)
      }
      return !isClosed
    }
    if !isWhole { close(.badRequest) }
  }

  private func wait(_ command: UnsafeRawBufferPointer) {
    let waiting = waiting ?? WaitingCommands()
    self.waiting = waiting
    waiting.append(command)
    if waiting.isFull { return close(.badRequest) }
    if waiting.isLong { output.pauseReading() }
  }

  private func perform(_ bytes: UnsafeRawBufferPointer) {
    counters.commands.count()
    guard let command = clientEncoding.decode(bytes) else { return close(.badRequest) }
    perform(command)
  }

  /// The command under way will be answered later: `finish` goes on with those behind it.
  func begin() { isBusy = true }

  /// The command under way will not be answered later, after all.
  func cancelBegin() { isBusy = false }

  /// The command under way has been answered. The connection may have ended meanwhile, and a command that waited may end
  /// it: then there is nothing left to read, and nobody to read it from.
  func finish() {
    guard isBusy else { return }
    isBusy = false
    // A command that is answered at once ends up here again; not deeper and deeper.
    guard !isCatchingUp else { return }
    isCatchingUp = true
    while !isBusy, !isClosed, let command = waiting?.next() { command.withUnsafeBytes { perform($0) } }
    isCatchingUp = false
    defer { if !isBusy { waiting = nil } }
    if !isClosed, waiting?.isShort != false { output.resumeReading() }
  }

  // MARK: Output

  func send(_ message: [UInt8]) {
    if !isClosed, !output.send(message, as: clientEncoding) { closed() }
  }

  func reply(_ id: UInt32, _ reply: CentrifugoReply) {
    if !isClosed { send(clientEncoding.encode(id, reply)) }
  }

  func reply(_ id: UInt32, _ error: CommandError) {
    counters.count(error)
    if !isConnected { wasRefused = true }
    reply(id, .error(error))
  }

  /// Hands on what the hub delivers.
  func push(_ frame: SharedBytes) {
    if heldBack != nil { return holdBack(.frame(frame)) }
    if !isClosed, !output.send(frame: frame) { closed() }
  }

  /// Tells the client something that it has not asked for.
  func push(_ push: CentrifugoPush) {
    let message = clientEncoding.encode(push)
    if heldBack != nil { return holdBack(.message(message)) }
    send(message)
  }

  /// The connect command is under way: pushes wait for its reply.
  func holdBackPushes() { heldBack = HeldPushes() }

  /// The reply to the connect command was sent.
  func releasePushes() {
    let pushes = heldBack?.pushes ?? []
    heldBack = nil
    for held in pushes {
      switch held {
      case .message(let message): send(message)
      case .frame(let frame): push(frame)
      }
    }
  }

  private func holdBack(_ push: HeldPushes.Push) {
    if heldBack?.append(push) == false { close(.slow) }
  }

  /// The peer has taken what waited for it.
  func drained() {
    if isConnected { hub.drained(self) }
  }

  /// Ends the connection.
  func close(_ disconnect: Disconnect) {
    guard !isClosed else { return }
    counters.count(disconnect)
    makeExtras().ending = disconnect
    output.close(disconnect)
    closed()
  }

  /// The connection is gone, or about to be: the hub forgets the client.
  func closed() {
    guard !isClosed else { return }
    let wasConnected = isConnected
    stage = .closed
    counters.closed.count()
    cancelTimer()
    waiting = nil
    heldBack = nil
    if wasConnected { leave() }
  }

  /// The client may come in.
  func enter(as info: ClientInfo, _ admission: Admission) {
    self.info = info
    capabilities = admission.capabilities
    token = admission.token
    stage = .connected
    hub.add(self)
  }

  private func leave() {
    let ending = extras?.ending
    noteDisconnected(ending)
    hub.remove(self)
    // A connection that the client ended, or the network, has no code of ours.
    options.webhooks?.tell(
      .disconnected(info, code: ending?.code ?? 3_000, reason: ending?.reason ?? "connection closed"))
  }

  func timerFired(_ token: UInt64) { tick() }

  // MARK: What the hub says

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) { push(frame) }

  override func isBackedUp(beyond byteCount: Int) -> Bool { output.isBackedUp(beyond: byteCount) }

  override func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) { push(frame) }

  override func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) { push(frame) }

  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    push(.subscribe(channel: channel, result, data: data))
    // The push has no room for what was missed.
    for publication in result.publications { push(.publication(channel: channel, publication)) }
  }

  override func received(message: SharedBytes) { push(.message(message)) }

  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    tellUnsubscribed(channel, code, reason)
  }

  override func disconnect(code: UInt32, reason: String) {
    close(Disconnect(code: UInt16(clamping: code), reason: reason))
  }

  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    if isExpired { close(.expired) } else { tellRefreshed(until: expiresAt) }
  }
}
