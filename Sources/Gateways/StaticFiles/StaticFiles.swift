import HTTPCore
import WebSockets

/// Serves a fixed set of files out of memory: what was not in the set at the start does not exist, so that no request
/// can name another file.
public struct StaticFiles: Sendable {
  /// The largest file that is taken, in bytes: 8 MiB.
  public static let maximumFileBytes = 8 << 20

  private let files: [String: StaticFile]

  /// Makes the set.
  ///
  /// - Parameter contents: the files' bytes by the paths that they are asked for with (`/assets/chat.css`).
  public init(_ contents: [String: [UInt8]]) {
    var files: [String: StaticFile] = [:]
    for (path, content) in contents where content.count <= Self.maximumFileBytes {
      files[path] = StaticFile(path: path, content: content)
    }
    self.files = files
  }

  /// Whether there are no files.
  public var isEmpty: Bool { files.isEmpty }

  /// The response to a request; nil if there is no such file. `/` stands for `/index.html`, and `/chat` for
  /// `/chat.html`.
  func response(to head: HTTPRequestHead) -> HTTPResponse? {
    let path = head.path == "/" ? "/index.html" : head.path
    guard let file = files[path] ?? files[path + ".html"] else { return nil }
    guard head.method == .get || head.method == .head else {
      var response = HTTPResponse.text(.methodNotAllowed, "Files can be read only.\n")
      response.fields.append("Allow", "GET, HEAD")
      return response
    }
    return file.response(to: head.fields)
  }
}
