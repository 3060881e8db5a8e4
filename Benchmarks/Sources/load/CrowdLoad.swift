import Glibc
import WebSocketCore
import WebSockets

/// One message for all connections at a time: sent by the first of them, or posted; the next one when all have it. Lives on
/// one loop.
final class CrowdLoad: WebSocketHandler, @unchecked Sendable {
  private let payload: [UInt8]
  private let greeting: String?
  private let post: HTTPPost?
  private var hasBegun = false
  private var connections: [WebSocketConnection] = []
  private var missing = 0
  private var sentAt: UInt64 = 0
  private(set) var deliveries = 0
  private(set) var errors = 0
  /// From sending to the last delivery, of each message, in ns.
  private(set) var lastDeliveries: [UInt64] = []
  var isMeasuring = false {
    didSet {
      guard isMeasuring else { return }
      deliveries = 0
      lastDeliveries = []
    }
  }
  var isStopping = false

  init(size: Int, greeting: String?, post: HTTPPost?) {
    payload = (0..<size).map { 97 &+ UInt8(truncatingIfNeeded: $0 % 26) }
    self.greeting = greeting
    self.post = post
  }

  func begin(_ connections: [WebSocketConnection]) {
    self.connections = connections
    hasBegun = true
    send()
  }

  override func opened(_ connection: WebSocketConnection) {
    if let greeting { connection.send(greeting) }
  }

  override func received(
    _ message: UnsafeRawBufferPointer, _ kind: MessageKind, on connection: WebSocketConnection
  ) {
    if greeting == nil {
      if message.count != payload.count { errors += 1 }
    } else if !hasBegun || message.count < payload.count {
      // A reply to the greeting, or the server's own ping.
      return
    }
    if isMeasuring { deliveries += 1 }
    missing -= 1
    guard missing == 0 else { return }
    if isMeasuring { lastDeliveries.append(nanoseconds() - sentAt) }
    if !isStopping { send() }
  }

  override func closed(_ connection: WebSocketConnection, code: CloseCode, reason: String) {
    if !isStopping { errors += 1 }
  }

  /// The time in µs that the given part of the messages stayed below.
  func percentile(_ part: Double) -> Double {
    let sorted = lastDeliveries.sorted()
    guard !sorted.isEmpty else { return 0 }
    return Double(sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]) / 1_000
  }

  private func send() {
    missing = connections.count
    sentAt = nanoseconds()
    if let post {
      post.send(payload)
    } else {
      _ = payload.withUnsafeBytes { connections.first?.send($0, .text) }
    }
  }
}

/// POST requests on one connection whose responses are thrown away.
final class HTTPPost {
  private let descriptor: Int32
  private let head: String
  private let channel: String?

  /// - Parameters:
  ///   - target: a path on the server at the port.
  ///   - channel: what is posted is published there by Martlet's HTTP API, with the key of `--demo`.
  init?(port: UInt16, target: String, channel: String?) {
    self.channel = channel
    head =
      "POST \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nX-API-Key: demo-key\r\n"
      + "Content-Length: "
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { return nil }
  }

  func send(_ body: [UInt8]) {
    var responses = [UInt8](repeating: 0, count: 4_096)
    while recv(descriptor, &responses, responses.count, Int32(MSG_DONTWAIT)) > 0 {}
    var body = body
    if let channel {
      body = Array("{\"channel\":\"\(channel)\",\"data\":\"".utf8) + body + Array("\"}".utf8)
    }
    let request = Array("\(head)\(body.count)\r\n\r\n".utf8) + body
    _ = write(descriptor, request, request.count)
  }
}
