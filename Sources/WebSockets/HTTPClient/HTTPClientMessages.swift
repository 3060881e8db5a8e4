import HTTPCore
import Transport

/// How a client of HTTP behaves.
package struct HTTPClientOptions: Sendable {
  /// The time for a connection, TLS included, in milliseconds.
  package var connectTimeoutMilliseconds: UInt64 = 5_000
  /// How long an idle connection is kept, in milliseconds: less than what servers keep theirs.
  package var idleTimeoutMilliseconds: UInt64 = 4_000
  /// The most connections to one host and port, those being made included.
  package var maximumConnectionsPerHost = 16
  /// The most requests to one host and port that wait for a connection; one more fails at once.
  package var maximumWaitingPerHost = 1_024
  /// What a server may answer.
  package var limits = HTTPLimits()
  /// How servers are trusted.
  package var tls = TLSClientOptions()

  /// Makes options with the defaults.
  package init() {}
}

/// One request of a client.
package struct HTTPClientRequest: Sendable {
  /// Where to: `http` or `https`. User information becomes an `Authorization` field (Basic).
  package var url: WebURL
  /// The method.
  package var method: HTTPMethod
  /// Header fields besides `Host` and `Content-Length`, which are set by the client.
  package var fields: HTTPFields
  /// The body.
  package var body: [UInt8]
  /// The time for everything, the wait for a connection included, in milliseconds.
  package var timeoutMilliseconds: UInt64
  /// Whether it may be sent a second time when a kept connection turns out to have been closed by the server: then it
  /// is not known whether the server has seen it (RFC 9110 §9.2.2).
  package var isRepeatable: Bool

  /// Makes a request.
  package init(
    _ method: HTTPMethod = .post, _ url: WebURL, fields: HTTPFields = HTTPFields(), body: [UInt8] = [],
    timeoutMilliseconds: UInt64 = 10_000, isRepeatable: Bool = false
  ) {
    self.url = url
    self.method = method
    self.fields = fields
    self.body = body
    self.timeoutMilliseconds = timeoutMilliseconds
    self.isRepeatable = isRepeatable
  }
}

/// A whole response. Redirects are responses like others: nobody follows them.
package struct HTTPClientResponse: Sendable {
  /// The status.
  package let status: HTTPStatus
  /// The header fields.
  package let fields: HTTPFields
  /// The body, whole.
  package let body: [UInt8]
}

/// Why there is no response.
package struct HTTPClientError: Error, Sendable, CustomStringConvertible {
  /// The kinds of failure.
  package enum Code: Sendable, Hashable {
    /// The request cannot be written: a field with a line break, or the like.
    case invalidRequest
    /// There is no connection.
    case connectFailed
    /// The time is over.
    case timedOut
    /// The server ended the connection before it had answered.
    case closed
    /// What came is not HTTP, or more than the limits allow.
    case invalidResponse
    /// Too many requests wait already.
    case tooManyRequests
  }

  /// The kind.
  package let code: Code
  /// One sentence.
  package let description: String
  /// What the network says, where there is no connection.
  package let cause: TransportError?

  init(_ code: Code, _ description: String, cause: TransportError? = nil) {
    self.code = code
    self.description = description
    self.cause = cause
  }
}
