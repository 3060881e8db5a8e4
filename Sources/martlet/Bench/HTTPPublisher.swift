import Bytes
import EventLoops
import HTTPCore
import Transport
import WebSockets

/// Publishes by HTTP POST, one request after the other on a connection that stays open. Loop-confined.
final class HTTPPublisher: ConnectionHandler, @unchecked Sendable {
  private let loop: EventLoop
  private let server: ServerAddress
  private let head: (_ bodyCount: Int) -> [UInt8]
  private var decoder = HTTPResponseDecoder()
  private var connection: Connection?
  private var isConnecting = false
  private var isAnswerDue = false
  private var closesAfterAnswer = false
  private var waiting: [[UInt8]] = []
  private var status: HTTPStatus?
  private var body: [UInt8] = []
  private(set) var errors = ErrorTally()

  /// - Parameters:
  ///   - target: path and query of the request.
  ///   - key: sent as `X-API-Key`.
  init(_ loop: EventLoop, _ server: ServerAddress, target: String, key: String?) {
    self.loop = loop
    self.server = server
    head = { count in
      var fields = HTTPFields()
      fields.append("Host", server.authority)
      if let key { fields.append("X-API-Key", key) }
      fields.append("Content-Type", key == nil ? "text/plain" : "application/json")
      fields.append("Content-Length", String(count))
      var writer = ByteWriter()
      try? HTTPEncoder.encode(
        HTTPRequestHead(method: .post, target: target, fields: fields), into: &writer)
      return writer.bytes
    }
  }

  /// Sends `body` when those before it are answered.
  func publish(_ body: [UInt8]) {
    waiting.append(head(body.count) + body)
    sendNext()
  }

  func close() { connection?.close() }

  private func sendNext() {
    guard !isAnswerDue, !waiting.isEmpty else { return }
    guard let connection else { return connect() }
    isAnswerDue = true
    decoder.expect(.post)
    waiting.removeFirst().withUnsafeBytes { connection.write($0) }
  }

  private func connect() {
    guard !isConnecting else { return }
    isConnecting = true
    let port = UInt16(clamping: server.port)
    var first: ConnectionHandler = self
    if server.isSecure {
      do {
        first = TLSStage(
          try TLSClientContext(server.tls), host: server.host, port: port,
          deadline: loop.nowMilliseconds + 10_000, next: self
        ) { [self] in failed($0) }
      } catch {
        return failed(error)
      }
    }
    Connector.connect(loop: loop, host: server.host, port: port, handler: first) { [self] result in
      if case .failure(let error) = result { failed(error) }
    }
  }

  /// What waits is lost; publishing more tries again.
  private func failed(_ error: TransportError) {
    isConnecting = false
    errors.add("publishing: \(Explanation.of(error))", max(1, waiting.count))
    waiting = []
  }

  override func connected(_ connection: Connection) {
    isConnecting = false
    self.connection = connection
    decoder = HTTPResponseDecoder()
    sendNext()
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while let event = try decoder.next(&input) { take(event) }
    } catch {
      errors.add("publishing: the server's answer is not valid HTTP: \(error)")
      connection.abort()
    }
  }

  override func receivedEnd(on connection: Connection) { connection.close() }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    self.connection = nil
    if isAnswerDue { errors.add("publishing: the server ended the connection before it answered") }
    isAnswerDue = false
    closesAfterAnswer = false
    sendNext()
  }

  private func take(_ event: HTTPResponseEvent) {
    switch event {
    case .head(let head):
      status = head.status
      closesAfterAnswer = head.fields.values(of: "Connection").contains { $0.lowercased() == "close" }
      body = []
    case .body(let bytes): if body.count < 4_096 { body.append(contentsOf: bytes) }
    case .end: answered()
    }
  }

  private func answered() {
    guard isAnswerDue else { return }
    isAnswerDue = false
    if let status, !(200..<300).contains(status.code) {
      errors.add("publishing: HTTP status \(status)")
    } else if body.starts(with: #"{"error""#.utf8) {
      errors.add("publishing: \(quoted(String(decoding: body, as: UTF8.self), limit: 120))")
    }
    if closesAfterAnswer { connection?.close() } else { sendNext() }
  }
}
