import EventLoops
import HTTPCore
import Testing

@testable import Gateways
@testable import Realtime

@Suite struct HTTPBackendTests {
  /// A session and the backend that it asks.
  private final class World {
    let sessions: SessionWorld
    let server: SimulatedHTTPServer
    let counters = BackendCounters()

    init(
      _ events: [BackendEvent] = BackendEvent.allCases, hasPings: Bool = true,
      _ change: (inout HTTPBackendOptions) -> Void = { _ in }
    ) throws {
      var options = HTTPBackendOptions()
      for event in events {
        options.endpoints[event] = try WebURL("http://127.0.0.1/\(event.rawValue)", schemes: ["http"])
      }
      change(&options)
      // The loops are the world's, and the backend is among its options.
      let box = Box()
      let sessions = SessionWorld {
        $0.backend = box
        if !hasPings { $0.pingIntervalMilliseconds = 0 }
      }
      self.sessions = sessions
      let clock = sessions.clock
      box.backend = HTTPBackend(
        loops: sessions.loops, options: options, counters: counters, now: { clock.seconds })
      server = SimulatedHTTPServer(sessions.network)
    }

    /// A client that the backend has let in as Ann.
    func connected(_ result: String = #"{"user":"ann"}"#) -> TestClient {
      let client = sessions.open()
      client.send(#"{"id":1,"connect":{}}"#)
      _ = server.take()
      server.answer(#"{"result":\#(result)}"#)
      _ = client.take()
      return client
    }

    func count(_ name: String) -> UInt64? { counters.values.first { $0.name == name }?.value }
  }

  /// Hands on to a backend that is made later.
  private final class Box: SessionBackend, @unchecked Sendable {
    var backend: HTTPBackend?
    var keptHeaders: [String] { backend?.keptHeaders ?? [] }
    var refreshesSessions: Bool { backend?.refreshesSessions ?? false }
    func refreshesSubscriptions(to channel: String) -> Bool {
      backend?.refreshesSubscriptions(to: channel) ?? false
    }
    func connect(
      _ request: SessionConnectRequest, of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionConnectAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.connect(request, of: caller, done: done) ?? false }
    func subscribe(
      _ request: SessionSubscribeRequest, of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionSubscribeAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.subscribe(request, of: caller, done: done) ?? false }
    func publish(
      _ request: SessionPublishRequest, of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionPublishAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.publish(request, of: caller, done: done) ?? false }
    func call(
      _ request: SessionCallRequest, of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionCallAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.call(request, of: caller, done: done) ?? false }
    func refresh(
      of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.refresh(of: caller, done: done) ?? false }
    func refreshSubscription(
      to channel: String, of caller: SessionCaller,
      done: @escaping @Sendable (Result<SessionRefreshAnswer, SessionRefusal>) -> Void
    ) -> Bool { backend?.refreshSubscription(to: channel, of: caller, done: done) ?? false }
  }

  @Test func connecting() throws {
    let world = try World([.connect]) {
      $0.passedHeaders = ["x-a"]
      $0.fields.append("X-Key", "k")
    }
    let client = world.sessions.open()
    client.send(
      #"{"id":1,"connect":{"name":"js","version":"2","data":{"a": 1.50},"subs":{"s":{}},"headers":{"X-A":"1","X-Key":"n"}}}"#
    )
    let request = try #require(world.server.take().first)
    #expect(request.hasPrefix("POST /connect HTTP/1.1\r\n"))
    #expect(request.contains("\r\nX-Key: k\r\nx-a: 1\r\nContent-Type: application/json\r\n"))
    #expect(
      request.hasSuffix(
        #"{"client":"c1","transport":"websocket","protocol":"json","encoding":"json","name":"js","version":"2","#
          + #""data":{"a":1.50},"channels":["s"]}"#))
    #expect(client.take().isEmpty)
    world.server.answer(
      #"{"result":{"user":"ann","expire_at":1700000060,"info":{"n": 1.10},"data":[1],"channels":["plain:a"],"#
        + #""subs":{"plain:b":{"b64data":"WzIgXQ=="}},"meta":{"m":1},"#
        + #""caps":[{"channels":["closed:*"],"match":"wildcard","allow":["sub"]}]}}"#)
    let reply = try #require(client.take().first)
    #expect(
      reply.hasPrefix(
        #"{"id":1,"connect":{"client":"c1","version":"1","expires":true,"ttl":60,"data":[1],"ping":25,"pong":true,"#
      ))
    #expect(reply.contains(#""plain:a":{}"#) && reply.contains(#""plain:b":{"data":[2]}"#))
    #expect(client.info?.user == "ann")
    #expect(client.info?.connectionInfo?.array == Array(#"{"n":1.10}"#.utf8))
    #expect(client.call(#"{"id":2,"subscribe":{"channel":"closed:x"}}"#) == [#"{"id":2,"subscribe":{}}"#])
  }

  @Test(arguments: [
    (
      #"{"error":{"code":1000,"message":"no","temporary":true}}"#,
      #"{"id":1,"error":{"code":1000,"message":"no","temporary":true}}"#
    ),
    (#"{"error":{"code":403,"message":"no"}}"#, #"{"id":1,"error":{"code":403,"message":"no"}}"#),
    (#"{"disconnect":{"code":4501,"reason":"go"}}"#, "close 4501 go"),
  ])
  func refusals(answer: String, outcome: String) throws {
    let world = try World([.connect])
    let client = world.sessions.open()
    client.send(#"{"id":1,"connect":{}}"#)
    _ = world.server.take()
    world.server.answer(answer)
    #expect(client.take() == [outcome])
  }

  private static let internalError =
    #"{"id":2,"error":{"code":100,"message":"internal server error","temporary":true}}"#

  @Test(arguments: [
    ("", 200), ("nonsense", 200), ("{}", 200), ("[]", 200), (#"{"result":null}"#, 200),
    (#"{"result":[]}"#, 200),
    (#"{"error":{}}"#, 200), (#"{"error":{"code":0}}"#, 200), (#"{"error":{"code":-1}}"#, 200),
    (#"{"disconnect":{"code":99999,"reason":""}}"#, 200), (#"{"disconnect":{"code":1000,"reason":""}}"#, 200),
    (#"{"result":{}}"#, 500), (#"{"result":{}}"#, 302), (#"{"result":{}}"#, 404),
    (#"{"result":{"allow":"pub"}}"#, 200),
  ])
  func answersOfABackendThatIsOutOfOrder(answer: String, status: Int) throws {
    let world = try World()
    let client = world.connected()
    client.send(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#)
    _ = world.server.take()
    world.server.answer(answer, status: status)
    #expect(client.take() == [Self.internalError])
    #expect(world.count("backend_failures") == 1)
  }

  @Test func noAnswerInTime() throws {
    let log = TestLog()
    let world = try World {
      $0.breakerThreshold = 2
      $0.log = log.log
    }
    let client = world.connected()
    for _ in 0..<2 {
      client.send(#"{"id":2,"rpc":{"method":"m"}}"#)
      world.sessions.advance(seconds: 3)
      #expect(client.take() == [Self.internalError])
    }
    // The breaker is open: the answer is there at once.
    _ = world.server.take()
    #expect(client.call(#"{"id":2,"rpc":{"method":"m"}}"#) == [Self.internalError])
    #expect(world.server.take().isEmpty)
    #expect(world.count("backend_rejections") == 1)
    #expect(world.count("backend_breaker_openings") == 1)
    world.sessions.advance(seconds: 5)
    client.send(#"{"id":2,"rpc":{"method":"m"}}"#)
    #expect(world.server.take().count == 1)
    world.server.answer(#"{"result":{"data":1}}"#)
    #expect(client.take() == [#"{"id":2,"rpc":{"data":1}}"#])
    let failure = "warning the backend has failed event=rpc error=\"127.0.0.1 has not answered in 3.0 s.\""
    #expect(
      log.take() == [
        failure, failure, "error   the backend is not asked for a while event=rpc loop=0 pause_ms=5000",
        "info    the backend is asked again event=rpc loop=0",
      ])
  }

  @Test func callingAndPublishing() throws {
    let world = try World { $0.includesMeta = true }
    let client = world.connected(#"{"user":"ann","meta":{"m":1},"channels":["plain:a"]}"#)
    let head =
      #"{"client":"c1","transport":"websocket","protocol":"json","encoding":"json","meta":{"m":1},"user":"ann""#
    client.send(#"{"id":2,"rpc":{"method":"sum","data":[1, 2]}}"#)
    #expect(world.server.takeBody() == head + #","method":"sum","data":[1,2]}"#)
    world.server.answer(#"{"result":{"data":3}}"#)
    #expect(client.take() == [#"{"id":2,"rpc":{"data":3}}"#])
    client.send(#"{"id":3,"publish":{"channel":"plain:a","data":"x"}}"#)
    #expect(world.server.takeBody() == head + #","channel":"plain:a","data":"x"}"#)
    world.server.answer(#"{"result":{"data":"y"}}"#)
    #expect(client.take().contains { $0.contains(#""data":"y""#) })
  }

  @Test func subscribing() throws {
    let world = try World { $0.namespaces = ["closed"] }
    let client = world.connected()
    #expect(client.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#) == [#"{"id":2,"subscribe":{}}"#])
    client.send(#"{"id":3,"subscribe":{"channel":"closed:a","data":7}}"#)
    #expect(world.server.takeBody().hasSuffix(#""user":"ann","channel":"closed:a","data":7}"#))
    world.server.answer(#"{"result":{"info":{"i":1},"data":{"d":1},"expire_at":1700000010,"allow":["pub"]}}"#)
    #expect(client.take() == [#"{"id":3,"subscribe":{"data":{"d":1}}}"#])
    // More time is the backend's to give, and to refuse.
    world.sessions.advance(seconds: 10)
    #expect(world.server.takeBody().hasSuffix(#""user":"ann","channel":"closed:a"}"#))
    world.server.answer(#"{"result":{"expired":true}}"#)
    #expect(client.take().last?.contains(#""unsubscribe""#) == true)
  }

  @Test func whoIsInStaysInWhileTheBackendIsAway() throws {
    let world = try World(hasPings: false)
    let client = world.connected(#"{"user":"ann","expire_at":1700000010}"#)
    world.sessions.advance(seconds: 10)
    _ = world.server.take()
    world.server.answer("", status: 503)
    #expect(client.session?.expiresAt == SessionWorld.epoch + 10 + HTTPBackend.graceSeconds)
    world.sessions.advance(seconds: 60)
    #expect(world.server.take().count == 1)
    world.server.answer(#"{"result":{"expire_at":1800000000}}"#)
    #expect(client.session?.expiresAt == 1_800_000_000)
  }

  @Test func whatIsNotConfiguredIsNotAsked() throws {
    let world = try World([])
    let client = world.sessions.connected()
    #expect(client.call(#"{"id":2,"subscribe":{"channel":"plain:a"}}"#) == [#"{"id":2,"subscribe":{}}"#])
    #expect(world.server.take().isEmpty)
    #expect(world.count("backend_requests") == 0)
  }
}
