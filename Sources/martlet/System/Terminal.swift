import Glibc

/// Standard output and standard error, unbuffered: what a command prints is there at once, on a terminal and in a pipe.
enum Terminal {
  /// Whether colours are welcome on standard output: a terminal, and neither `NO_COLOR` nor a dumb one.
  static let hasColours = takesColours(STDOUT_FILENO)

  private static let hasErrorColours = takesColours(STDERR_FILENO)

  static let isOutputTerminal = isatty(STDOUT_FILENO) == 1
  static let isErrorTerminal = isatty(STDERR_FILENO) == 1
  static let isInputTerminal = isatty(STDIN_FILENO) == 1

  static func write(_ text: String) { write(Array(text.utf8), to: STDOUT_FILENO) }

  static func line(_ text: String) { write(text + "\n") }

  /// One line on standard error.
  static func note(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

  /// Replaces the current line of a terminal's standard error; an empty text clears it.
  static func progress(_ text: String) {
    guard isErrorTerminal else { return }
    write(Array("\r\u{1B}[K\(text)".utf8), to: STDERR_FILENO)
  }

  private static func takesColours(_ descriptor: Int32) -> Bool {
    guard isatty(descriptor) == 1, getenv("NO_COLOR") == nil, let name = getenv("TERM") else { return false }
    return String(cString: name) != "dumb"
  }

  /// For standard error.
  static func dimNote(_ text: String) -> String { hasErrorColours ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  /// For standard error.
  static func loud(_ text: String) -> String { hasErrorColours ? "\u{1B}[1;33m\(text)\u{1B}[0m" : text }

  /// For standard output.
  static func dim(_ text: String) -> String { hasColours ? "\u{1B}[2m\(text)\u{1B}[0m" : text }

  static func write(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count > 0 {
          rest = rest.dropFirst(count)
        } else if errno == EAGAIN {
          // Standard output can be a non-blocking pipe that somebody shares with us.
          var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
          _ = poll(&waiting, 1, -1)
        } else if errno != EINTR {
          return
        }
      }
    }
  }
}
