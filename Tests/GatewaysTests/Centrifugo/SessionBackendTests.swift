import Bytes
import Testing

@testable import Gateways
@testable import Realtime

@Suite struct SessionBackendTests {
  private let backend = FakeBackend()

  private func world(_ change: (inout CentrifugoOptions) -> Void = { _ in }) -> SessionWorld {
    SessionWorld {
      $0.backend = backend
      change(&$0)
    }
  }

  private static let refused = SessionRefusal.error(
    CommandError(code: 1_000, message: "no", isTemporary: true))
  private static let over = SessionRefusal.disconnect(.shutdown)

  // MARK: Connecting

  @Test func connecting() {
    backend.keptHeaders = ["cookie", "x-token"]
    backend.onConnect = { request in
      #expect(request.name == "js" && request.version == "2" && request.channels == ["a"])
      #expect(request.data?.array == Array("[1]".utf8))
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch + 60
      answer.info = bytes(#"{"n":1}"#)
      answer.data = bytes("[2]")
      answer.channels = ["closed:x"]
      var subscribe = SessionSubscribeAnswer()
      subscribe.data = bytes("[3]")
      answer.subscriptions = [("closed:y", subscribe)]
      answer.meta = bytes("[4]")
      return .success(answer)
    }
    let client = world { $0.allowsAnonymous = false }.open()
    let reply =
      #"{"id":1,"connect":{"client":"c1","version":"1","expires":true,"ttl":60,"data":[2],"ping":25,"pong":true,"#
      + #""subs":{"closed:y":{"data":[3]},"closed:x":{}}}}"#
    let connect =
      #"{"id":1,"connect":{"name":"js","version":"2","data":[ 1 ],"subs":{"a":{}},"headers":{"#
      + #""Cookie":"c","X-Token":"t\n","Other":"o"}}}"#
    #expect(client.call(connect) == [reply])
    #expect(client.info?.user == "ann")
    #expect(client.info?.connectionInfo?.array == Array(#"{"n":1}"#.utf8))
    let caller = backend.callers[0]
    #expect(caller.client == "c1" && caller.user == "" && caller.meta == nil)
    #expect(caller.transport == "websocket" && caller.encoding == .json)
    #expect(caller.headers.map(\.name) == ["cookie"] && caller.headers.map(\.value) == ["c"])
    let later = client.session?.caller
    #expect(later?.user == "ann" && later?.meta?.array == Array("[4]".utf8))
  }

  @Test func connectingIsRefused() {
    backend.onConnect = { _ in .failure(Self.refused) }
    let client = world().open()
    let answer = client.call(#"{"id":1,"connect":{}}"#)
    #expect(answer == [#"{"id":1,"error":{"code":1000,"message":"no","temporary":true}}"#])
    backend.onConnect = { _ in .failure(Self.over) }
    #expect(client.call(#"{"id":2,"connect":{}}"#) == ["close 3001 shutdown"])
  }

  @Test func connectingTooLate() {
    backend.onConnect = { _ in
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch
      return .success(answer)
    }
    let client = world().open()
    #expect(client.call(#"{"id":1,"connect":{}}"#) == [#"{"id":1,"error":{"code":110,"message":"expired"}}"#])
    #expect(client.info == nil)
  }

  @Test func aTokenAsksNoBackend() {
    backend.onConnect = { _ in .failure(Self.over) }
    let client = world().connected("{\"token\":\"\(SessionWorld.token())\"}")
    #expect(client.info?.user == "ann" && backend.callers.isEmpty)
  }

  @Test func slowAnswers() {
    backend.isSlow = true
    backend.onConnect = { _ in .success(SessionConnectAnswer(user: "ann")) }
    let world = world()
    let (client, gone) = (world.open(), world.open())
    #expect(client.call(#"{"id":1,"connect":{}}"# + "\n" + #"{"id":2,"ping":{}}"#) == [])
    gone.send(#"{"id":1,"connect":{}}"#)
    world.run { gone.session?.closed() }
    world.run { self.backend.release() }
    #expect(
      client.take() == [
        #"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true}}"#, #"{"id":2,"ping":{}}"#,
      ])
    #expect(gone.take() == [] && gone.info == nil)
    #expect(world.hub.shards[0].clients.count == 1)
  }

  @Test func noConnectCommandButASlowBackend() {
    backend.isSlow = true
    backend.onConnect = { _ in .success(SessionConnectAnswer(user: "ann")) }
    let world = world()
    let client = world.open()
    client.send(#"{"id":1,"connect":{}}"#)
    world.advance(seconds: 10)
    #expect(client.take() == ["close 3502 stale"])
    world.run { self.backend.release() }
    #expect(client.take() == [])
  }

  @Test func headersAreLimited() {
    func kept(_ count: Int, _ bytes: Int) -> Int {
      let field = (name: "n", value: String(repeating: "v", count: bytes - 1))
      return CentrifugoSession.limited(Array(repeating: field, count: count)).count
    }
    #expect(kept(31, 10) == 31 && kept(32, 10) == 32 && kept(33, 10) == 32)
    #expect(kept(2, 4_095) == 2 && kept(2, 4_096) == 2 && kept(2, 4_097) == 1)
  }

  // MARK: Methods and messages

  @Test func calls() {
    backend.onCall = { request in
      guard request.method == "add" else { return .failure(.error(.methodNotFound)) }
      return .success(SessionCallAnswer(data: request.data.count > 0 ? request.data : nil))
    }
    let client = world().connected()
    #expect(
      client.call(#"{"id":2,"rpc":{"method":"add","data":[ 1,2 ]}}"#) == [#"{"id":2,"rpc":{"data":[1,2]}}"#])
    #expect(client.call(#"{"id":3,"rpc":{"method":"add"}}"#) == [#"{"id":3,"rpc":{}}"#])
    #expect(
      client.call(#"{"id":4,"rpc":{}}"#) == [#"{"id":4,"error":{"code":104,"message":"method not found"}}"#])
    backend.onCall = { _ in .failure(Self.over) }
    #expect(client.call(#"{"id":5,"rpc":{}}"#) == ["close 3001 shutdown"])
  }

  @Test func manyCallsThatWaitedAreAnsweredWithoutRecursion() {
    backend.isSlow = true
    backend.onCall = { _ in .success(SessionCallAnswer()) }
    let world = world()
    let client = world.connected()
    client.send((2...9_000).map { "{\"id\":\($0),\"rpc\":{}}" }.joined(separator: "\n"))
    backend.isSlow = false
    world.run { self.backend.release() }
    let answers = client.take()
    #expect(answers.count == 8_999 && answers.last == #"{"id":9000,"rpc":{}}"#)
  }

  @Test func messages() {
    #expect(world().connected().call(#"{"send":{"data":{"a": 1}}}"#) == [])
    #expect(backend.sent == [#"{"a":1}"#])
  }

  // MARK: Channels

  @Test func publishing() {
    backend.onPublish = { request in
      guard request.channel == "closed:x" else { return .failure(Self.refused) }
      var answer = SessionPublishAnswer()
      answer.data = request.data.count > 1 ? nil : bytes("[0]")
      return .success(answer)
    }
    let world = world()
    let listener = world.connected("{\"token\":\"\(SessionWorld.token { $0.channels = ["closed:x"] })\"}")
    let client = world.connected()
    #expect(
      client.call(#"{"id":2,"publish":{"channel":"closed:x","data":5}}"#) == [#"{"id":2,"publish":{}}"#])
    #expect(
      listener.take()
        == [#"{"push":{"channel":"closed:x","pub":{"data":[0],"info":{"user":"","client":"c2"}}}}"#])
    client.send(#"{"id":3,"publish":{"channel":"closed:x","data":55}}"#)
    #expect(listener.take().first?.contains(#""data":55,"#) == true)
    let refused = #"{"id":3,"error":{"code":1000,"message":"no","temporary":true}}"#
    #expect(client.call(#"{"id":3,"publish":{"channel":"plain:x","data":5}}"#).last == refused)
  }

  @Test func publishingWithoutHistory() {
    backend.onPublish = { _ in
      var answer = SessionPublishAnswer()
      answer.skipsHistory = true
      return .success(answer)
    }
    let client = world().connected()
    client.send(#"{"id":2,"publish":{"channel":"open:x","data":5}}"#)
    #expect(
      client.call(#"{"id":3,"history":{"channel":"open:x","limit":9}}"#).last
        == #"{"id":3,"history":{"publications":[],"epoch":"z"}}"#)
  }

  @Test func subscribing() {
    backend.onSubscribe = { request in
      guard request.channel.hasPrefix("closed") else { return .failure(Self.refused) }
      #expect(request.data?.array == Array("[1]".utf8))
      var answer = SessionSubscribeAnswer()
      answer.expiresAt = request.channel == "closed:late" ? SessionWorld.epoch : SessionWorld.epoch + 9
      answer.info = bytes("[2]")
      answer.data = bytes("[3]")
      return .success(answer)
    }
    let client = world().connected()
    #expect(
      client.call(#"{"id":2,"subscribe":{"channel":"closed:x","data":[ 1]}}"#)
        == [#"{"id":2,"subscribe":{"expires":true,"ttl":9,"data":[3]}}"#])
    #expect(
      client.call(#"{"id":3,"subscribe":{"channel":"closed:late","data":[1]}}"#)
        == [#"{"id":3,"error":{"code":110,"message":"expired"}}"#])
    #expect(
      client.call(#"{"id":4,"subscribe":{"channel":"open:x"}}"#)
        == [#"{"id":4,"error":{"code":1000,"message":"no","temporary":true}}"#])
    #expect(
      client.call(#"{"id":5,"subscribe":{"channel":"closed:x","data":[2]}}"#)
        == [#"{"id":5,"error":{"code":105,"message":"already subscribed"}}"#])
    let token = SessionWorld.token("") { $0.channel = "open:x" }
    #expect(
      client.call("{\"id\":6,\"subscribe\":{\"channel\":\"open:x\",\"token\":\"\(token)\"}}")
        == [#"{"id":6,"subscribe":{"epoch":"z"}}"#])
    #expect(backend.callers.count == 3)
  }

  // MARK: Time

  @Test func refreshing() {
    backend.refreshesSessions = true
    backend.onConnect = { _ in
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch + 10
      return .success(answer)
    }
    backend.onRefresh = { .success(SessionRefreshAnswer(expiresAt: SessionWorld.epoch + 20)) }
    let world = world { $0.pingIntervalMilliseconds = 0 }
    let client = world.open()
    // The client need not know when its time ends.
    #expect(client.call(#"{"id":1,"connect":{}}"#) == [#"{"id":1,"connect":{"client":"c1","version":"1"}}"#])
    world.advance(seconds: 9)
    #expect(backend.callers.count == 1)
    world.advance(seconds: 1)
    #expect(backend.callers.count == 2 && backend.callers[1].user == "ann")
    world.advance(seconds: 9)
    backend.onRefresh = { .success(SessionRefreshAnswer(isExpired: true)) }
    #expect(client.take() == [] && backend.callers.count == 2)
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3005 connection expired"])
  }

  @Test func refreshingFails() {
    backend.refreshesSessions = true
    backend.onConnect = { _ in
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch + 10
      return .success(answer)
    }
    let world = world { $0.pingIntervalMilliseconds = 0 }
    // Three ends: an error, no answer at all within the grace, and what a client must not do.
    backend.onRefresh = { .failure(Self.refused) }
    let first = world.connected()
    world.advance(seconds: 10)
    #expect(first.take() == ["close 3004 internal server error"])
    backend.onConnect = { _ in
      var answer = SessionConnectAnswer(user: "ann")
      answer.expiresAt = SessionWorld.epoch + 20
      return .success(answer)
    }
    let (second, third) = (world.connected(), world.connected())
    #expect(third.call(#"{"id":2,"refresh":{"token":"x"}}"#) == ["close 3501 bad request"])
    backend.isSlow = true
    world.advance(seconds: 34)
    #expect(second.take() == [])
    world.advance(seconds: 1)
    #expect(second.take() == ["close 3005 connection expired"])
    world.run { self.backend.release() }
    #expect(second.take() == [])
  }

  @Test func refreshingASubscription() {
    backend.refreshedChannels = ["closed:x"]
    backend.onSubscribe = { _ in
      var answer = SessionSubscribeAnswer()
      answer.expiresAt = SessionWorld.epoch + 10
      return .success(answer)
    }
    backend.onSubscriptionRefresh = { _ in .success(SessionRefreshAnswer(expiresAt: SessionWorld.epoch + 20))
    }
    let world = world { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected()
    #expect(client.call(#"{"id":2,"subscribe":{"channel":"closed:x"}}"#) == [#"{"id":2,"subscribe":{}}"#])
    world.advance(seconds: 10)
    #expect(client.take() == [] && backend.callers.count == 2)
    backend.onSubscriptionRefresh = { _ in .failure(Self.refused) }
    world.advance(seconds: 10)
    #expect(
      client.take() == [#"{"push":{"channel":"closed:x","unsubscribe":{"code":2501,"reason":"expired"}}}"#])
  }

  @Test func aSubscriptionOfTheServerEndsWithTheConnection() {
    backend.onConnect = { _ in
      var answer = SessionConnectAnswer()
      var subscribe = SessionSubscribeAnswer()
      subscribe.expiresAt = SessionWorld.epoch + 1
      answer.subscriptions = [("closed:x", subscribe)]
      return .success(answer)
    }
    let world = world { $0.pingIntervalMilliseconds = 0 }
    let client = world.connected()
    world.advance(seconds: 25)
    #expect(client.take() == [])
    world.advance(seconds: 1)
    #expect(client.take() == ["close 3006 subscription expired"])
  }
}
