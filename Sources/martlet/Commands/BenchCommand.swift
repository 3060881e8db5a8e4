import HTTPCore

/// `martlet bench`
enum BenchCommand: Command {
  static let description = CommandDescription(
    name: "bench", summary: "Load a WebSocket server and measure it",
    discussion: [
      "MODE is one of:",
      "echo sends messages and takes them back: throughput and response times. The server has to send every message"
        + " back, as 'martlet echo' does; length, kind and content of each reply are checked.",
      "fanout sends publications to all connections: deliveries a second, the time of each and of the last one of"
        + " each publication; order, loss and content are checked. Works with 'martlet serve' and Centrifugo, and with"
        + " servers that send each message to everybody.",
      "idle opens connections and leaves them alone: what one costs in memory, with --server-pid.",
      "connect opens and closes connections all the time.",
      "Response times are told as percentiles: p99 is the time that 99 of 100 stay below. Connect times are TCP, TLS"
        + " and opening handshake together; to connect and close times a curve 1 - e^(-t/tau) is fitted.",
    ],
    operands: [Operand(name: "MODE"), Operand(name: "URL")],
    flags: BenchFlags.all,
    examples: [
      .init(
        purpose: "A hundred connections, each with one message on its way; start 'martlet echo' before.",
        line: "martlet bench echo ws://127.0.0.1:9001"),
      .init(
        purpose: "At a steady 20,000 messages a second: what users of a server see that is not overloaded.",
        line: "martlet bench echo ws://127.0.0.1:9001 --rate 20000 --connections 200"),
      .init(
        purpose: "A thousand subscribers of one channel of 'martlet serve --demo'.",
        line: "martlet bench fanout ws://127.0.0.1:8000/connection/websocket --connections 1000"),
      .init(
        purpose: "Memory of the server for each of 10,000 connections.",
        line: "martlet bench idle ws://127.0.0.1:9001 --server-pid 1234"),
      .init(
        purpose: "Handshakes, and a page with plots.",
        line: "martlet bench connect ws://127.0.0.1:9001 --report connect.html"),
    ],
    exitStatuses: [
      (.success, "measured, without errors"),
      (.failure, "no connection, or something went wrong meanwhile: errors are counted and named"),
      (.usage, "the command line cannot be used as given"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    let mode = try mode(arguments.operands[0])
    do {
      _ = try WebURL(arguments.operands[1])
    } catch {
      throw Problem.usage(Explanation.sentence("\(error)"))
    }
    let target = try BenchFlags.target(arguments, mode: mode)
    try checkFileLimit(target)
    // Better now than when everything has been measured.
    if let file = arguments.value(BenchFlags.report) { try TextFile.write("", to: file) }
    let interruption = Interruption()
    let termination = Termination()
    let signals = Task {
      await termination.wait()
      interruption.come()
    }
    defer { signals.cancel() }
    var result = try await measure(mode, target, interruption, arguments)
    if interruption.hasCome { result.notes.append("interrupted: this is what was measured until then") }
    note(target, &result)
    print(result, arguments)
    if let file = arguments.value(BenchFlags.report) {
      try TextFile.write(BenchPage.html(result), to: file)
    }
    return result.errors.count == 0 ? .success : .failure
  }

  /// What a reader should know before believing the figures.
  private static func note(_ target: BenchTarget, _ result: inout BenchResult) {
    if let rate = target.rate, let counted = result.counted {
      // With a rate the generator turns while it waits: its own use of the CPU says nothing.
      guard counted.perSecond < 0.95 * rate else { return }
      result.notes.append("the rate was not reached: the server, or the generator, is too slow for it")
    } else if result.generatorShare > 0.9 * Double(target.loops) {
      result.notes.append(
        "the generator was busy all the time: it may be the limit; try --loops \(target.loops + 1)")
    }
  }

  private static func measure(
    _ mode: BenchMode, _ target: BenchTarget, _ interruption: Interruption, _ arguments: Arguments
  ) async throws(Problem) -> BenchResult {
    switch mode {
    case .echo: try await EchoBench(target, interruption).run()
    case .fanout: try await FanOutBench(target, BenchFlags.fanOut(arguments, target), interruption).run()
    case .idle:
      try await IdleBench(
        target, baseline: arguments.value(BenchFlags.baseline) ?? 2_000,
        greetings: arguments.allValues(BenchFlags.greeting), interruption
      ).run()
    case .connect: try await ConnectBench(target, interruption).run()
    }
  }

  private static func mode(_ word: String) throws(Problem) -> BenchMode {
    if let mode = BenchMode(rawValue: word) { return mode }
    let names = BenchMode.allCases.map(\.rawValue)
    let hint = Suggestion.clause(
      for: word, among: names, otherwise: "; it is one of \(names.joined(separator: ", "))")
    throw .usage("unknown mode \(quoted(word))\(hint)")
  }

  /// A connection is an open file.
  private static func checkFileLimit(_ target: BenchTarget) throws(Problem) {
    let limit = Machine.raiseFileLimit()
    let needed = UInt64(target.connections + 4 * target.loops + 32)
    guard needed > limit else { return }
    throw .usage(
      "--connections: \(target.connections) connections need \(needed) open files, and this process may have"
        + " \(limit) ('ulimit -n' shows and, as root, raises that)")
  }

  private static func print(_ result: BenchResult, _ arguments: Arguments) {
    if arguments.has(BenchFlags.json) {
      Terminal.write(BenchJSON.text(result) + [UInt8(ascii: "\n")], to: 1)
      for kind in result.errors.kinds { Terminal.note("martlet: bench: \(kind.count) x \(kind.text)") }
      for note in result.notes { Terminal.note("martlet: bench: \(note)") }
    } else {
      Terminal.line(BenchText.text(result, Style(hasColours: Terminal.hasColours)))
    }
  }
}
