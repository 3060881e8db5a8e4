import Bytes
import HTTPCore
import Transport

extension HTTPServerConnection {
  /// Writes a response; false if it could not be encoded, and then the connection is ended.
  func write(
    _ response: HTTPResponse, isHead: Bool, keepsAlive: Bool, isHTTP10: Bool = false
  ) -> Bool {
    var fields = response.fields
    let code = response.status.code
    if code >= 200, code != 204, code != 304 {
      fields.append("Content-Length", String(response.body?.count ?? 0))
    }
    guard write(response.status, fields, keepsAlive: keepsAlive, isHTTP10: isHTTP10) else { return false }
    if let body = response.body, !isHead, code != 204, code != 304 { transport?.write(body) }
    return true
  }

  /// Writes a head, with the fields that every response has; false as above.
  func write(_ status: HTTPStatus, _ fields: HTTPFields, keepsAlive: Bool, isHTTP10: Bool) -> Bool {
    guard let transport else { return false }
    var fields = fields
    fields.append("Date", HTTPDate.format(secondsSinceEpoch: WallClock.seconds))
    if !keepsAlive {
      fields.append("Connection", "close")
    } else if isHTTP10 {
      // RFC 9112 §C.2.2: such a client goes on only where it is told that it may.
      fields.append("Connection", "keep-alive")
    }
    var writer = ByteWriter(capacity: 256)
    do {
      try HTTPEncoder.encode(HTTPResponseHead(status: status, fields: fields), into: &writer)
    } catch {
      transport.abort()
      return false
    }
    writer.bytes.withUnsafeBytes { transport.write($0) }
    return true
  }
}
