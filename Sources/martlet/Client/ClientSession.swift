import JSON

/// The client's side of the Centrifugo protocol without its socket: what is sent, what the answers mean, and where each
/// subscription stands, which outlives the connection.
struct ClientSession {
  /// What its owner is told.
  enum Event: Equatable {
    case connected(client: String, pingMilliseconds: UInt64)
    /// The connect command was refused.
    case refused(ServerError)
    /// `hasGap`: messages were missed while we were away and could not be recovered.
    case subscribed(channel: String, hasGap: Bool)
    /// The server takes no acknowledgements, although they were asked for.
    case notConsuming(channel: String)
    case subscribeFailed(channel: String, ServerError)
    case publication(channel: String, ReceivedPublication)
    case published(number: UInt64)
    case publishFailed(number: UInt64, ServerError)
    case unsubscribed(channel: String, code: Int, reason: String)
    case disconnected(code: Int, reason: String)
    case ping
  }

  private enum Pending {
    case connect
    case subscribe(String)
    case publish(UInt64)
  }

  private struct Subscription {
    var token: String?
    /// The name under which publications are acknowledged.
    var consumer: String?
    /// Whether the server takes acknowledgements.
    var isConsuming = false
    var place: ClientCommand.StreamPlace?
  }

  private let token: String?
  private let data: [UInt8]?
  private var subscriptions: [(channel: String, Subscription)] = []
  private var pending: [UInt64: Pending] = [:]
  private var lastID: UInt64 = 0
  private var publishedCount: UInt64 = 0
  private var wantsPong = false
  private(set) var isConnected = false

  /// - Parameters:
  ///   - token: the connection token, or nil to be anonymous.
  ///   - data: JSON for the server's application.
  init(token: String?, data: [UInt8]?) {
    self.token = token
    self.data = data
  }

  // MARK: Out

  /// The first message of a fresh connection.
  mutating func connect() -> [UInt8] {
    disconnect()
    return send(.connect(token: token, data: data), .connect)
  }

  /// The connection is gone; subscriptions and their places stay.
  mutating func disconnect() {
    isConnected = false
    pending = [:]
    lastID = 0
  }

  /// Adds a subscription; returns the command if there is a connection to send it on.
  mutating func subscribe(_ channel: String, token: String?, consumer: String? = nil) -> [UInt8]? {
    subscriptions.append((channel, Subscription(token: token, consumer: consumer)))
    guard isConnected else { return nil }
    return send(
      .subscribe(channel: channel, token: token, consumer: consumer, recover: nil), .subscribe(channel))
  }

  /// What says that a publication has been dealt with; nil where the server does not want to know.
  func acknowledge(_ offset: UInt64, in channel: String) -> [UInt8]? {
    let subscription = subscriptions.first { $0.channel == channel }?.1
    guard isConnected, offset > 0, subscription?.isConsuming == true else { return nil }
    return ClientCommand.acknowledge(channel: channel, offset: offset).encoded(id: 0)
  }

  /// A publish command and the number under which its answer will be told.
  mutating func publish(_ channel: String, _ data: [UInt8]) -> (number: UInt64, message: [UInt8]) {
    publishedCount += 1
    return (publishedCount, send(.publish(channel: channel, data: data), .publish(publishedCount)))
  }

  private mutating func send(_ command: ClientCommand, _ expectation: Pending) -> [UInt8] {
    lastID += 1
    pending[lastID] = expectation
    return command.encoded(id: lastID)
  }

  // MARK: In

  /// Reads a message; `reply` is called with what has to be sent, `tell` with what happened, in order.
  mutating func receive(
    _ message: UnsafeRawBufferPointer, reply: ([UInt8]) -> Void, tell: (Event) -> Void
  ) throws(JSONError) {
    for answer in try ServerReply.decode(message) {
      switch answer.body {
      case .ping:
        if wantsPong { reply(ClientCommand.pong.encoded(id: 0)) }
        tell(.ping)
      case .publication(let channel, let publication):
        deliver(publication, in: channel, tell)
      case .unsubscribed(let channel, let code, let reason):
        tell(.unsubscribed(channel: channel, code: code, reason: reason))
        // 2500 and up mean that the client shall subscribe anew.
        if code >= 2_500, let command = resubscribe(channel) { reply(command) }
      case .disconnected(let code, let reason):
        tell(.disconnected(code: code, reason: reason))
      default:
        if let expectation = pending.removeValue(forKey: answer.id) {
          answered(expectation, answer.body, reply, tell)
        }
      }
    }
  }

  private mutating func answered(
    _ expectation: Pending, _ body: ServerReply.Body, _ reply: ([UInt8]) -> Void, _ tell: (Event) -> Void
  ) {
    switch (expectation, body) {
    case (.connect, .connected(let client, let ping, let wantsPong)):
      isConnected = true
      self.wantsPong = wantsPong
      tell(.connected(client: client, pingMilliseconds: ping))
      for (channel, _) in subscriptions { if let command = resubscribe(channel) { reply(command) } }
    case (.connect, .failed(let error)): tell(.refused(error))
    case (.subscribe(let channel), .subscribed(let answer)): subscribed(channel, answer, reply, tell)
    case (.subscribe(let channel), .failed(let error)): tell(.subscribeFailed(channel: channel, error))
    case (.publish(let number), .failed(let error)): tell(.publishFailed(number: number, error))
    case (.publish(let number), _): tell(.published(number: number))
    default: break
    }
  }

  private mutating func resubscribe(_ channel: String) -> [UInt8]? {
    guard let known = subscriptions.first(where: { $0.channel == channel })?.1 else { return nil }
    return send(
      .subscribe(
        channel: channel, token: known.token, consumer: known.consumer, recover: known.place),
      .subscribe(channel))
  }

  private mutating func subscribed(
    _ channel: String, _ answer: SubscribeReply, _ reply: ([UInt8]) -> Void, _ tell: (Event) -> Void
  ) {
    guard let index = subscriptions.firstIndex(where: { $0.channel == channel }) else { return }
    let wasThere = subscriptions[index].1.place
    tell(.subscribed(channel: channel, hasGap: wasThere != nil && !answer.isRecovered))
    subscriptions[index].1.isConsuming = answer.isConsuming
    if subscriptions[index].1.consumer != nil, !answer.isConsuming { tell(.notConsuming(channel: channel)) }
    guard answer.isRecoverable || answer.isConsuming else {
      subscriptions[index].1.place = nil
      for publication in answer.publications { tell(.publication(channel: channel, publication)) }
      return
    }
    // In another epoch offsets begin anew, and nothing of it has been seen.
    let seen = wasThere.flatMap { $0.epoch == answer.epoch ? $0.offset : nil } ?? 0
    // The acknowledgement of these was lost.
    if answer.publications.contains(where: { $0.offset <= seen }),
      let again = acknowledge(seen, in: channel)
    {
      reply(again)
    }
    for publication in answer.publications where publication.offset > seen {
      tell(.publication(channel: channel, publication))
    }
    // Some servers say where the client stands before it takes these publications, some where after.
    let last = answer.publications.last?.offset ?? 0
    subscriptions[index].1.place = .init(epoch: answer.epoch, offset: max(answer.offset, seen, last))
  }

  private mutating func deliver(
    _ publication: ReceivedPublication, in channel: String, _ tell: (Event) -> Void
  ) {
    guard let index = subscriptions.firstIndex(where: { $0.channel == channel }) else { return }
    if publication.offset > 0, let place = subscriptions[index].1.place {
      // Delivery is at least once: what is at or below our place has been seen.
      guard publication.offset > place.offset else { return }
      subscriptions[index].1.place?.offset = publication.offset
    }
    tell(.publication(channel: channel, publication))
  }
}
