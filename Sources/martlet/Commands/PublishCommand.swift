import EventLoops
import JSON

/// `martlet publish`
enum PublishCommand: Command {
  private static let apiKey = Flag(
    "api-key", .text("KEY"), environment: "MARTLET_API_KEY", help: "publish over the HTTP API with this key")
  private static let idempotencyKey = Flag(
    "idempotency-key", .text("KEY"), help: "publish once, however often this is repeated (HTTP API)")
  private static let skipHistory = Switch("skip-history", help: "do not keep it in the history (HTTP API)")

  static let description = CommandDescription(
    name: "publish", summary: "Publish a message to a channel",
    discussion: [
      "DATA is JSON, or - to read it from standard input. With --api-key it goes over the HTTP API as a backend's;"
        + " the answer's offset and epoch are printed. Otherwise it goes over a client connection, with --token"
        + " or anonymously."
    ],
    operands: [Operand(name: "CHANNEL"), Operand(name: "DATA")],
    flags: [ServerFlags.url, apiKey, ServerFlags.token, ServerFlags.user, idempotencyKey, skipHistory]
      + ClientTLS.flags,
    examples: [
      .init(
        purpose: "To 'martlet serve --demo'.",
        line: "martlet publish news:today '{\"headline\":\"hello\"}' --api-key demo-key"),
      .init(purpose: "A string needs quotes of its own.", line: "martlet publish chat:lobby '\"hello\"'"),
      .init(
        purpose: "From another program.",
        line: "date +'{\"now\":%s}' | martlet publish news:time - --api-key demo-key"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let channel = arguments.operands[0]
    let data = try json(arguments.operands[1])
    let server = try ServerFlags.address(arguments)
    let asClient = arguments.given.contains("token") || arguments.given.contains("user")
    if arguments.given.contains("api-key"), asClient {
      throw Problem.usage(
        "--api-key publishes as a backend, --token and --user as a client: give one of them")
    }
    if let key = arguments.value(apiKey), !asClient {
      let result = try await APICall.post(
        "publish", request(channel, data, arguments), to: server, key: key,
        on: EventLoopGroup.singleton.next())
      Terminal.line(String(decoding: result.encoded, as: UTF8.self))
      return .success
    }
    if arguments.given.contains("idempotency-key") || arguments.has(skipHistory) {
      throw Problem.usage("--idempotency-key and --skip-history need the HTTP API: give --api-key")
    }
    try await publish(channel, data, to: server, as: ServerFlags.session(arguments))
    return .success
  }

  /// The operand, if it is JSON; what a shell makes of quotes is explained.
  private static func json(_ operand: String) throws(Problem) -> [UInt8] {
    let text = operand == "-" ? try TextFile.readStandardInput() : Array(operand.utf8)
    do throws(JSONError) {
      _ = try JSONValue(parsing: text)
    } catch {
      let shown = operand == "-" ? "standard input" : quoted(operand)
      let hint =
        operand == "-"
        ? "" : "; quote it for the shell: '{\"text\":\"hello\"}', and a string as '\"hello\"'"
      let complaint = "\(error.expectation.lowercased().dropLast()) at byte \(error.offset)"
      throw .usage("DATA: \(shown) is not JSON (\(complaint))\(hint)")
    }
    return text.withUnsafeBytes { JSONText.compact($0) }
  }

  private static func request(_ channel: String, _ data: [UInt8], _ arguments: Arguments) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("channel")
    writer.string(channel)
    writer.key("data")
    writer.raw(data)
    if let key = arguments.value(idempotencyKey) {
      writer.key("idempotency_key")
      writer.string(key)
    }
    if arguments.has(skipHistory) {
      writer.key("skip_history")
      writer.bool(true)
    }
    writer.endObject()
    return writer.bytes
  }

  /// One connection, one publication. A person waits: nothing is tried again.
  private static func publish(
    _ channel: String, _ data: [UInt8], to server: ServerAddress, as session: ClientSession
  ) async throws(Problem) {
    let loop = EventLoopGroup.singleton.next()
    let result: Result<Void, Problem> = await withCheckedContinuation { continuation in
      loop.execute {
        let attempt = PublishAttempt(channel, data) { continuation.resume(returning: $0) }
        attempt.start(
          RealtimeClient(loop: loop, url: server.webSocketURL, tls: server.tls, session: session) {
            attempt.handle($0)
          })
      }
    }
    try result.get()
  }
}

/// Connect, publish, hear the answer, leave. Loop-confined.
private final class PublishAttempt {
  private let channel: String
  private let data: [UInt8]
  private var client: RealtimeClient?
  private var done: ((Result<Void, Problem>) -> Void)?

  init(_ channel: String, _ data: [UInt8], _ done: @escaping (Result<Void, Problem>) -> Void) {
    self.channel = channel
    self.data = data
    self.done = done
  }

  func start(_ client: RealtimeClient) {
    self.client = client
    client.start()
  }

  func handle(_ event: RealtimeClient.Event) {
    switch event {
    case .session(.connected): client?.publish(channel, data)
    case .session(.published): end(.success(()))
    case .session(.publishFailed(_, let error)): end(.failure(.failure(Explanation.of(error))))
    case .waiting(let reason, _), .ended(let reason): end(.failure(.failure(reason)))
    case .session: break
    }
  }

  private func end(_ result: Result<Void, Problem>) {
    client?.stop()
    client = nil
    done?(result)
    done = nil
  }
}
