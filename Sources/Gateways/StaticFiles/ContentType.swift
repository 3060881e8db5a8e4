/// The media types of files, by their names' endings.
enum ContentType {
  static func of(path: String) -> String {
    switch path.split(separator: "/").last?.split(separator: ".").last?.lowercased() {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js", "mjs": "text/javascript; charset=utf-8"
    case "json": "application/json"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "jpg", "jpeg": "image/jpeg"
    case "webp": "image/webp"
    case "ico": "image/x-icon"
    case "woff2": "font/woff2"
    case "txt", "md": "text/plain; charset=utf-8"
    default: "application/octet-stream"
    }
  }

  /// Whether compression makes files of the type smaller.
  static func isCompressible(_ type: String) -> Bool {
    type.hasPrefix("text/") || type == "application/json" || type == "image/svg+xml"
  }
}
