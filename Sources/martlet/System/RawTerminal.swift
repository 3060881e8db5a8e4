import Glibc
import Synchronization

/// The terminal on standard input, given byte by byte and without echo, until `restore`.
enum RawTerminal {
  private static let original = Mutex<termios?>(nil)

  /// Whether standard input and output are a terminal that understands escape sequences.
  static var isUsable: Bool {
    guard Terminal.isInputTerminal, Terminal.isOutputTerminal, let name = getenv("TERM") else { return false }
    return String(cString: name) != "dumb"
  }

  /// Takes the terminal; false if it cannot be had.
  static func begin() -> Bool {
    var attributes = termios()
    guard tcgetattr(STDIN_FILENO, &attributes) == 0 else { return false }
    original.withLock { $0 = attributes }
    cfmakeraw(&attributes)
    // What is printed is still text: a newline goes to the next line's start.
    attributes.c_oflag |= tcflag_t(OPOST)
    guard tcsetattr(STDIN_FILENO, TCSADRAIN, &attributes) == 0 else { return false }
    // Pastes come between marks, so that several pasted lines are not several messages.
    Terminal.write("\u{1B}[?2004h")
    return true
  }

  /// Leaves the terminal as it was found. May be called at any time, from any thread.
  static func restore() {
    original.withLock { saved in
      guard var attributes = saved else { return }
      saved = nil
      Terminal.write("\u{1B}[?2004l")
      tcsetattr(STDIN_FILENO, TCSADRAIN, &attributes)
    }
  }

  /// Columns of the terminal now; 80 if it does not say.
  static var columns: Int {
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
