import Bytes
import HTTPCore

/// A whole HTTP response.
public struct HTTPResponse: Sendable {
  /// The status.
  public var status: HTTPStatus
  /// Header fields; `Content-Length`, `Date` and `Connection` are set by the server.
  public var fields: HTTPFields
  /// The body; nil is an empty one.
  public var body: SharedBytes?

  /// Makes a response from its parts.
  public init(status: HTTPStatus, fields: HTTPFields = HTTPFields(), body: SharedBytes? = nil) {
    self.status = status
    self.fields = fields
    self.body = body
  }

  /// A response of plain text.
  public static func text(_ status: HTTPStatus, _ text: String) -> HTTPResponse {
    var fields = HTTPFields()
    fields.append("Content-Type", "text/plain; charset=utf-8")
    return HTTPResponse(status: status, fields: fields, body: SharedBytes.make(copying: Array(text.utf8)))
  }

  /// A response that is a JSON text.
  public static func json(_ status: HTTPStatus, _ text: [UInt8]) -> HTTPResponse {
    var fields = HTTPFields()
    fields.append("Content-Type", "application/json")
    return HTTPResponse(status: status, fields: fields, body: SharedBytes.make(copying: text))
  }
}
