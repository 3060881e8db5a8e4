import HTTPCore
import WebSockets

/// What a page of another origin may do with a request of the transports over HTTP (Fetch standard, “CORS protocol”).
///
/// The origins are those that may open a WebSocket. A page of any origin is answered without credentials where every
/// origin is allowed: cookies are for origins that are named.
struct CrossOrigin {
  /// How long a browser may remember the answer to a preflight, in seconds: 2 h, which is the most that Chromium keeps.
  private static let preflightSeconds = 7_200

  enum Verdict {
    /// The request goes on; its response has these fields.
    case proceed(HTTPFields)
    /// It has its answer: a preflight, or a foreign page.
    case answer(HTTPResponse)
  }

  /// What a page hears that may not connect.
  static let refusal = HTTPResponse.text(
    .forbidden, "This origin may not connect; the server's allowed_origins would have to list it.\n")

  let policy: OriginPolicy
  var log: ServerLog?

  func judge(_ exchange: HTTPExchange) -> Verdict {
    let isAllowed = exchange.isAllowed(by: policy)
    if !isAllowed { Self.note(exchange, log) }
    return judge(exchange.head, isAllowed: isAllowed)
  }

  /// A page was refused.
  static func note(_ exchange: HTTPExchange, _ log: ServerLog?) {
    log?.write(
      .warning, "a web page of another origin was refused", about: .origin,
      [
        .text("origin", exchange.head.fields["Origin"] ?? ""),
        .text("host", exchange.head.fields["Host"] ?? ""),
        .text("path", exchange.head.path), .text("address", exchange.clientAddress.host),
      ])
  }

  func judge(_ head: HTTPRequestHead, isAllowed: Bool) -> Verdict {
    guard isAllowed else {
      var response = Self.refusal
      // A cache must not show this to a page that may.
      response.fields.append("Vary", "Origin")
      return .answer(response)
    }
    var fields = HTTPFields()
    if policy != .any { fields.append("Vary", "Origin") }
    if let origin = head.fields["Origin"] {
      fields.append("Access-Control-Allow-Origin", policy == .any ? "*" : origin)
      if policy != .any { fields.append("Access-Control-Allow-Credentials", "true") }
    }
    guard head.method == .options else { return .proceed(fields) }
    // What is asked for does not change the answer, so it need not vary with that.
    fields.append("Access-Control-Allow-Methods", "GET, POST")
    fields.append("Access-Control-Allow-Headers", "Content-Type, Authorization")
    fields.append("Access-Control-Max-Age", String(Self.preflightSeconds))
    return .answer(HTTPResponse(status: .noContent, fields: fields))
  }
}
