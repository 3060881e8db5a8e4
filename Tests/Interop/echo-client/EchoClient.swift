import WebSockets

/// The library's client, which sends back every message: the counterpart of other people's servers.
///
///     echo-client [--subprotocol NAME]... URL     prints "open SUBPROTOCOL", then "closed CODE REASON"
///     echo-client --autobahn AGENT URL            runs the cases of Autobahn's fuzzing server
///
/// Both take `--ca FILE` for wss, `--max-message BYTES`, and `--deflate standard|context`, with contexts as large as they
/// may be.
@main
struct EchoClient {
  let url: String
  /// The name in Autobahn's reports; nil connects once.
  var agent: String?
  /// As Autobahn needs it: case 9 has messages of 16 MiB and such of thousands of fragments.
  var options = WebSocketClientOptions(
    socket: WebSocketOptions(
      limits: WebSocketLimits(maximumMessageBytes: 64 << 20, maximumFragmentCount: .max),
      maximumQueuedBytes: 128 << 20))

  static func main() async throws {
    let client = EchoClient(CommandLine.arguments.dropFirst())
    if let agent = client.agent {
      try await client.runCases(agent)
    } else {
      try await client.echo()
    }
  }

  init(_ arguments: ArraySlice<String>) {
    var words = arguments
    options.proxy = .none
    while words.count > 1, let flag = words.popFirst() {
      switch (flag, words.popFirst()) {
      case ("--subprotocol", let name?): options.subprotocols.append(name)
      case ("--autobahn", let name?): agent = name
      case ("--deflate", let kind?): options.socket.compression = Self.compression(kind)
      case ("--ca", let file?): options.tls.verification = .authorities(file: file)
      case ("--max-message", let bytes?): options.socket.limits.maximumMessageBytes = Int(bytes) ?? 0
      default: fatalError("unknown flag \(flag)")
      }
    }
    guard let url = words.first else { fatalError("no URL") }
    self.url = url
  }

  private static func compression(_ kind: String) -> DeflateOptions {
    kind == "context"
      ? DeflateOptions(minimumBytes: 0, sendsWithContext: true, receivesWithContext: true) : .standard
  }

  /// One connection, until it ends.
  func echo() async throws {
    let socket = try await WebSocket.connect(to: url, options: options)
    print("open", socket.subprotocol ?? "-")
    do {
      for try await message in socket { try await socket.send(message) }
    } catch {
      print("error", error.code)
    }
    await socket.close()
    print("closed", await socket.closeCode?.rawValue ?? 0, await socket.closeReason)
  }

  /// Asks how many cases there are, lets each be run on a connection of its own, and has the reports written.
  func runCases(_ agent: String) async throws {
    let count = try await caseCount()
    for number in 0..<count {
      await run("\(url)/runCase?case=\(number + 1)&agent=\(agent)")
    }
    try await WebSocket.connect(to: "\(url)/updateReports?agent=\(agent)", options: options) { socket in
      for try await _ in socket {}
    }
    print("\(count) cases")
  }

  /// The fuzzing server's number of cases, which it sends as one text message.
  private func caseCount() async throws -> Int {
    try await WebSocket.connect(to: "\(url)/getCaseCount", options: options) { socket in
      for try await message in socket {
        if case .text(let text) = message, let count = Int(text) { return count }
      }
      return 0
    }
  }

  /// One case. That the server ends it with an error, or this client does, is what many cases are about.
  private func run(_ url: String) async {
    do {
      let socket = try await WebSocket.connect(to: url, options: options)
      for try await message in socket { try await socket.send(message) }
    } catch  where error.code == .connectFailed {
      print("\(url): \(error)")
    } catch {}
  }
}
