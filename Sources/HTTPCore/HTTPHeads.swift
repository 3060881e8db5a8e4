/// A request's method (RFC 9110 §9); case matters.
public struct HTTPMethod: RawRepresentable, Hashable, Sendable {
  /// The method's name.
  public let rawValue: String

  /// Any method.
  public init(rawValue: String) { self.rawValue = rawValue }

  /// GET.
  public static let get = HTTPMethod(rawValue: "GET")
  /// HEAD.
  public static let head = HTTPMethod(rawValue: "HEAD")
  /// POST.
  public static let post = HTTPMethod(rawValue: "POST")
  /// PUT.
  public static let put = HTTPMethod(rawValue: "PUT")
  /// DELETE.
  public static let delete = HTTPMethod(rawValue: "DELETE")
  /// OPTIONS.
  public static let options = HTTPMethod(rawValue: "OPTIONS")
  /// CONNECT.
  public static let connect = HTTPMethod(rawValue: "CONNECT")
}

/// The version of HTTP/1.
public struct HTTPVersion: Hashable, Sendable {
  /// The minor version: 0 or 1.
  public let minor: Int
  /// The major version, 1 always.
  public var major: Int { 1 }

  /// HTTP/1.0.
  public static let http10 = HTTPVersion(minor: 0)
  /// HTTP/1.1.
  public static let http11 = HTTPVersion(minor: 1)
}

/// A response's status (RFC 9110 §15).
public struct HTTPStatus: Hashable, Sendable, CustomStringConvertible {
  /// Three digits.
  public let code: Int
  /// The phrase beside it.
  public let reason: String

  /// Any status.
  public init(code: Int, reason: String = "") {
    self.code = code
    self.reason = reason
  }

  /// Statuses compare by their code.
  public static func == (a: HTTPStatus, b: HTTPStatus) -> Bool { a.code == b.code }

  /// Hashes the code.
  public func hash(into hasher: inout Hasher) { hasher.combine(code) }

  /// The code and the phrase.
  public var description: String { reason.isEmpty ? String(code) : "\(code) \(reason)" }

  /// 101.
  public static let switchingProtocols = HTTPStatus(code: 101, reason: "Switching Protocols")
  /// 200.
  public static let ok = HTTPStatus(code: 200, reason: "OK")
  /// 204.
  public static let noContent = HTTPStatus(code: 204, reason: "No Content")
  /// 304.
  public static let notModified = HTTPStatus(code: 304, reason: "Not Modified")
  /// 400.
  public static let badRequest = HTTPStatus(code: 400, reason: "Bad Request")
  /// 401.
  public static let unauthorized = HTTPStatus(code: 401, reason: "Unauthorized")
  /// 403.
  public static let forbidden = HTTPStatus(code: 403, reason: "Forbidden")
  /// 404.
  public static let notFound = HTTPStatus(code: 404, reason: "Not Found")
  /// 405.
  public static let methodNotAllowed = HTTPStatus(code: 405, reason: "Method Not Allowed")
  /// 408.
  public static let requestTimeout = HTTPStatus(code: 408, reason: "Request Timeout")
  /// 413.
  public static let contentTooLarge = HTTPStatus(code: 413, reason: "Content Too Large")
  /// 414.
  public static let uriTooLong = HTTPStatus(code: 414, reason: "URI Too Long")
  /// 426.
  public static let upgradeRequired = HTTPStatus(code: 426, reason: "Upgrade Required")
  /// 429.
  public static let tooManyRequests = HTTPStatus(code: 429, reason: "Too Many Requests")
  /// 431.
  public static let headerFieldsTooLarge = HTTPStatus(code: 431, reason: "Request Header Fields Too Large")
  /// 500.
  public static let internalServerError = HTTPStatus(code: 500, reason: "Internal Server Error")
  /// 501.
  public static let notImplemented = HTTPStatus(code: 501, reason: "Not Implemented")
  /// 502.
  public static let badGateway = HTTPStatus(code: 502, reason: "Bad Gateway")
  /// 503.
  public static let serviceUnavailable = HTTPStatus(code: 503, reason: "Service Unavailable")
  /// 505.
  public static let versionNotSupported = HTTPStatus(code: 505, reason: "HTTP Version Not Supported")
}

/// What stands before a request's body.
public struct HTTPRequestHead: Sendable, Equatable {
  /// The method.
  public var method: HTTPMethod
  /// The target as it was sent: `/path?query`, or an absolute URL, or `*`, or CONNECT's authority.
  public var target: String
  /// The version.
  public var version: HTTPVersion
  /// The fields.
  public var fields: HTTPFields

  /// Makes a head.
  public init(
    method: HTTPMethod, target: String, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields()
  ) {
    self.method = method
    self.target = target
    self.version = version
    self.fields = fields
  }

  /// The target's path, percent-encoding left as it is; `/` where an absolute URL has none.
  public var path: String {
    let start = pathStart
    let end = target.utf8[start...].firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex
    if start == end { return "/" }
    return start == target.startIndex && end == target.endIndex ? target : String(target[start..<end])
  }

  /// The target's query, without the question mark; nil if there is none.
  public var query: String? {
    let bytes = target.utf8[pathStart...]
    return bytes.firstIndex(of: UInt8(ascii: "?")).map { String(target[bytes.index(after: $0)...]) }
  }

  /// Where the path begins: behind the scheme and the authority of an absolute URL.
  private var pathStart: String.Index {
    let bytes = target.utf8
    guard bytes.first != UInt8(ascii: "/"), let scheme = target.firstRange(of: "://") else {
      return target.startIndex
    }
    return bytes[scheme.upperBound...].firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
      ?? target.endIndex
  }

  /// Whether the connection may serve a further request (RFC 9112 §9.3).
  public var isKeepAlive: Bool { fields.keepsAlive(version) }
}

/// What stands before a response's body.
public struct HTTPResponseHead: Sendable, Equatable {
  /// The status.
  public var status: HTTPStatus
  /// The version.
  public var version: HTTPVersion
  /// The fields.
  public var fields: HTTPFields

  /// Makes a head.
  public init(status: HTTPStatus, version: HTTPVersion = .http11, fields: HTTPFields = HTTPFields()) {
    self.status = status
    self.version = version
    self.fields = fields
  }

  /// Whether the connection may serve a further request (RFC 9112 §9.3).
  public var isKeepAlive: Bool { fields.keepsAlive(version) }
}

extension HTTPFields {
  fileprivate func keepsAlive(_ version: HTTPVersion) -> Bool {
    if containsToken("Connection", "close") { return false }
    return version.minor >= 1 || containsToken("Connection", "keep-alive")
  }
}
