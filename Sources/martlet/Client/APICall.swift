import Bytes
import EventLoops
import HTTPCore
import JSON
import Transport
import WebSockets

/// One call of a server's HTTP API on a connection of its own. Loop-confined.
final class APICall: ConnectionHandler, TimerTarget, @unchecked Sendable {
  private static let timeoutMilliseconds: UInt64 = 10_000

  private let request: [UInt8]
  private var decoder = HTTPResponseDecoder()
  private var status: HTTPStatus?
  private var body: [UInt8] = []
  private var timer: TimerID?
  private var done: ((Result<JSONValue, Problem>) -> Void)?

  private init(request: [UInt8], done: @escaping (Result<JSONValue, Problem>) -> Void) {
    self.request = request
    self.done = done
  }

  /// `POST /api/<method>`; returns the `result` of the answer.
  static func post(
    _ method: String, _ body: [UInt8], to server: ServerAddress, key: String, on loop: EventLoop
  ) async throws(Problem) -> JSONValue {
    var fields = HTTPFields()
    fields.append("Host", server.authority)
    fields.append("X-API-Key", key)
    fields.append("Content-Type", "application/json")
    fields.append("Content-Length", String(body.count))
    fields.append("Connection", "close")
    var writer = ByteWriter()
    do {
      try HTTPEncoder.encode(
        HTTPRequestHead(method: .post, target: server.apiTarget(method), fields: fields), into: &writer)
    } catch {
      throw .usage("the request cannot be written: \(error)")
    }
    let request = writer.bytes + body
    let result = await withCheckedContinuation { continuation in
      loop.execute {
        let call = APICall(request: request) { continuation.resume(returning: $0) }
        call.start(server, loop)
      }
    }
    return try result.get()
  }

  private func start(_ server: ServerAddress, _ loop: EventLoop) {
    let port = UInt16(clamping: server.port)
    var first: ConnectionHandler = self
    if server.isSecure {
      do {
        first = TLSStage(
          try TLSClientContext(server.tls), host: server.host, port: port,
          deadline: loop.nowMilliseconds + Self.timeoutMilliseconds, next: self
        ) { [self] in end(.failure(.failure(Explanation.of($0)))) }
      } catch {
        return end(.failure(.usage(Explanation.of(error))))
      }
    }
    Connector.connect(loop: loop, host: server.host, port: port, handler: first) { [self] result in
      if case .failure(let error) = result { end(.failure(.failure(Explanation.of(error)))) }
    }
  }

  override func connected(_ connection: Connection) {
    timer = connection.loop.schedule(after: Self.timeoutMilliseconds, self, token: 0)
    request.withUnsafeBytes { connection.write($0) }
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    var input = UnsafeRawBufferPointer(bytes)
    do {
      while done != nil, let event = try decoder.next(&input) { handle(event) }
    } catch {
      end(.failure(.failure("the server's answer is not valid HTTP: \(error)")))
    }
    if done == nil { close(connection) }
  }

  override func receivedEnd(on connection: Connection) {
    // What ends with the stream may have been cut on the way.
    if !connection.isTruncated, let event = try? decoder.endOfInput() { handle(event) }
    close(connection)
  }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    end(.failure(.failure("the server ended the connection before it answered")))
  }

  func timerFired(_ token: UInt64) {
    timer = nil
    end(.failure(.failure("the server has not answered in \(Self.timeoutMilliseconds / 1_000) s")))
  }

  private func close(_ connection: Connection) {
    if let timer { connection.loop.cancel(timer) }
    timer = nil
    connection.close()
  }

  private func handle(_ event: HTTPResponseEvent) {
    switch event {
    case .head(let head): status = head.status
    case .body(let bytes): body.append(contentsOf: bytes)
    case .end: end(outcome())
    }
  }

  private func end(_ result: Result<JSONValue, Problem>) {
    done?(result)
    done = nil
  }

  private func outcome() -> Result<JSONValue, Problem> {
    guard let status else { return .failure(.failure("the server gave no answer")) }
    switch status.code {
    case 200: break
    case 401, 403: return .failure(.failure("the server does not accept the API key (HTTP status \(status))"))
    case 404: return .failure(.failure("there is no HTTP API at that address (HTTP status \(status))"))
    default: return .failure(.failure("HTTP status \(status)"))
    }
    guard let answer = try? JSONValue(parsing: body) else {
      return .failure(.failure("the server's answer is not JSON"))
    }
    if let error = answer["error"] {
      let message = error["message"]?.stringValue ?? "unknown error"
      return .failure(.failure("\(message) (\(error["code"]?.intValue ?? 0))"))
    }
    return .success(answer["result"] ?? .null)
  }
}
