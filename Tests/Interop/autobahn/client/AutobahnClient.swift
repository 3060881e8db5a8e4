import WebSockets

/// The library's client as Autobahn's fuzzing server wants it: it asks how many cases there are, lets each be run on
/// a connection of its own, where it sends back every message, and has the reports written.
///
///     autobahn-client URL AGENT
@main
struct AutobahnClient {
  /// Case 9 sends messages of 16 MiB, and some in one-byte steps of more than a thousand fragments.
  static let options = WebSocketClientOptions(
    socket: WebSocketOptions(
      limits: WebSocketLimits(maximumMessageBytes: 64 << 20, maximumFragmentCount: .max),
      maximumQueuedBytes: 128 << 20))

  static func main() async throws {
    guard CommandLine.arguments.count == 3 else { fatalError("usage: autobahn-client URL AGENT") }
    let url = CommandLine.arguments[1]
    let agent = CommandLine.arguments[2]
    let count = try await caseCount(url)
    for number in 1...max(1, count) {
      await run("\(url)/runCase?case=\(number)&agent=\(agent)")
    }
    try await WebSocket.connect(to: "\(url)/updateReports?agent=\(agent)", options: options) { socket in
      for try await _ in socket {}
    }
    print("\(count) cases")
  }

  /// The fuzzing server's number of cases, which it sends as one text message.
  static func caseCount(_ url: String) async throws -> Int {
    try await WebSocket.connect(to: "\(url)/getCaseCount", options: options) { socket in
      for try await message in socket {
        if case .text(let text) = message, let count = Int(text) { return count }
      }
      return 0
    }
  }

  /// One case. That the server ends it with an error, or this client does, is what many cases are about.
  static func run(_ url: String) async {
    do {
      let socket = try await WebSocket.connect(to: url, options: options)
      for try await message in socket { try await socket.send(message) }
    } catch  where error.code == .connectFailed {
      print("\(url): \(error)")
    } catch {}
  }
}
