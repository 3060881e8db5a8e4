import Bytes
import EventLoops
import HTTPCore
import Realtime
import Testing
import WebSockets

@testable import Gateways

/// The service on a real server: what it decides arrives as an HTTP response, also when another loop owns the channel.
@Suite struct HTTPAPIServiceTests {
  @Test func answersOnOneConnection() async throws {
    let group = EventLoopGroup(loops: 2)
    let hub = Hub(
      loops: group.loops, namespaces: Namespaces(default: NamespaceOptions()), encodings: [],
      wallClock: { 0 },
      randomBits: { 35 })
    let api = HTTPAPI(
      hub: hub, keys: ["secret"], node: NodeIdentity(uid: "", name: "", version: ""), uptimeSeconds: { 0 })
    let server = try await HTTPServer.start(group: group, host: "127.0.0.1", port: 0, service: api)
    let requests =
      (0..<8).map { request("publish", key: "secret", #"{"channel":"c\#($0)","data":1}"#) }
      + [
        request("publish", key: "secret", "{}"), request("publish", key: "secret", "{"),
        request("publish", key: "wrong", "{}"), request("publish", verb: "GET", key: "secret", ""),
        request("nothing", key: "secret", "", last: true),
      ]
    let client = try LoopbackClient(port: server.port)
    try client.send(requests.joined())
    let answers = client.receiveText().split(separator: "HTTP/1.1 ")
    #expect(
      answers.map { $0.prefix(3) }
        == Array(repeating: "200", count: 9) + ["400", "401", "405", "404"])
    for answer in answers.prefix(8) {
      #expect(answer.hasSuffix("\r\n\r\n{\"result\":{}}"))
      #expect(answer.contains("Content-Type: application/json\r\n"))
    }
    #expect(answers.count > 11 && answers[11].contains("Allow: POST\r\n"))
    await server.shutdown(graceMilliseconds: 0)
    group.shutdown()
  }

  private func request(
    _ method: String, verb: String = "POST", key: String, _ body: String, last: Bool = false
  ) -> String {
    "\(verb) /api/\(method) HTTP/1.1\r\nHost: h\r\nX-API-Key: \(key)\r\nContent-Length: \(body.utf8.count)\r\n"
      + (last ? "Connection: close\r\n\r\n" : "\r\n") + body
  }
}
