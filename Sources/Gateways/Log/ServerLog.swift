import Synchronization

/// The log of a server: lines for people or for programs, one for each thing that happens. Any thread.
///
/// Writing never waits: a line goes to a bounded queue, which a thread of its own takes from (``take()``). What does not
/// fit is dropped, counted, and said to be missing. A level that is off costs one comparison.
public final class ServerLog: Sendable {
  /// How lines are spelled.
  public enum Format: Sendable {
    /// For people.
    case text
    /// A JSON object each, for programs.
    case json
  }

  /// The most bytes that wait to be taken.
  public static let maximumQueuedBytes = 262_144

  private struct State: Sendable {
    var bounds = LogBounds()
    var queue: [UInt8] = []
    /// Lines dropped since the queue was taken.
    var missing: UInt64 = 0
  }

  private let threshold: Atomic<Int>
  private let format: Format
  private let wallClock: @Sendable () -> UInt64
  private let wake: @Sendable () -> Void
  private let state = Mutex(State())
  private let dropped = Atomic<UInt64>(0)
  private let leftOut = Atomic<UInt64>(0)

  /// Makes a log whose queue is empty.
  ///
  /// - Parameters:
  ///   - level: lines of this level and of those above it are written.
  ///   - format: how they are spelled.
  ///   - wallClock: milliseconds since 1970.
  ///   - wake: called when there is something to take and was nothing before. On any thread; it must not wait.
  public init(
    level: LogLevel, format: Format, wallClock: @escaping @Sendable () -> UInt64,
    wake: @escaping @Sendable () -> Void
  ) {
    threshold = Atomic(level.rawValue)
    self.format = format
    self.wallClock = wallClock
    self.wake = wake
  }

  /// Writes lines of this level and of those above it from now on.
  public func use(level: LogLevel) { threshold.store(level.rawValue, ordering: .relaxed) }

  /// Whether lines of a level are written.
  public func isOn(_ level: LogLevel) -> Bool { level.rawValue <= threshold.load(ordering: .relaxed) }

  /// Writes a line.
  ///
  /// - Parameters:
  ///   - level: how much it matters.
  ///   - message: what has happened; the same for each event of its kind.
  ///   - subject: what bounds it; nil for what strangers cannot bring about.
  ///   - fields: what is different from one event to the next; looked at only if the line is written.
  public func write(
    _ level: LogLevel, _ message: StaticString, about subject: LogSubject? = nil,
    _ fields: @autoclosure () -> [LogField] = []
  ) {
    guard isOn(level) else { return }
    let now = wallClock()
    var more: [LogField] = []
    if let subject {
      guard let missing = state.withLock({ $0.bounds.admit(subject, now: now) }) else {
        return leftOut.count()
      }
      if missing > 0 { more = [.number("left_out", missing)] }
    }
    let line = spell(level, message, fields() + more, now)
    let isFirst = state.withLock { state -> Bool in
      guard state.queue.count + line.count <= Self.maximumQueuedBytes else {
        state.missing += 1
        dropped.count()
        return false
      }
      defer { state.queue += line }
      return state.queue.isEmpty
    }
    if isFirst { wake() }
  }

  /// Takes the lines that wait, each with its line break; empty if there are none.
  public func take() -> [UInt8] {
    let (lines, missing) = state.withLock { state -> ([UInt8], UInt64) in
      defer {
        state.queue = []
        state.missing = 0
      }
      return (state.queue, state.missing)
    }
    guard missing > 0 else { return lines }
    return lines + spell(.warning, "lines of the log were dropped", [.number("lines", missing)], wallClock())
  }

  /// The counters by their names in docs/limits.md.
  public var counters: [(name: String, value: UInt64)] {
    [
      ("log_lines_dropped", dropped.load(ordering: .relaxed)),
      ("log_lines_left_out", leftOut.load(ordering: .relaxed)),
    ]
  }

  private func spell(
    _ level: LogLevel, _ message: StaticString, _ fields: [LogField], _ now: UInt64
  ) -> [UInt8] {
    switch format {
    case .text: LogLine.text(level, message, fields, atMilliseconds: now)
    case .json: LogLine.json(level, message, fields, atMilliseconds: now)
    }
  }
}
