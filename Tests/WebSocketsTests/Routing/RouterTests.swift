import EventLoops
import Testing

@testable import WebSockets

@Suite struct RouterTests {
  private final class Name: Sendable {
    let text: String
    init(_ text: String) { self.text = text }
  }

  private let router = Router { routes in
    routes.get("/") { _ in .text(.ok, "root") }
    routes.get("/rooms/{room}") { .text(.ok, "room \($0.parameters["room"] ?? "")") }
    routes.get("/rooms/lobby") { _ in .text(.ok, "the lobby") }
    routes.post("/rooms/{room}") { .text(.ok, "posted \(String(decoding: $0.body, as: UTF8.self))") }
    routes.get("/rooms/{room}/members/{member}") {
      .text(.ok, "\($0.parameters["room"] ?? "") \($0.parameters["member"] ?? "")")
    }
    routes.get("/rooms/lobby/rules") { _ in .text(.ok, "rules") }
    routes.get("/files/{path...}") { .text(.ok, "file \($0.parameters["path"] ?? "")") }
    routes.handle(.get, "/now") { exchange, _ in exchange.respond(.text(.ok, "now")) }
    routes.handle(.get, "/cookies") { exchange, request in
      exchange.respond(.text(.ok, "\(request.cookies["a"] ?? "") \(request.cookies["b"] ?? "")"))
    }
    routes.get("/broken") { _ in throw WebSocketError(.notOpen, "no") }
    routes.webSocket("/chat", subprotocols: ["v2.chat", "v1.chat"]) { _ in EchoingHandler() }
    routes.webSocket(
      "/strict", subprotocols: ["v2.chat"], configure: { $0.requiresSubprotocol = true }
    ) { _ in EchoingHandler() }
    routes.get("/both") { _ in .text(.ok, "page") }
    routes.webSocket("/both") { _ in EchoingHandler() }
    routes.webSocket("/async/{name}") { socket, request in
      try await socket.send("hello \(request.parameters["name"] ?? "")")
    }
  }

  private func ask(_ head: String, body: String = "") throws -> (status: Int, text: String) {
    let server = try SimulatedServer(router)
    let client = try server.connect()
    client.send(Array((head + "\r\nHost: x\r\nContent-Length: \(body.utf8.count)\r\n\r\n" + body).utf8))
    server.network.runUntilIdle()
    let response = String(decoding: client.takeReceived(), as: UTF8.self)
    return (Int(response.dropFirst(9).prefix(3)) ?? 0, response)
  }

  @Test(arguments: [
    ("/", "root"), ("/rooms/swift", "room swift"), ("/rooms/lobby", "the lobby"),
    ("/rooms/a%20b", "room a b"),
    ("/rooms/a%2Fb", "room a/b"), ("/rooms/%C3%A9?x=1", "room é"), ("/rooms/swift/members/7", "swift 7"),
    ("/rooms/lobby/rules", "rules"), ("/rooms/lobby/members/7", "lobby 7"),
    ("/files/a/b.txt", "file a/b.txt"),
    ("/files/", "file "), ("/files/a//b/", "file a//b/"), ("/now", "now"), ("/both", "page"),
  ])
  func findsTheRoute(path: String, text: String) throws {
    let answer = try ask("GET \(path) HTTP/1.1")
    #expect(answer.status == 200 && answer.text.hasSuffix("\r\n\r\n" + text))
  }

  @Test(arguments: [
    ("/nothing", 404), ("/rooms", 404), ("/rooms/", 404), ("/rooms/a/", 404), ("/files", 404), ("//", 404),
    ("/now/", 404), ("/rooms/%zz", 400), ("/rooms/%FF", 400), ("/rooms/%", 400), ("/broken", 500),
    ("/../now", 404),
    ("/chat", 426), ("/rooms/lobby/x", 404),
  ])
  func whatIsNotThere(path: String, status: Int) throws {
    #expect(try ask("GET \(path) HTTP/1.1").status == status)
  }

  @Test(arguments: [
    ("DELETE", "/rooms/a", "GET, HEAD, POST"), ("PUT", "/now", "GET, HEAD"), ("POST", "/chat", "GET"),
  ])
  func aMethodThatIsNotAllowed(method: String, path: String, allowed: String) throws {
    let answer = try ask("\(method) \(path) HTTP/1.1")
    #expect(answer.status == 405 && answer.text.contains("\r\nAllow: \(allowed)\r\n"))
  }

  @Test func methodsOfOnePath() throws {
    #expect(try ask("POST /rooms/x HTTP/1.1", body: "hi").text.hasSuffix("\r\n\r\nposted hi"))
    let head = try ask("HEAD /rooms/x HTTP/1.1")
    #expect(
      head.status == 200 && head.text.hasSuffix("\r\n\r\n") && head.text.contains("Content-Length: 6\r\n"))
  }

  @Test func cookiesAndFields() throws {
    let answer = try ask("GET /cookies HTTP/1.1\r\nCookie: a=1; b=x=y; a=2")
    #expect(answer.text.hasSuffix("\r\n\r\n1 x=y"))
  }

  private func open(_ path: String, offering subprotocols: String? = nil) throws -> String {
    let server = try SimulatedServer(router)
    let client = try server.connect()
    var request = openingRequest.replacing("/socket", with: path)
    if let subprotocols {
      request = String(request.dropLast(1)) + "Sec-WebSocket-Protocol: \(subprotocols)\r\n\r\n"
    }
    client.send(Array(request.utf8))
    server.network.runUntilIdle()
    return String(decoding: client.takeReceived(), as: UTF8.self)
  }

  @Test(
    arguments: [
      ("v1.chat, v2.chat", "v1.chat"), ("v2.chat, v1.chat", "v2.chat"), ("v3.chat, v1.chat", "v1.chat"),
      ("v3.chat", nil), (nil, nil),
    ] as [(String?, String?)])
  func theClientsFirstAcceptableSubprotocolIsChosen(offered: String?, chosen: String?) throws {
    let response = try open("/chat", offering: offered)
    #expect(response.hasPrefix("HTTP/1.1 101 "))
    let field = chosen.map { "\r\nSec-WebSocket-Protocol: \($0)\r\n" }
    #expect(response.contains("Sec-WebSocket-Protocol") == (chosen != nil))
    if let field { #expect(response.contains(field)) }
  }

  @Test func aRouteMayRequireASubprotocol() throws {
    #expect(try open("/strict", offering: "v2.chat").hasPrefix("HTTP/1.1 101 "))
    #expect(try open("/strict", offering: "v1.chat").hasPrefix("HTTP/1.1 400 "))
    #expect(try open("/strict").hasPrefix("HTTP/1.1 400 "))
  }

  @Test func aPathMayBeAPageAndAWebSocket() throws {
    #expect(try open("/both").hasPrefix("HTTP/1.1 101 "))
    #expect(try open("/now").hasSuffix("\r\n\r\nnow"))
  }

  @Test func anAsyncBodyHasItsParameters() throws {
    #expect(try open("/async/ann").contains("hello ann"))
  }

  @Test func foreignPagesAreRefused() throws {
    let server = try SimulatedServer(router)
    let client = try server.connect()
    let request = openingRequest.replacing("/socket", with: "/chat")
    client.send(Array((request.dropLast(1) + "Origin: http://evil\r\n\r\n").utf8))
    server.network.runUntilIdle()
    #expect(String(decoding: client.takeReceived(), as: UTF8.self).hasPrefix("HTTP/1.1 403 "))
  }
}
