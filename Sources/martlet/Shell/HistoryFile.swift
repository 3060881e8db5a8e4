import Glibc

/// Where the shell's history is kept between its runs: a line each, readable by its owner only.
struct HistoryFile {
  let path: String

  /// `$XDG_STATE_HOME/martlet/history`, or below `~/.local/state`; nil without a home.
  init?(environment: [String: String]) {
    // The XDG specification: "All paths set in these environment variables must be absolute".
    if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      path = state + "/martlet/history"
    } else if let home = environment["HOME"], home.hasPrefix("/") {
      path = home + "/.local/state/martlet/history"
    } else {
      return nil
    }
  }

  /// The lines, the oldest first; none if there is no file that can be read. A file that has grown far beyond what is
  /// kept is written anew.
  func load() -> [String] {
    guard let bytes = try? TextFile.read(path) else { return [] }
    let all = bytes.split(separator: UInt8(ascii: "\n")).map {
      Self.decoded(String(decoding: $0, as: UTF8.self))
    }
    let lines = Array(all.suffix(LineHistory.maximumLines))
    if all.count > LineHistory.maximumLines * 2 { replace(with: lines) }
    return lines
  }

  /// Adds a line at the end; what cannot be written is not kept.
  func append(_ line: String) {
    makeFolders()
    write(Array((Self.encoded(line) + "\n").utf8), to: path, O_APPEND)
  }

  private func replace(with lines: [String]) {
    let new = path + ".new"
    let text = lines.map { Self.encoded($0) + "\n" }.joined()
    if write(Array(text.utf8), to: new, O_TRUNC) { rename(new, path) }
  }

  @discardableResult
  private func write(_ bytes: [UInt8], to path: String, _ flags: Int32) -> Bool {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0o600)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return Glibc.write(descriptor, bytes, bytes.count) == bytes.count
  }

  private func makeFolders() {
    var place = path.startIndex
    while let slash = path[path.index(after: place)...].firstIndex(of: "/") {
      mkdir(String(path[..<slash]), 0o700)
      place = slash
    }
  }

  /// A line of several (pasted) lines is one in the file.
  private static func encoded(_ line: String) -> String {
    line.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
  }

  private static func decoded(_ text: String) -> String {
    var result = ""
    var isEscaped = false
    for character in text {
      if isEscaped {
        result.append(character == "n" ? "\n" : character)
        isEscaped = false
      } else if character == "\\" {
        isEscaped = true
      } else {
        result.append(character)
      }
    }
    return result
  }
}
