import Bytes
import EventLoops
import Glibc
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
    let answers = try exchange(requests.joined(), port: server.port).split(separator: "HTTP/1.1 ")
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

  /// Sends all, and reads until the server closes.
  private func exchange(_ text: String, port: UInt16) throws -> String {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var deadline = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
    let bytes = Array(text.utf8)
    try #require(send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 {
      received += buffer[..<count]
    }
    return String(decoding: received, as: UTF8.self)
  }
}
