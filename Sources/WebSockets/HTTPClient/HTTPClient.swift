import Bytes
import EventLoops
import HTTPCore
import Transport

/// Sends HTTP/1.1 requests from one loop, on connections that it keeps. Loop-confined.
package final class HTTPClient: @unchecked Sendable {
  package typealias Completion = (Result<HTTPClientResponse, HTTPClientError>) -> Void

  /// The loop on which it is called, and calls back.
  package let loop: EventLoop
  let options: HTTPClientOptions
  private var pools: [HTTPOrigin: HTTPClientPool] = [:]

  /// Makes a client without connections.
  package init(loop: EventLoop, options: HTTPClientOptions = HTTPClientOptions()) {
    self.loop = loop
    self.options = options
  }

  /// Sends a request. `done` is called once, on the loop, never inside this call.
  package func send(_ request: HTTPClientRequest, _ done: @escaping Completion) {
    assert(loop.isCurrent)
    do {
      let call = HTTPClientCall(request, message: try Self.message(of: request), done)
      let origin = HTTPOrigin(request.url)
      let pool = pools[origin] ?? HTTPClientPool(origin, of: self)
      pools[origin] = pool
      call.start(in: pool)
    } catch {
      let failure = HTTPClientFailure(done, HTTPClientError(.invalidRequest, error.description))
      loop.execute { failure.report() }
    }
  }

  /// Ends all connections; requests under way fail.
  package func close() {
    for pool in pools.values { pool.close() }
  }

  /// Connections there are, those being made included.
  package var connectionCount: Int { pools.values.reduce(0) { $0 + $1.connectionCount } }

  func forget(_ pool: HTTPClientPool) { pools[pool.origin] = nil }

  private static func message(of request: HTTPClientRequest) throws(HTTPEncodingError) -> [UInt8] {
    var fields = HTTPFields()
    fields.append("Host", request.url.authority)
    if let userInfo = request.url.userInfo, let credentials = BasicCredentials(userInfo: userInfo),
      request.fields["Authorization"] == nil
    {
      fields.append("Authorization", credentials.fieldValue)
    }
    for (name, value) in request.fields where !Self.ownFields.contains(name.lowercased()) {
      fields.append(name, value)
    }
    if !request.body.isEmpty || request.method == .post || request.method == .put {
      fields.append("Content-Length", String(request.body.count))
    }
    var writer = ByteWriter()
    try HTTPEncoder.encode(
      HTTPRequestHead(method: request.method, target: request.url.target, fields: fields), into: &writer)
    return writer.bytes + request.body
  }

  /// What says where a message ends, and whom it is for, is the client's to say.
  private static let ownFields: Set<String> = [
    "host", "content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer",
  ]
}

/// Where connections lead to.
struct HTTPOrigin: Hashable {
  let isSecure: Bool
  let host: String
  let port: UInt16

  init(_ url: WebURL) {
    isSecure = url.isSecure
    host = url.host
    port = UInt16(clamping: url.port)
  }
}

/// A completion on its way to the loop's next round.
private final class HTTPClientFailure: @unchecked Sendable {
  private let done: HTTPClient.Completion
  private let error: HTTPClientError

  init(_ done: @escaping HTTPClient.Completion, _ error: HTTPClientError) {
    self.done = done
    self.error = error
  }

  func report() { done(.failure(error)) }
}
