/// The closing handshake of one end (RFC 6455 §7), as a value: methods say what to do, nothing is done here.
public struct ClosingHandshake: Sendable {
  /// How far it is.
  public enum State: Sendable, Hashable {
    /// No close frame was sent or received.
    case open
    /// Ours was sent; the peer's is awaited, and nothing but it is of interest.
    case closeSent
    /// Both were exchanged, or the connection has failed: only the end of the stream is to come.
    case finished
  }

  /// How the connection ended, as the application is told (RFC 6455 §7.1.5, §7.1.6).
  public struct Outcome: Sendable, Hashable {
    /// The peer's close code, 1005 if its frame had none, 1006 if there was no frame.
    public let code: CloseCode
    /// The peer's reason, or what went wrong.
    public let reason: String
  }

  @usableFromInline
  final class Ending: Sendable {
    let outcome: Outcome

    init(_ outcome: Outcome) { self.outcome = outcome }
  }

  /// In one word, with the outcome in a box: most connections are open.
  @usableFromInline
  enum Progress: Sendable {
    case open
    case closeSent
    case finished(Ending)
  }

  @usableFromInline var progress = Progress.open

  /// How far it is.
  @inlinable public var state: State {
    switch progress {
    case .open: .open
    case .closeSent: .closeSent
    case .finished: .finished
    }
  }

  /// How it ended; nil while it has not.
  public var outcome: Outcome? {
    if case .finished(let ending) = progress { ending.outcome } else { nil }
  }

  /// Starts open.
  public init() {}

  /// We want to close: true if a close frame is to be sent now.
  ///
  /// RFC 6455 §5.5.1: "The application MUST NOT send any more data frames after sending a Close frame."
  public mutating func close() -> Bool {
    guard state == .open else { return false }
    progress = .closeSent
    return true
  }

  /// A close frame came: true if it is to be answered by one with the same code.
  ///
  /// RFC 6455 §5.5.1: "If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint
  /// MUST send a Close frame in response."
  public mutating func receivedClose(_ code: CloseCode?, reason: String) -> Bool {
    guard state != .finished else { return false }
    let mustAnswer = state == .open
    finish(Outcome(code: code ?? .noStatus, reason: reason))
    return mustAnswer
  }

  /// The connection fails for a reason of ours: true if a close frame is to be sent that says why.
  public mutating func fail(reason: String) -> Bool {
    guard state != .finished else { return false }
    let maySend = state == .open
    finish(Outcome(code: .abnormal, reason: reason))
    return maySend
  }

  /// The stream has ended: the outcome, 1006 if there was no close frame from the peer.
  public mutating func endOfStream(reason: String) -> Outcome {
    if let outcome { return outcome }
    let outcome = Outcome(code: .abnormal, reason: reason)
    finish(outcome)
    return outcome
  }

  private mutating func finish(_ outcome: Outcome) { progress = .finished(Ending(outcome)) }
}
