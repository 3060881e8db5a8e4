import EventLoops
import HTTPCore

/// Decides before the opening handshake is completed who may have a WebSocket, e.g. by a token or a cookie.
///
/// ```swift
/// let authentication = Authentication { request in
///   guard let user = try await sessions.user(of: request.cookies["session"]) else {
///     return .refuse(.text(.unauthorized, "Log in first.\n"))
///   }
///   return .allow(user)
/// }
/// ```
///
/// Until it has decided, what the client sends is not looked at, and not read beyond its first bytes. One that takes too
/// long is cancelled, and the client gets 503; one that throws gives it 500. One whose client goes away is cancelled, too.
public struct Authentication: Sendable {
  /// What was decided.
  public enum Decision: Sendable {
    /// The handshake goes on; the object becomes the connection's attachment.
    case allow((any AnyObject & Sendable)?)
    /// The client gets this response, as it is.
    case refuse(HTTPResponse)
  }

  /// The time that a decision may take, in milliseconds. Default 5 s.
  public var deadlineMilliseconds: UInt64
  /// Decides.
  public var decide: @Sendable (HTTPRequest) async throws -> Decision

  /// Makes an authentication.
  public init(
    deadlineMilliseconds: UInt64 = 5_000, decide: @escaping @Sendable (HTTPRequest) async throws -> Decision
  ) {
    self.deadlineMilliseconds = deadlineMilliseconds
    self.decide = decide
  }
}

extension HTTPExchange {
  /// Asks who may go on. If the client may, `next` is called with its attachment, on the loop; else it has been answered.
  ///
  /// Called on the loop.
  public func authenticate(
    _ authentication: Authentication, request: HTTPRequest? = nil,
    then next: @escaping @Sendable (HTTPExchange, (any AnyObject & Sendable)?) -> Void
  ) {
    let attempt = AuthenticationAttempt(exchange: self, next: next)
    let request = request ?? HTTPRequest(self)
    let task = Task(executorPreference: loop) {
      let decision: Authentication.Decision
      do {
        decision = try await authentication.decide(request)
      } catch {
        decision = .refuse(.text(.internalServerError, "The client could not be authenticated.\n"))
      }
      attempt.loop.execute { attempt.end(decision) }
    }
    attempt.begin(task, deadline: authentication.deadlineMilliseconds)
  }
}

/// One decision under way. Loop-confined; the first of decision and deadline ends it.
private final class AuthenticationAttempt: TimerTarget, @unchecked Sendable {
  let loop: EventLoop
  private var exchange: HTTPExchange?
  private let next: @Sendable (HTTPExchange, (any AnyObject & Sendable)?) -> Void
  private var task: Task<Void, Never>?
  private var timer = TimerID.none

  init(
    exchange: HTTPExchange, next: @escaping @Sendable (HTTPExchange, (any AnyObject & Sendable)?) -> Void
  ) {
    loop = exchange.loop
    self.exchange = exchange
    self.next = next
  }

  func begin(_ task: Task<Void, Never>, deadline: UInt64) {
    self.task = task
    exchange?.whenClientGoes { [weak self] in self?.clientWent() }
    timer = loop.schedule(after: deadline, self, token: 0)
  }

  func end(_ decision: Authentication.Decision) {
    guard let exchange = finish() else { return }
    switch decision {
    case .allow(let attachment): next(exchange, attachment)
    case .refuse(let response): exchange.respond(response)
    }
  }

  func timerFired(_ token: UInt64) {
    let task = task
    guard let exchange = finish() else { return }
    task?.cancel()
    exchange.countAuthenticationTimeout()
    var response = HTTPResponse.text(.serviceUnavailable, "The client could not be authenticated in time.\n")
    response.fields.append("Retry-After", "5")
    exchange.respond(response)
  }

  private func clientWent() {
    let task = task
    guard let exchange = finish() else { return }
    task?.cancel()
    // Read by a client that has ended its own side only.
    exchange.respond(.text(.badRequest, "The client ended the connection before it was let in.\n"))
  }

  private func finish() -> HTTPExchange? {
    defer { (exchange, task) = (nil, nil) }
    loop.cancel(timer)
    return exchange
  }
}
