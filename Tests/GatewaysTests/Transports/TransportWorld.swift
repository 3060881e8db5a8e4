import EventLoops
import HTTPCore
import Testing
import Transport
import WebSocketCore

@testable import Gateways
@testable import Realtime
@testable import WebSockets

/// A whole server on two simulated loops, a port each, with virtual time, and raw clients of it.
final class TransportWorld {
  let sessions = SessionWorld(loops: 2)
  let counters = TransportCounters()
  let serverCounters = ServerCounters()
  let registries: [ConnectionRegistry]
  private let listeners: [LoopListener]

  var network: SimulatedNetwork { sessions.network }

  init(_ change: (inout RealtimeServerOptions) -> Void = { _ in }) throws {
    var options = RealtimeServerOptions(sessions: sessions.options)
    options.transports.node = "n"
    options.transports.counters = counters
    change(&options)
    let hub = sessions.hub
    let api = HTTPAPI(
      hub: hub, keys: ["k"], node: NodeIdentity(uid: "", name: "", version: ""), uptimeSeconds: { 0 })
    let service = RealtimeServer(hub: hub, api: api, options: options, counters: sessions.counters)
    var serverOptions = HTTPServerOptions()
    serverOptions.counters = serverCounters
    let registries = sessions.loops.map { [serverOptions] in
      ConnectionRegistry(loop: $0, options: serverOptions)
    }
    self.registries = registries
    listeners = try sessions.loops.enumerated().map { index, loop in
      let listener = try LoopListener.start(loop, .loopback(port: 9_000 + UInt16(index))) { _ in
        HTTPServerConnection(service: service, registry: registries[index])
      }.get()
      listener.resume()
      return listener
    }
  }

  deinit {
    for registry in registries {
      registry.loop.execute { for connection in registry.all { connection.abort() } }
    }
    network.runUntilIdle()
    for listener in listeners { listener.close() }
    network.advance(milliseconds: 60_000)
  }

  func connect(loop: Int = 0) throws -> RawPeer {
    let socket = try #require(network.connect(to: listeners[loop].address))
    network.runUntilIdle()
    return RawPeer(self, socket)
  }

  /// One request on a connection of its own, and all that comes of it now.
  func exchange(_ line: String, _ body: String = "", loop: Int = 0, fields: String = "") throws -> RawPeer {
    let peer = try connect(loop: loop)
    peer.request(line, body, fields: fields)
    return peer
  }

  /// Clients that the hub knows.
  var clientCount: Int { sessions.hub.shards.reduce(0) { $0 + $1.clients.count } }

  func runUntilIdle() { network.runUntilIdle() }
  func advance(milliseconds: UInt64) { network.advance(milliseconds: milliseconds) }
  func advance(seconds: UInt64) { sessions.advance(seconds: seconds) }
  func publish(_ json: String, to channel: String) { sessions.publish(json, to: channel) }

  func drain() {
    for registry in registries {
      registry.loop.execute {
        registry.isDraining = true
        for connection in registry.all {
          connection.drain(code: CloseCode(rawValue: 3001), reason: "shutdown")
        }
      }
    }
    network.runUntilIdle()
  }

  func count(of name: String) -> UInt64? { counters.values.first { $0.name == name }?.value }
}

/// A client's end of a connection.
final class RawPeer {
  let world: TransportWorld
  let socket: SimulatedSocket

  init(_ world: TransportWorld, _ socket: SimulatedSocket) {
    self.world = world
    self.socket = socket
  }

  func request(_ line: String, _ body: String = "", fields: String = "") {
    let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
    socket.send("\(line) HTTP/1.1\r\nHost: h\r\n\(fields)\(length)\r\n\(body)".utf8)
    world.network.runUntilIdle()
  }

  /// A request whose body is bytes, as clients of Protobuf make it.
  func request(_ line: String, bytes: [UInt8], type: String = "application/octet-stream") {
    let fields = "Content-Type: \(type)\r\nContent-Length: \(bytes.count)\r\n"
    socket.send(Array("\(line) HTTP/1.1\r\nHost: h\r\n\(fields)\r\n".utf8) + bytes)
    world.network.runUntilIdle()
  }

  /// What has come.
  func take() -> String { String(decoding: socket.takeReceived(), as: UTF8.self) }

  /// The status of a response that has come, and what is behind its head.
  func response() -> (status: String, head: String, body: String) {
    let text = take()
    guard let end = text.firstRange(of: "\r\n\r\n") else { return ("", text, "") }
    return (
      String(text.dropFirst(9).prefix(3)), String(text[..<end.lowerBound]), String(text[end.upperBound...])
    )
  }

  /// The payloads of chunks.
  func chunks(_ text: String? = nil) -> [String] {
    var rest = (text ?? take())[...]
    var chunks: [String] = []
    while let end = rest.firstRange(of: "\r\n"), let count = Int(rest[..<end.lowerBound], radix: 16) {
      let bytes = rest[end.upperBound...].utf8
      chunks.append(String(decoding: bytes.prefix(count), as: UTF8.self))
      rest = Substring(decoding: bytes.dropFirst(count + 2), as: UTF8.self)
    }
    return chunks
  }
}

/// `text` as it stands in a query.
func queryEncoded(_ text: String) -> String {
  text.utf8.map { byte in
    let isPlain = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    if isPlain { return String(UnicodeScalar(byte)) }
    let digits = String(byte, radix: 16)
    return "%" + (digits.count == 1 ? "0" : "") + digits
  }.joined()
}

/// `text` as a JSON string.
func quoted(_ text: String) -> String {
  "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
}
