import Bytes
import EventLoops
import JSON
import Realtime

/// What a session writes to.
protocol CentrifugoOutput: AnyObject {
  /// Sends one JSON text as a message.
  func send(_ text: [UInt8])
  /// Sends a frame that is shared with others.
  func send(frame: SharedBytes)
  /// Ends the connection with a close code.
  func close(_ disconnect: Disconnect)
  /// Holds the peer back.
  func pauseReading()
  /// Reads again.
  func resumeReading()
}

/// One client connection of the protocol: takes commands one after the other, answers them, and hands on what the hub
/// delivers. Loop-confined.
final class CentrifugoSession: TimerTarget, @unchecked Sendable {
  /// Reading pauses while more bytes of commands than this wait behind one that is being done.
  private static let maximumWaitingBytes = 65_536

  let hub: Hub
  let options: CentrifugoOptions
  let encoding: Int
  let loop: EventLoop
  let output: any CentrifugoOutput
  /// The client's place in the hub once it has connected.
  var client: CentrifugoClient?
  var isConnecting = false
  /// When the connection's token ends, in seconds since 1970.
  var expiresAt: UInt64?
  /// When subscriptions' tokens end.
  var subscriptionEnds: [String: UInt64] = [:]
  private(set) var isClosed = false
  /// A command whose reply waits for another loop; those behind it wait, so that they see its effect.
  private var isBusy = false
  private var waiting: ArraySlice<[UInt8]> = []
  private var waitingBytes = 0
  var heartbeat = SessionHeartbeat()

  init(hub: Hub, options: CentrifugoOptions, encoding: Int, loop: EventLoop, output: any CentrifugoOutput) {
    self.hub = hub
    self.options = options
    self.encoding = encoding
    self.loop = loop
    self.output = output
    setConnectDeadline()
  }

  // MARK: Input

  /// Takes a text message: commands, one a line.
  func received(_ text: UnsafeRawBufferPointer) {
    guard !isClosed else { return }
    var hasCommand = false
    for line in text.split(separator: UInt8(ascii: "\n")) {
      hasCommand = true
      if isBusy {
        wait(line)
      } else {
        perform(UnsafeRawBufferPointer(rebasing: line))
      }
      guard !isClosed else { return }
    }
    if !hasCommand { close(.badRequest) }
  }

  private func wait(_ line: Slice<UnsafeRawBufferPointer>) {
    waiting.append(Array(line))
    waitingBytes += line.count
    if waitingBytes > Self.maximumWaitingBytes { output.pauseReading() }
  }

  private func perform(_ line: UnsafeRawBufferPointer) {
    do {
      perform(try CommandDecoder.decode(line))
    } catch {
      close(.badRequest)
    }
  }

  /// The command under way will be answered later: `finish` goes on with those behind it.
  func begin() { isBusy = true }

  /// The command under way has been answered. The connection may have ended meanwhile, and a command that waited may end
  /// it: then there is nothing left to read, and nobody to read it from.
  func finish() {
    guard isBusy else { return }
    isBusy = false
    while !isBusy, !isClosed, let line = waiting.popFirst() {
      waitingBytes -= line.count
      line.withUnsafeBytes { perform($0) }
    }
    guard !isClosed else { return }
    if waiting.isEmpty { waiting = [] }
    if waitingBytes <= Self.maximumWaitingBytes / 2 { output.resumeReading() }
  }

  // MARK: Output

  func reply(_ text: [UInt8]) {
    if !isClosed { output.send(text) }
  }

  func reply(_ id: UInt32, _ error: CommandError) {
    reply(ReplyEncoder.error(id, error))
  }

  /// Ends the connection.
  func close(_ disconnect: Disconnect) {
    guard !isClosed else { return }
    output.close(disconnect)
    closed()
  }

  /// The connection is gone, or about to be: the hub forgets the client.
  func closed() {
    guard !isClosed else { return }
    isClosed = true
    cancelTimer()
    waiting = []
    if let client { hub.remove(client) }
    client?.owner = nil
    client = nil
  }

  func timerFired(_ token: UInt64) { tick() }
}

/// The session's place in the hub.
final class CentrifugoClient: Subscriber, @unchecked Sendable {
  fileprivate(set) weak var owner: CentrifugoSession?

  init(session: CentrifugoSession, info: ClientInfo) {
    owner = session
    super.init(loop: session.loop, info: info, encoding: session.encoding)
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    owner?.output.send(frame: frame)
  }

  override func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.output.send(frame: frame)
  }

  override func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.output.send(frame: frame)
  }

  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    owner?.reply(
      ReplyEncoder.push(channel, "subscribe") { json in
        json.beginObject()
        json.members(of: result, secondsLeft: nil)
        if let data { json.member("data", data) }
        json.endObject()
      })
  }

  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    owner?.tellUnsubscribed(channel, code, reason)
  }

  override func disconnect(code: UInt32, reason: String) {
    owner?.close(Disconnect(code: UInt16(clamping: code), reason: reason))
  }

  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    if isExpired { owner?.close(.expired) } else { owner?.tellRefreshed(until: expiresAt) }
  }
}
