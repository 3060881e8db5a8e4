import JSON
import Synchronization
import Testing

@testable import Gateways

/// Lines of the log, what bounds them, and what becomes of those that nobody takes.
@Suite struct ServerLogTests {
  /// 2026-01-02T03:04:05.678Z
  private static let start: UInt64 = 1_767_323_045_678

  private final class World: Sendable {
    let now = Atomic<UInt64>(ServerLogTests.start)
    let wakes = Atomic<Int>(0)

    func log(_ level: LogLevel = .info, _ format: ServerLog.Format = .json) -> ServerLog {
      ServerLog(level: level, format: format) { [self] in
        now.load(ordering: .relaxed)
      } wake: { [self] in
        wakes.wrappingAdd(1, ordering: .relaxed)
      }
    }
  }

  private let world = World()

  private func lines(_ log: ServerLog) -> [String] {
    String(decoding: log.take(), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  @Test func json() {
    let log = world.log()
    log.write(
      .info, "listening", [.text("url", "ws://h:1"), .number("loops", 2), .texts("changed", ["a", "b"])])
    log.write(.error, "none")
    #expect(
      lines(log) == [
        #"{"time":"2026-01-02T03:04:05.678Z","level":"info","message":"listening","url":"ws://h:1","loops":2,"#
          + #""changed":["a","b"]}"#,
        #"{"time":"2026-01-02T03:04:05.678Z","level":"error","message":"none"}"#,
      ])
    #expect(log.take().isEmpty)
  }

  @Test func text() {
    let log = world.log(.debug, .text)
    log.write(
      .warning, "a token was refused",
      [
        .text("user", "ann"), .text("reason", "not valid"), .text("empty", ""), .number("count", -3),
        .texts("changed", ["a", "b"]), .text("pair", "a=b"),
      ])
    log.write(.debug, "x")
    #expect(
      lines(log) == [
        "2026-01-02T03:04:05.678Z warning a token was refused user=ann reason=\"not valid\" empty=\"\" count=-3"
          + " changed=a,b pair=\"a=b\"",
        "2026-01-02T03:04:05.678Z debug   x",
      ])
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00.000Z"), (951_782_400_007, "2000-02-29T00:00:00.007Z"),
    (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (UInt64.max, "9999-12-31T23:59:59.999Z"),
  ])
  func times(_ milliseconds: UInt64, _ text: String) {
    world.now.store(milliseconds, ordering: .relaxed)
    let log = world.log(.info, .text)
    log.write(.info, "x")
    #expect(lines(log) == ["\(text) info    x"])
  }

  @Test(
    "A value cannot end its line, forge a field or move a terminal's cursor",
    arguments: [
      ("a\n{\"level\":\"error\"}", #"a\n{\"level\":\"error\"}"#), ("\r\t\\", #"\u000d\t\\"#),
      ("\u{1B}[2J\u{9B}2J\u{7F}", #"\u001b[2J\u009b2J\u007f"#),
      ("\u{2028}\u{2029}\u{85}", #"\u2028\u2029\u0085"#),
      ("\u{202E}x\u{FEFF}", #"\u202ex\ufeff"#), ("\u{E0041}", #"\udb40\udc41"#), ("Zoë 🐦", "Zoë 🐦"),
      ("\0", #"\u0000"#),
      ("x level=error", "x level=error"),
    ])
  func escapes(_ value: String, _ escaped: String) throws {
    for format in [ServerLog.Format.json, .text] {
      let log = world.log(.info, format)
      log.write(.info, "m", [.text("v", value)])
      let bytes = log.take()
      #expect(bytes.filter { $0 == UInt8(ascii: "\n") }.count == 1)
      let line = String(decoding: bytes, as: UTF8.self)
      #expect(line.hasSuffix(format == .json ? "\"v\":\"\(escaped)\"}\n" : " v=\"\(escaped)\"\n"))
      if format == .json { #expect(try JSONValue(parsing: bytes)["v"]?.stringValue == value) }
    }
  }

  @Test func longTextsAreCut() {
    for (count, isCut) in [(1_023, false), (1_024, false), (1_025, true)] {
      let log = world.log()
      log.write(.info, "m", [.text("v", String(repeating: "x", count: count))])
      let line = lines(log)[0]
      #expect(line.hasSuffix(isCut ? "x…\"}" : "x\"}"))
      #expect(line.filter { $0 == "x" }.count == min(count, 1_024))
    }
  }

  @Test func levels() {
    let log = world.log(.warning)
    var isLookedAt = false
    func fields() -> [LogField] {
      isLookedAt = true
      return []
    }
    log.write(.info, "off", fields())
    log.write(.debug, "off", fields())
    #expect(log.take().isEmpty && !isLookedAt && !log.isOn(.info))
    log.use(level: .debug)
    log.write(.debug, "on", fields())
    #expect(lines(log).count == 1 && isLookedAt)
    log.use(level: .error)
    log.write(.warning, "off")
    log.write(.error, "on")
    #expect(lines(log).count == 1)
  }

  @Test("Of a subject ten lines in ten seconds, and the next one says how many were left out")
  func bounds() {
    let log = world.log(.info, .text)
    for _ in 0..<13 { log.write(.warning, "a token was refused", about: .token) }
    log.write(.warning, "another subject", about: .origin)
    log.write(.warning, "without a subject")
    #expect(lines(log).count == 12)
    #expect(log.counters.map(\.value) == [0, 3])
    world.now.store(Self.start + 9_999, ordering: .relaxed)
    log.write(.warning, "a token was refused", about: .token)
    #expect(log.take().isEmpty)
    world.now.store(Self.start + 10_000, ordering: .relaxed)
    log.write(.warning, "a token was refused", about: .token, [.text("user", "a")])
    log.write(.warning, "a token was refused", about: .token)
    #expect(
      lines(log) == [
        "2026-01-02T03:04:15.678Z warning a token was refused user=a left_out=4",
        "2026-01-02T03:04:15.678Z warning a token was refused",
      ])
    // A clock that goes back does not silence the log.
    world.now.store(0, ordering: .relaxed)
    log.write(.warning, "a token was refused", about: .token)
    #expect(lines(log).count == 1)
  }

  @Test("Lines that do not fit are dropped, counted, and said to be missing")
  func fullQueue() {
    let log = world.log(.info, .text)
    let line = "2026-01-02T03:04:05.678Z info    m v=".utf8.count + 1_024 + 1
    let fitting = ServerLog.maximumQueuedBytes / line
    for _ in 0..<(fitting + 5) { log.write(.info, "m", [.text("v", String(repeating: "x", count: 1_024))]) }
    #expect(world.wakes.load(ordering: .relaxed) == 1)
    #expect(log.counters.map(\.value) == [5, 0])
    let taken = lines(log)
    #expect(taken.count == fitting + 1)
    #expect(taken.last == "2026-01-02T03:04:05.678Z warning lines of the log were dropped lines=5")
    log.write(.info, "m")
    #expect(lines(log) == ["2026-01-02T03:04:05.678Z info    m"])
    #expect(world.wakes.load(ordering: .relaxed) == 2)
  }
}
