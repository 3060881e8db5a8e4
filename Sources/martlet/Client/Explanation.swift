import Transport
import WebSockets

/// Errors of the network in the program's words: short, on one line, with what to do.
enum Explanation {
  static func of(_ error: WebSocketError) -> String {
    if error.code == .connectFailed, let cause = error.cause as? TransportError { return of(cause) }
    if error.code == .handshakeFailed, let status = error.status, status.code != 101 {
      return "the server refused the WebSocket: HTTP status \(status)\(hint(status.code))\(words(error))"
    }
    return sentence(error.message)
  }

  /// What the server said beside the status.
  private static func words(_ error: WebSocketError) -> String {
    var words = ""
    if let seconds = error.retryAfterSeconds { words += "; it asks to try again in \(seconds) s" }
    let line = error.responseBody?.split(whereSeparator: \.isNewline).first.map(trimmingSpaces) ?? ""
    let isNews = !line.isEmpty && !line.hasPrefix("<") && error.status.map { line == "\($0)" } != true
    if isNews { words += "; it says \(quoted(line, limit: 120))" }
    return words
  }

  static func of(_ error: TransportError) -> String {
    switch error.code {
    case .refused: "connection refused: " + sentence(error.message)
    case .addressInUse: "address in use: " + sentence(error.message)
    default: sentence(error.message)
    }
  }

  /// An error of the client protocol.
  static func of(_ error: ServerError) -> String {
    let hint =
      switch error.code {
      case 102: " (has the server's configuration a namespace for it?)"
      case 103: " (does its namespace allow that to this client, or is a token missing?)"
      default: ""
      }
    return "\(error.message) (\(error.code))\(hint)"
  }

  /// The first sentence: what happened, without the advice.
  static func brief(_ error: WebSocketError) -> String {
    let text = of(error)
    return text.firstRange(of: ". ").map { String(text[..<$0.lowerBound]) } ?? text
  }

  /// That it is tried again, and when: to a tenth of a second.
  static func waiting(_ reason: String, milliseconds: UInt64) -> String {
    let time = milliseconds < 100 ? "at once" : "in \(milliseconds / 1_000).\(milliseconds / 100 % 10) s"
    return "\(reason); trying again \(time)"
  }

  private static func hint(_ status: Int) -> String {
    switch status {
    case 401, 403: " (is the origin or the token allowed?)"
    case 404: " (is the path right?)"
    default: ""
    }
  }

  /// The library's sentences begin with a capital and end with a full stop; a program's complaint does neither.
  static func sentence(_ message: String) -> String {
    var text = message.replacing("\n", with: " ")
    if text.hasSuffix(".") { text.removeLast() }
    return text.prefix(1).lowercased() + text.dropFirst()
  }
}
