import Bytes
import JSON
import Realtime
import Testing

@testable import Gateways

/// Bodies in, requests out.
@Suite struct APIRequestTests {
  private func decode(_ method: APIMethod, _ body: String) throws -> Result<APIRequest, APIError> {
    try Array(body.utf8).withUnsafeBytes { try APIRequest.decode(method, $0) }
  }

  private func publication(_ body: String) throws -> (request: PublishRequest, channel: String) {
    guard case .publish(let request, let channel) = try decode(.publish, body).get() else {
      throw APIError.methodNotFound
    }
    return (request, channel)
  }

  @Test func aPublicationWithEverything() throws {
    let (request, channel) = try publication(
      """
      {"channel":"news:1", "data": {"a" : [1, 2],
       "b":"x y"}, "tags":{"k":"v","l":"w"},"skip_history":true,"idempotency_key":"i","version":7,
       "version_epoch":"v","unknown":[{}],"delta":false}
      """)
    #expect(channel == "news:1")
    #expect(request.data.array == Array(#"{"a":[1,2],"b":"x y"}"#.utf8))
    #expect(request.tags.map { "\($0.name)=\($0.value)" } == ["k=v", "l=w"])
    #expect(request.skipsHistory && request.idempotencyKey == "i")
    #expect(request.version == 7 && request.versionEpoch == "v")
  }

  @Test(arguments: [
    (#"{"channel":"c","data":null}"#, "null"), (#"{"channel":"c","data":"x"}"#, #""x""#),
    (#"{"channel":"c","data":{},"tags":null,"idempotency_key":null}"#, "{}"),
    (#"{"channel":"c","b64data":"eyJhIjogMX0="}"#, #"{"a": 1}"#),
    (#"{"data":0,"b64data":"MQ==","channel":"c"}"#, "1"),
  ])
  func payloads(_ body: String, _ data: String) throws {
    #expect(try publication(body).request.data.array == Array(data.utf8))
  }

  @Test(
    "What is JSON on one line needs no second look",
    arguments: [("WzFd", false), ("WyAxXQ==", true), ("AAE=", true)])
  func unchecked(_ base64: String, _ isUnchecked: Bool) throws {
    #expect(try publication(#"{"channel":"c","b64data":"\#(base64)"}"#).request.isUnchecked == isUnchecked)
    #expect(try !publication(#"{"channel":"c","data":[ 1]}"#).request.isUnchecked)
  }

  @Test(
    arguments: [
      (.publish, #"{"channel":"c"}"#), (.publish, #"{"data":{}}"#), (.publish, ""), (.publish, "{}"),
      (.publish, #"{"channel":"c","b64data":"!!"}"#), (.rpc, "{}"),
      (.broadcast, #"{"channels":[],"data":{}}"#), (.broadcast, #"{"channels":["a"]}"#),
      (.subscribe, #"{"user":"ann"}"#), (.subscribe, #"{"channel":"c"}"#),
      (.subscribe, #"{"user":"ann","channel":"c","b64info":"AAE="}"#), (.unsubscribe, #"{"user":"ann"}"#),
      (.disconnect, "{}"), (.disconnect, #"{"user":"ann","disconnect":{"code":1000}}"#),
      (.disconnect, #"{"user":"ann","disconnect":{"code":5000}}"#), (.refresh, "{}"), (.presence, "{}"),
      (.presenceStats, "{}"), (.history, "{}"), (.removeHistory, "{}"),
      (.batch, #"{"commands":[{"nothing":{}}]}"#), (.batch, #"{"commands":[{"batch":{}}]}"#),
    ] as [(APIMethod, String)])
  func whatLacksSomethingIsABadRequest(_ method: APIMethod, _ body: String) throws {
    #expect(throws: APIError.badRequest) { try decode(method, body).get() }
  }

  @Test(
    arguments: APIMethod.allCases,
    ["{", "[]", "null", "1", "{} {}", #"{"channel":5,"commands":5}"#, "{\"channel\":\"\u{1}\"}", "{'a':1}"])
  func whatIsNotJSONOfTheRightShapeIsMalformed(_ method: APIMethod, _ body: String) {
    #expect(throws: JSONError.self) { _ = try decode(method, body) }
  }

  @Test func limitsOfACall() throws {
    func broadcast(_ count: Int) throws -> Result<APIRequest, APIError> {
      try decode(
        .broadcast,
        "{\"data\":1,\"channels\":[\(Array(repeating: "\"c\"", count: count).joined(separator: ","))]}")
    }
    func batch(_ count: Int) throws -> Result<APIRequest, APIError> {
      try decode(
        .batch, "{\"commands\":[\(Array(repeating: "{\"info\":{}}", count: count).joined(separator: ","))]}")
    }
    func tags(_ count: Int) throws -> Result<APIRequest, APIError> {
      let tags = (0..<count).map { "\"t\($0)\":\"\"" }.joined(separator: ",")
      return try decode(.publish, "{\"channel\":\"c\",\"data\":1,\"tags\":{\(tags)}}")
    }
    for (limit, body) in [(10_000, broadcast), (1_000, batch), (64, tags)] {
      #expect(throws: Never.self) { try body(limit).get() }
      #expect(throws: APIError.badRequest) { try body(limit + 1).get() }
    }
  }

  @Test(
    arguments: [
      ("{\"channel\":\"c\"}", 0), ("{\"channel\":\"c\",\"limit\":5}", 5),
      ("{\"channel\":\"c\",\"limit\":-1}", nil),
    ] as [(String, Int?)])
  func historyLimits(_ body: String, _ limit: Int?) throws {
    guard case .history(let channel, let query) = try decode(.history, body).get() else {
      throw APIError.badRequest
    }
    #expect(channel == "c" && query.limit == limit && query.since == nil && !query.reverse)
  }

  @Test func historySince() throws {
    let body =
      #"{"channel":"c","limit":2,"reverse":true,"since":{"offset":18446744073709551615,"epoch":"e"}}"#
    guard case .history(_, let query) = try decode(.history, body).get() else { throw APIError.badRequest }
    #expect(query.since == StreamPosition(epoch: "e", offset: .max) && query.reverse)
  }

  @Test func aDisconnect() throws {
    let body =
      #"{"user":"ann","client":"c","session":"s","whitelist":["x"],"disconnect":{"code":4000,"reason":"r"}}"#
    guard case .disconnect(let who, let code, let reason) = try decode(.disconnect, body).get() else {
      throw APIError.badRequest
    }
    #expect(who.user == "ann" && who.client == "c" && who.session == "s" && who.except == ["x"])
    #expect(code == 4000 && reason == "r")
    guard case .disconnect(_, 3503, "force disconnect") = try decode(.disconnect, #"{"user":"a"}"#).get()
    else {
      throw APIError.badRequest
    }
  }

  @Test func aBatchKeepsItsErrorsInPlace() throws {
    let body =
      #"{"commands":[{"publish":{"channel":"c","data":1}},{"publish":{}},{"info":{}}],"parallel":true}"#
    guard case .batch(let commands, isParallel: true) = try decode(.batch, body).get() else {
      throw APIError.badRequest
    }
    #expect(commands.map(\.method) == [.publish, .publish, .info])
    #expect(throws: APIError.badRequest) { try commands[1].request.get() }
  }

  @Test func infoAndChannelsNeedNoBody() throws {
    for method in [APIMethod.info, .channels] { #expect(throws: Never.self) { try decode(method, "").get() } }
  }
}
