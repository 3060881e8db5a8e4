import Realtime

extension HTTPAPI {
  /// Does what a call asks for. On a loop of the hub; `done` is called there, once.
  func perform(_ request: APIRequest, _ done: @escaping (APIReply) -> Void) {
    switch request {
    case .publish(let publication, let channel):
      hub.publish(publication, to: channel, as: .server) { done(APIReply($0) { .position($0) }) }
    case .broadcast(let publication, let channels):
      hub.broadcast(publication, to: channels) { done(.result(.broadcast($0))) }
    case .presence(let channel):
      hub.presence(of: channel, as: .server) { done(APIReply($0) { .presence($0) }) }
    case .presenceStats(let channel):
      hub.presenceStats(of: channel, as: .server) { done(APIReply($0) { .presenceStats($0) }) }
    case .history(let channel, let query):
      hub.history(of: channel, query, as: .server) { done(APIReply($0) { .history($0) }) }
    case .removeHistory(let channel):
      hub.removeHistory(of: channel) { done(APIReply($0) { _ in .empty }) }
    case .channels(let pattern):
      hub.channels(ChannelPattern(pattern)) { done(.result(.channels($0))) }
    case .channelPage(let pattern, let name, let limit):
      hub.channels(ChannelPattern(pattern), after: name, limit: limit) {
        done(.result(.channelPage($0, isFull: $0.count == limit)))
      }
    case .connections(let user, let client, let limit):
      hub.clients(ofUser: user, after: client, limit: limit) {
        done(.result(.connections($0, isFull: $0.count == limit)))
      }
    case .revocation(let revocation): perform(revocation, done)
    case .rpc(let call): perform(call, done)
    case .info:
      hub.counters { [node, uptimeSeconds, moreMetrics] in
        let node = APINode(
          identity: node, uptimeSeconds: uptimeSeconds(), counters: $0, moreMetrics: moreMetrics())
        done(.result(.info(node)))
      }
    case .batch(let commands, let isParallel):
      perform(commands, isParallel: isParallel, done)
    case .subscribe, .unsubscribe, .disconnect, .refresh:
      performOnClients(request, done)
    }
  }

  private func performOnClients(_ request: APIRequest, _ done: @escaping (APIReply) -> Void) {
    let ended: (Int) -> Void = { _ in done(.result(.empty)) }
    switch request {
    case .subscribe(let selection, let channel, let options, let data):
      guard let name = ChannelName(channel) else { return done(.error(.badRequest)) }
      guard hub.options(of: name) != nil else { return done(.error(.unknownChannel)) }
      hub.subscribe(selection, to: channel, options: options, data: data, done: ended)
    case .unsubscribe(let selection, let channel, let code):
      hub.unsubscribe(selection, from: channel, code: code, done: ended)
    case .disconnect(let selection, let code, let reason):
      hub.disconnect(selection, code: code, reason: reason, done: ended)
    case .refresh(let selection, let isExpired, let expiresAt):
      hub.refresh(selection, isExpired: isExpired, expiresAt: expiresAt, done: ended)
    default:
      done(.error(.methodNotFound))
    }
  }

  private func perform(
    _ commands: [APIRequest.BatchCommand], isParallel: Bool, _ done: @escaping (APIReply) -> Void
  ) {
    let batch = RunningBatch(commands, done: done)
    if isParallel {
      for index in commands.indices { batch.start(index, on: self) }
    } else {
      batch.next(on: self)
    }
    if commands.isEmpty { done(.result(.batch([]))) }
  }
}

/// The calls of one batch, one after the other or all at once; the replies in the order of the calls. On one
/// loop.
private final class RunningBatch {
  private let commands: [APIRequest.BatchCommand]
  private var replies: [APIReply?]
  private var missing: Int
  private var following = 0
  private let done: (APIReply) -> Void

  init(_ commands: [APIRequest.BatchCommand], done: @escaping (APIReply) -> Void) {
    self.commands = commands
    self.done = done
    replies = Array(repeating: nil, count: commands.count)
    missing = commands.count
  }

  /// Starts the next call; when it has ended the one after it.
  func next(on api: HTTPAPI) {
    guard following < commands.count else { return }
    following += 1
    start(following - 1, on: api) { self.next(on: api) }
  }

  func start(_ index: Int, on api: HTTPAPI, then: @escaping () -> Void = {}) {
    let ended: (APIReply) -> Void = { reply in
      self.take(reply, at: index)
      then()
    }
    switch commands[index].request {
    case .success(let request): api.perform(request, ended)
    case .failure(let error): ended(.error(error))
    }
  }

  private func take(_ reply: APIReply, at index: Int) {
    replies[index] = reply
    missing -= 1
    guard missing == 0 else { return }
    let pairs = zip(commands, replies).map { (method: $0.method, reply: $1 ?? .error(.internalError)) }
    done(.result(.batch(pairs)))
  }
}
