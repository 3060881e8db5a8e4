import EventLoops
import HTTPCore
import JSON
import WebSockets

/// One call of a server's HTTP API, on a connection of its own.
enum APICall {
  private static let timeoutMilliseconds: UInt64 = 10_000

  /// `POST /api/<method>`; returns the `result` of the answer.
  static func post(
    _ method: String, _ body: [UInt8], to server: ServerAddress, key: String, on loop: EventLoop
  ) async throws(Problem) -> JSONValue {
    let url: WebURL
    do {
      url = try WebURL(server.apiURL(method), schemes: ["http", "https"])
    } catch {
      throw .usage("\(error)")
    }
    let request = HTTPClientRequest(
      .post, url, fields: ["X-API-Key": key, "Content-Type": "application/json"], body: body,
      timeoutMilliseconds: timeoutMilliseconds)
    var options = HTTPClientOptions()
    options.connectTimeoutMilliseconds = timeoutMilliseconds
    options.tls = server.tls
    let response: Result<HTTPClientResponse, HTTPClientError> = await withCheckedContinuation {
      continuation in
      loop.execute { [options] in
        let client = HTTPClient(loop: loop, options: options)
        client.send(request) { result in
          client.close()
          continuation.resume(returning: result)
        }
      }
    }
    switch response {
    case .success(let response): return try result(of: response)
    case .failure(let error) where error.code == .invalidRequest:
      throw .usage("the request cannot be written: \(error)")
    case .failure(let error): throw .failure(error.cause.map { Explanation.of($0) } ?? "\(error)")
    }
  }

  private static func result(of response: HTTPClientResponse) throws(Problem) -> JSONValue {
    let status = response.status
    switch status.code {
    case 200: break
    case 401, 403: throw .failure("the server does not accept the API key (HTTP status \(status))")
    case 404: throw .failure("there is no HTTP API at that address (HTTP status \(status))")
    default: throw .failure("HTTP status \(status)")
    }
    guard let answer = try? JSONValue(parsing: response.body) else {
      throw .failure("the server's answer is not JSON")
    }
    if let error = answer["error"] {
      let message = error["message"]?.stringValue ?? "unknown error"
      let code = Int(clamping: error["code"]?.intValue ?? 0)
      throw .failure(Explanation.of(ServerError(code: code, message: message, isTemporary: false)))
    }
    return answer["result"] ?? .null
  }
}
