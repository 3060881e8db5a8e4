import Glibc

/// Reading whole files and standard input.
enum TextFile {
  /// More than any configuration or message needs.
  static let maximumBytes = 16 << 20

  static func read(_ path: String) throws(Problem) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .usage("cannot read \(quoted(path: path)): \(errorText())") }
    defer { close(descriptor) }
    return try readAll(descriptor, name: path)
  }

  static func readStandardInput() throws(Problem) -> [UInt8] {
    try readAll(STDIN_FILENO, name: "standard input")
  }

  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func readAll(_ descriptor: Int32, name: String) throws(Problem) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw .usage("cannot read \(quoted(path: name)): \(errorText())")
      }
      bytes += chunk[..<count]
      guard bytes.count <= maximumBytes else {
        throw .usage("\(quoted(path: name)) is larger than \(maximumBytes >> 20) MiB")
      }
    }
  }

  private static func errorText() -> String { String(cString: strerror(errno)) }
}
