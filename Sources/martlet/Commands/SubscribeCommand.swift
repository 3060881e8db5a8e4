import EventLoops
import JSON

/// `martlet subscribe`
enum SubscribeCommand: Command {
  private static let subscriptionToken = Flag(
    "subscription-token", .text("JWT"), help: "token for the channel; 'martlet token --channel' makes one")
  private static let consumer = Flag(
    "consumer", .text("NAME"),
    help: "acknowledge under this name what was printed; what was not comes again to the next one with it")
  private static let dataOnly = Switch("data-only", help: "print the data alone, not offset, sender and tags")
  private static let count = Flag(
    "count", .integer("N", in: 1...Int.max), help: "end after so many publications")

  static let description = CommandDescription(
    name: "subscribe", summary: "Print what is published to a channel",
    discussion: [
      "Each publication is one line of JSON on standard output. When the connection is lost, it comes back with"
        + " growing pauses; where the channel has a history with recovery, what was missed is printed then, in order"
        + " and once. Everything else is said on standard error."
    ],
    operands: [Operand(name: "CHANNEL")],
    flags: [
      ServerFlags.url, ServerFlags.token, ServerFlags.user, subscriptionToken, consumer, dataOnly, count,
    ] + ClientTLS.flags,
    examples: [
      .init(
        purpose: "The reports of 'martlet devices' on 'martlet serve --demo'.",
        line: "martlet subscribe devices:all"),
      .init(
        purpose: "Only the temperatures, with jq.",
        line: "martlet subscribe devices:all --data-only | jq .temperature"),
      .init(
        purpose: "One job at a time from a channel whose namespace has allow_acknowledgement.",
        line: "martlet subscribe jobs:mail --consumer worker --count 1 --token JWT"),
    ],
    exitStatuses: [
      (.success, "ended by Ctrl-C or SIGTERM, or after --count publications"),
      (.failure, "the server refused the connection or the subscription"),
      (.usage, "the command line cannot be used as given"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let channel = arguments.operands[0]
    let server = try ServerFlags.address(arguments)
    let session = ServerFlags.session(arguments)
    let token = arguments.value(subscriptionToken)
    let consumer = arguments.value(consumer)
    let printer = PublicationPrinter(dataOnly: arguments.has(dataOnly), count: arguments.value(count))
    let (outcomes, outcome) = AsyncStream<Result<Void, Problem>>.makeStream()
    Signals.handle { _ in outcome.yield(.success(())) }
    let loop = EventLoopGroup.singleton.next()
    loop.execute {
      let client = RealtimeClient(
        loop: loop, url: server.webSocketURL, tls: server.tls, session: session
      ) { event in
        if let result = printer.handle(event) { outcome.yield(result) }
      }
      if consumer != nil { printer.acknowledge = { client.acknowledge($0, in: channel) } }
      client.subscribe(channel, token: token, consumer: consumer)
      client.start()
    }
    for await result in outcomes {
      if consumer != nil { await lastWords(on: loop) }
      try result.get()
      break
    }
    return .success
  }

  /// What was sent in one turn leaves before the next but one.
  private static func lastWords(on loop: EventLoop) async {
    await withCheckedContinuation { continuation in
      loop.execute { loop.execute { continuation.resume() } }
    }
  }
}

/// What `subscribe` prints. Loop-confined.
private final class PublicationPrinter: @unchecked Sendable {
  private let dataOnly: Bool
  private var left: Int?
  /// Says that all up to an offset was printed.
  var acknowledge: ((UInt64) -> Void)?

  init(dataOnly: Bool, count: Int?) {
    self.dataOnly = dataOnly
    left = count
  }

  /// Returns how the command ends, if it does.
  func handle(_ event: RealtimeClient.Event) -> Result<Void, Problem>? {
    switch event {
    case .session(.publication(_, let publication)): return show(publication)
    case .session(.subscribed(let channel, let hasGap)):
      Terminal.note(Terminal.dimNote("subscribed to \(channel)"))
      if hasGap { Terminal.note("messages were missed that the server no longer has") }
    case .session(.notConsuming(let channel)):
      return .failure(.failure("the server takes no acknowledgements for \(channel)"))
    case .session(.subscribeFailed(_, let error)) where !error.isTemporary:
      return .failure(.failure(Explanation.of(error)))
    case .session(.subscribeFailed(_, let error)):
      return .failure(.failure(Explanation.of(error) + "; try again"))
    case .session(.unsubscribed(let channel, let code, let reason)) where code < 2_500:
      return .failure(.failure("the server ended the subscription to \(channel): \(reason) (\(code))"))
    case .waiting(let reason, let milliseconds):
      Terminal.note(Explanation.waiting(reason, milliseconds: milliseconds))
    case .ended(let reason): return .failure(.failure(reason))
    case .session: break
    }
    return nil
  }

  private func show(_ publication: ReceivedPublication) -> Result<Void, Problem>? {
    guard left != 0 else { return nil }
    let text = dataOnly ? publication.data : publication.text
    Terminal.write(text + [UInt8(ascii: "\n")], to: 1)
    acknowledge?(publication.offset)
    guard let left else { return nil }
    self.left = left - 1
    return left == 1 ? .success(()) : nil
  }
}
