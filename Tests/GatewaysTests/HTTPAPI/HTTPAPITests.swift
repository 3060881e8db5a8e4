import Bytes
import EventLoops
import HTTPCore
import Realtime
import Synchronization
import Testing
import WebSockets

@testable import Gateways

/// The whole way from a request's head and body to the response's, without sockets.
@Suite struct HTTPAPITests {
  private let network = SimulatedNetwork()
  private let api: HTTPAPI
  private let hub: Hub
  private let loops: [EventLoop]

  init() {
    var news = NamespaceOptions()
    news.historySize = 10
    news.historyTTLMilliseconds = 60_000
    news.keepsPresence = true
    loops = [network.makeLoop(), network.makeLoop()]
    hub = Hub(
      loops: loops, namespaces: Namespaces(default: NamespaceOptions(), named: ["news": news]),
      encodings: [NoEncoding()], wallClock: { 0 }, randomBits: { 35 })
    api = HTTPAPI(
      hub: hub, keys: ["secret", "other", ""], node: NodeIdentity(uid: "u", name: "n", version: "v"),
      uptimeSeconds: { 7 })
  }

  /// The status, or the body of a response with status 200.
  private func post(
    _ method: String, _ body: String, verb: HTTPMethod = .post, prefix: String = "/api/",
    fields: HTTPFields = ["X-API-Key": "secret"]
  ) -> String {
    let head = HTTPRequestHead(method: verb, target: prefix + method, fields: fields)
    switch Array(body.utf8).withUnsafeBytes({ api.call(head, body: $0) }) {
    case .refuse(let status, let fields, _):
      return ["\(status.code)", fields["Allow"]].compactMap { $0 }.joined(separator: " ")
    case .fail(let error): return String(decoding: APIReply.error(error).encoded(), as: UTF8.self)
    case .perform(let request): return perform(request)
    case .stream(let isSummarized): return stream(body, isSummarized)
    }
  }

  private func stream(_ body: String, _ isSummarized: Bool) -> String {
    let answer = Mutex("no answer")
    loops[0].execute { [api] in
      api.stream(Array(body.utf8), summarized: isSummarized) { response in
        answer.withLock { $0 = String(decoding: response.body?.array ?? [], as: UTF8.self) }
      }
    }
    network.runUntilIdle()
    return answer.withLock { $0 }
  }

  private func perform(_ request: APIRequest) -> String {
    api.answer(to: request, on: loops[0], network)
  }

  // MARK: Who may call, and how

  @Test func anOpenAPINeedsNoKeyButOfWebPages() {
    api.use(keys: ["secret"], isOpen: true)
    #expect(post("info", "{}", fields: [:]).hasPrefix(#"{"result":"#))
    #expect(post("info", "{}", fields: ["X-API-Key": "wrong"]).hasPrefix(#"{"result":"#))
    #expect(post("info", "{}", fields: ["Origin": "https://example.com"]) == "401")
    #expect(post("info", "{}", fields: ["Origin": "null"]) == "401")
    #expect(
      post("info", "{}", fields: ["Origin": "https://example.com", "X-API-Key": "secret"])
        .hasPrefix(#"{"result":"#))
    api.use(keys: ["secret"])
    #expect(post("info", "{}", fields: [:]) == "401")
  }

  @Test(
    arguments: [
      [:], ["X-API-Key": "wrong!"], ["X-API-Key": "secre"], ["X-API-Key": "secrets"], ["X-API-Key": ""],
      ["Authorization": "secret"], ["Authorization": "Bearer secret"], ["Authorization": "apikey"],
      ["Authorization": "apikey "], ["X-API-Key": "wrong", "Authorization": "apikey secret"],
    ] as [HTTPFields])
  func nobodyWithoutAKey(_ fields: HTTPFields) {
    #expect(post("info", "{}", fields: fields) == "401")
    #expect(post("nothing", "{}", verb: .get, fields: fields) == "401")
  }

  @Test(
    arguments: [
      ["X-API-Key": "secret"], ["x-api-key": "other"], ["Authorization": "apikey secret"],
      ["Authorization": "ApiKey other"],
    ] as [HTTPFields])
  func anyKeyOpens(_ fields: HTTPFields) {
    #expect(post("channels", "{}", fields: fields) == #"{"result":{"channels":{}}}"#)
  }

  @Test func withoutKeysItIsClosed() {
    let node = NodeIdentity(uid: "", name: "", version: "")
    let closed = HTTPAPI(hub: hub, keys: [""], node: node, uptimeSeconds: { 0 })
    let head = HTTPRequestHead(method: .post, target: "/api/info", fields: ["X-API-Key": ""])
    guard
      case .refuse(.unauthorized, _, _) = closed.call(
        head, body: UnsafeRawBufferPointer(start: nil, count: 0))
    else {
      Issue.record("an API without keys admitted a caller")
      return
    }
  }

  @Test func everyMethodIsNamed() {
    let node = NodeIdentity(uid: "", name: "", version: "")
    let api = HTTPAPI(hub: hub, keys: ["key"], node: node, uptimeSeconds: { 0 })
    let head = HTTPRequestHead(method: .post, target: "/api/nope", fields: ["X-API-Key": "key"])
    let call = api.call(head, body: UnsafeRawBufferPointer(start: nil, count: 0))
    guard case .refuse(.notFound, _, let hint) = call else {
      Issue.record("a method that does not exist was found")
      return
    }
    #expect(hint.hasPrefix("The methods are publish, ") && hint.hasSuffix(", stream."))
  }

  @Test func statuses() {
    #expect(post("nothing", "{}") == "404")
    #expect(post("publish/", "{}") == "404")
    #expect(post("", "{}") == "404")
    #expect(post("info", "{}", prefix: "/apis/") == "404")
    #expect(post("publish", "{}", verb: .get) == "405 POST")
    #expect(post("publish", "{") == "400")
    #expect(post("publish", "{}") == #"{"error":{"code":107,"message":"data is missing"}}"#)
    #expect(post("channels?x=1", "") == #"{"result":{"channels":{}}}"#)
  }

  @Test(arguments: [0, 1])
  func aBodyHasAtMostItsBytes(_ excess: Int) {
    let padding = String(repeating: " ", count: APILimits.maximumBodyBytes - 2 + excess)
    #expect(post("channels", "{}" + padding) == (excess == 0 ? #"{"result":{"channels":{}}}"# : "413"))
  }

  // MARK: Methods

  @Test func publishingAndReading() {
    #expect(
      post("publish", #"{"channel":"news:1","data":{"n":1},"tags":{"a":"b"}}"#)
        == #"{"result":{"offset":1,"epoch":"z"}}"#)
    #expect(post("publish", #"{"channel":"news:1","data":2,"skip_history":true}"#) == #"{"result":{}}"#)
    #expect(
      post("broadcast", #"{"channels":["news:1","no:1"],"data":3}"#)
        == #"{"result":{"responses":[{"result":{"offset":2,"epoch":"z"}},{"error":{"code":102,"message":"unknown channel"}}]}}"#
    )
    #expect(
      post("history", #"{"channel":"news:1","limit":-1}"#)
        == #"{"result":{"publications":[{"offset":1,"data":{"n":1},"tags":{"a":"b"}},{"offset":2,"data":3}],"offset":2,"epoch":"z"}}"#
    )
    #expect(
      post("history", #"{"channel":"news:1","limit":1,"since":{"offset":1,"epoch":"old"}}"#)
        == #"{"error":{"code":112,"message":"unrecoverable position"}}"#)
    #expect(post("history_remove", #"{"channel":"news:1"}"#) == #"{"result":{}}"#)
    #expect(
      post("history", #"{"channel":"news:1"}"#) == #"{"result":{"publications":[],"offset":2,"epoch":"z"}}"#)
    #expect(post("history", #"{"channel":"plain"}"#) == #"{"error":{"code":108,"message":"not available"}}"#)
    #expect(
      post("publish", #"{"channel":"no:1","data":1}"#)
        == #"{"error":{"code":102,"message":"unknown channel"}}"#)
    #expect(
      post("publish", "{\"channel\":\"a\\nb\",\"data\":1}")
        == #"{"error":{"code":107,"message":"bad request"}}"#)
  }

  @Test func clients() {
    let ann = Listener(loop: loops[1], info: ClientInfo(client: "1", user: "ann"))
    hub.add(ann)
    #expect(
      post("subscribe", #"{"user":"ann","channel":"news:1","info":{"x":1},"data":{"d":1}}"#)
        == #"{"result":{}}"#)
    #expect(post("subscribe", #"{"user":"ann","channel":"no:1"}"#).contains("102"))
    #expect(
      post("presence", #"{"channel":"news:1"}"#)
        == #"{"result":{"presence":{"1":{"user":"ann","client":"1","chan_info":{"x":1}}}}}"#)
    #expect(
      post("presence_stats", #"{"channel":"news:1"}"#) == #"{"result":{"num_clients":1,"num_users":1}}"#)
    #expect(post("presence", #"{"channel":"plain"}"#) == #"{"error":{"code":108,"message":"not available"}}"#)
    #expect(
      post("channels", #"{"pattern":"news:*"}"#) == #"{"result":{"channels":{"news:1":{"num_clients":1}}}}"#)
    #expect(post("channels", #"{"pattern":"x*"}"#) == #"{"result":{"channels":{}}}"#)
    #expect(
      post("info", "{}").hasPrefix(
        #"{"result":{"nodes":[{"uid":"u","name":"n","version":"v","num_clients":1,"num_users":1,"num_subs":1,"num_channels":1,"uptime":7,"#
      ))
    #expect(post("refresh", #"{"user":"ann","expire_at":99}"#) == #"{"result":{}}"#)
    #expect(post("unsubscribe", #"{"user":"ann","channel":"news:1"}"#) == #"{"result":{}}"#)
    #expect(
      post("disconnect", #"{"user":"ann","disconnect":{"code":4001,"reason":"bye"}}"#) == #"{"result":{}}"#)
    #expect(post("disconnect", #"{"user":"bob"}"#) == #"{"result":{}}"#)
    #expect(
      ann.events == [
        #"subscribed news:1 {"d":1}"#, "refreshed 99", "unsubscribed news:1 2000", "disconnect 4001 bye",
      ])
  }

  @Test(arguments: [false, true])
  func aBatch(isParallel: Bool) {
    let body =
      #"{"commands":[{"publish":{"channel":"news:1","data":1}},{"publish":{"data":1}},{"nothing":1,"publish":"#
      + #"{"channel":"news:1","data":2}},{"history":{"channel":"news:1","limit":9}},"#
      + #"{"history_remove":{"channel":"news:1"}}],"parallel":\#(isParallel)}"#
    #expect(
      post("batch", body)
        == #"{"replies":[{"publish":{"offset":1,"epoch":"z"}},{"error":{"code":107,"message":"channel is missing"}},"#
        + #"{"publish":{"offset":2,"epoch":"z"}},{"history":{"publications":[{"offset":1,"data":1},"#
        + #"{"offset":2,"data":2}],"offset":2,"epoch":"z"}},{"history_remove":{}}]}"#)
    #expect(post("batch", #"{"commands":[]}"#) == #"{"replies":[]}"#)
  }

  @Test func aBatchOfTheMostCommands() {
    let command = #"{"publish":{"channel":"news:1","data":1}}"#
    let failing = #"{"publish":{}}"#
    for one in [command, failing] {
      let commands = Array(repeating: one, count: APILimits.maximumBatchCommands).joined(separator: ",")
      #expect(post("batch", "{\"commands\":[\(commands)]}").hasPrefix(#"{"replies":[{"#))
    }
  }
}

private struct NoEncoding: WireEncoding {
  func publication(_ publication: Publication, channel: String) -> SharedBytes { publication.data }
  func joined(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: [UInt8]()) }
  func left(_ info: ClientInfo, channel: String) -> SharedBytes { SharedBytes.make(copying: [UInt8]()) }
}

/// Writes down what the server does to a client.
private final class Listener: Subscriber {
  private(set) var events: [String] = []

  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    events.append("subscribed \(channel) \(data.map { String(decoding: $0.array, as: UTF8.self) } ?? "")")
  }
  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    events.append("unsubscribed \(channel) \(code)")
  }
  override func disconnect(code: UInt32, reason: String) { events.append("disconnect \(code) \(reason)") }
  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    events.append("refreshed \(expiresAt ?? 0)")
  }
}
