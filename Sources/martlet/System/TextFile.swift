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

  /// Writes a new file, or over an old one.
  static func write(_ text: String, to path: String) throws(Problem) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .usage("cannot write \(quoted(path: path)): \(errorText())") }
    defer { close(descriptor) }
    var text = text
    let count = text.withUTF8 { bytes -> Int in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { break }
        rest = rest.dropFirst(count)
      }
      return rest.count
    }
    guard count == 0 else { throw .failure("cannot write \(quoted(path: path)): \(errorText())") }
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
