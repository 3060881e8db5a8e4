import EventLoops
import HTTPCore
import JSON
import Synchronization
import Testing
import WebSocketCore
import WebSockets

@testable import martlet

/// A server that plays its part line by line: each connection has a script of what to answer to each message, and
/// ends with a close code.
private final class ScriptedServer: HTTPService {
  struct Scene {
    /// The answers to the first, second, … message.
    var answers: [String]
    /// Sent after the last answer; nil leaves the connection open.
    var closeCode: UInt16?
  }

  private let scenes: Mutex<[Scene]>
  let heard = Mutex<[[String]]>([])

  init(_ scenes: [Scene]) { self.scenes = Mutex(scenes) }

  func handle(_ exchange: HTTPExchange) {
    let scene = scenes.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    guard let scene else { return exchange.respond(.text(.notFound, "no more scenes")) }
    heard.withLock { $0.append([]) }
    exchange.upgrade(to: Actor(scene, self))
  }

  private final class Actor: WebSocketHandler {
    private var answers: ArraySlice<String>
    private let closeCode: UInt16?
    private let server: ScriptedServer

    init(_ scene: Scene, _ server: ScriptedServer) {
      answers = scene.answers[...]
      closeCode = scene.closeCode
      self.server = server
    }

    override func received(
      _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
    ) {
      let text = String(decoding: message, as: UTF8.self)
      server.heard.withLock { $0[$0.count - 1].append(text) }
      if let answer = answers.popFirst() { connection.send(answer) }
      if answers.isEmpty, let closeCode { connection.close(code: CloseCode(rawValue: closeCode)) }
    }
  }
}

@Suite("Realtime client", .serialized) struct RealtimeClientTests {
  private static let connected = #"{"id":1,"connect":{"client":"c","ping":25,"pong":true}}"#
  private static let backoff = Backoff(baseMilliseconds: 1, maximumMilliseconds: 5)

  /// Runs a client against the scenes until it has said `ending`, and returns all that it said and the server heard.
  private func play(
    _ scenes: [ScriptedServer.Scene], until ending: String
  ) async throws -> (said: [String], heard: [[String]]) {
    let group = EventLoopGroup(loops: 1)
    let service = ScriptedServer(scenes)
    let server = try await HTTPServer.start(group: group, host: "127.0.0.1", port: 0, service: service)
    let url = "ws://127.0.0.1:\(server.port)/connection/websocket"
    let (events, told) = AsyncStream<String>.makeStream()
    let loop = group.loops[0]
    loop.execute {
      let client = RealtimeClient(
        loop: loop, url: url, session: ClientSession(token: nil, data: nil), backoff: Self.backoff
      ) { told.yield(Self.line($0)) }
      client.subscribe("c")
      client.start()
    }
    var said: [String] = []
    for await event in events {
      said.append(event)
      if event == ending { break }
    }
    let heard = service.heard.withLock { $0 }
    group.shutdown()
    return (said, heard)
  }

  private static func line(_ event: RealtimeClient.Event) -> String {
    switch event {
    case .session(.publication(_, let publication)): "publication \(publication.offset)"
    case .session(.subscribed(_, let hasGap)): hasGap ? "subscribed with a gap" : "subscribed"
    case .session(.connected): "connected"
    case .session(let other): "\(other)"
    case .waiting: "waiting"
    case .ended(let reason): "ended: \(reason)"
    }
  }

  @Test("After a lost connection it comes back and goes on where it was")
  func recovery() async throws {
    let first = #"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":4}}"#
    let second =
      #"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":6,"was_recovering":true,"recovered":true,"#
      + #""publications":[{"data":5,"offset":5},{"data":6,"offset":6}]}}"#
    let (said, heard) = try await play(
      [
        .init(
          answers: [Self.connected, first + "\n" + #"{"push":{"channel":"c","pub":{"data":1,"offset":5}}}"#],
          closeCode: 3001),
        .init(answers: [Self.connected, second]),
      ], until: "publication 6")
    #expect(
      said == [
        "connected", "subscribed", "publication 5", "waiting", "connected", "subscribed", "publication 6",
      ])
    #expect(heard[1].last?.contains(#""recover":true,"epoch":"e","offset":5"#) == true)
  }

  @Test("Codes that say so, and refusals, end it")
  func endings() async throws {
    let refusal = #"{"id":1,"error":{"code":101,"message":"unauthorized"}}"#
    let ending = "ended: the server refused the connection: unauthorized (101)"
    #expect(try await play([.init(answers: [refusal])], until: ending).said == [ending])

    let push = #"{"push":{"disconnect":{"code":3500,"reason":"invalid token"}}}"#
    let pushed = "ended: invalid token (3500)"
    #expect(try await play([.init(answers: [push])], until: pushed).said == [pushed])

    let closed = "ended: the connection was closed (3500)"
    #expect(try await play([.init(answers: [""], closeCode: 3_500)], until: closed).said == [closed])

    let missing =
      "ended: the server refused the WebSocket: HTTP status 404 Not Found (is the path right?);"
      + " it says \"no more scenes\""
    #expect(try await play([], until: missing).said == [missing])
  }

  @Test("What is not JSON ends the connection, not the client")
  func nonsense() async throws {
    let (said, _) = try await play(
      [.init(answers: ["{"]), .init(answers: [Self.connected])], until: "connected")
    #expect(said == ["waiting", "connected"])
  }

  @Test("Pings are answered")
  func pings() async throws {
    let (said, heard) = try await play(
      [.init(answers: [Self.connected, "{}", #"{"id":2,"subscribe":{}}"#])], until: "subscribed")
    #expect(said == ["connected", "ping", "subscribed"])
    #expect(heard == [[heard[0][0], heard[0][1], "{}"]])
  }
}
