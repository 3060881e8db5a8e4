import Bytes
import HTTPCore
import WebSockets

/// A file as it is sent, in both its forms.
struct StaticFile: Sendable {
  let contentType: String
  let plain: SharedBytes
  /// Compressed, where that is worth it.
  let gzipped: SharedBytes?
  /// Names the content: changes when it does.
  let tag: String

  init(path: String, content: [UInt8]) {
    contentType = ContentType.of(path: path)
    plain = SharedBytes.make(copying: content)
    let small = ContentType.isCompressible(contentType) ? Gzip.compress(content) : nil
    gzipped = small.flatMap { $0.count < content.count * 9 / 10 ? SharedBytes.make(copying: $0) : nil }
    tag = Base64.encode(SHA1.hash(content).prefix(12), alphabet: .url, padding: false)
  }

  /// The response to a request for the file (RFC 9110 §8.8.3, §13.1.2, §12.5.3).
  func response(to fields: HTTPFields) -> HTTPResponse {
    let isGzipped = gzipped != nil && ContentNegotiation.acceptsGzip(fields)
    // Each form has a tag of its own.
    let etag = isGzipped ? "\"\(tag)-gz\"" : "\"\(tag)\""
    var response = HTTPResponse(status: .ok)
    response.fields = [
      "ETag": etag,
      // A page is asked for anew each time; an unchanged one costs 304 and no body.
      "Cache-Control": "no-cache",
      "Vary": "Accept-Encoding",
    ]
    if ContentNegotiation.matches(etag: etag, ifNoneMatch: fields) {
      response.status = .notModified
      return response
    }
    response.fields.append("Content-Type", contentType)
    response.fields.append("X-Content-Type-Options", "nosniff")
    response.fields.append("Content-Security-Policy", Self.contentSecurityPolicy)
    response.fields.append("Referrer-Policy", "no-referrer")
    if isGzipped { response.fields.append("Content-Encoding", "gzip") }
    response.body = isGzipped ? gzipped : plain
    return response
  }

  /// Pages load nothing from elsewhere and run no inline script; pictures and sound may also come out of messages.
  private static let contentSecurityPolicy =
    "default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
    + "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
}
