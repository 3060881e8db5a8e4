import Synchronization

/// A verifier that can be replaced while sessions use it. Any thread.
public final class CurrentTokens: Sendable {
  private let current: Mutex<TokenVerifier>

  /// Begins with a verifier.
  public init(_ verifier: TokenVerifier) { current = Mutex(verifier) }

  /// What verifies tokens now.
  public var verifier: TokenVerifier { current.withLock { $0 } }

  /// Verifies all tokens that are brought from now on by this one, also those of clients that are connected.
  public func use(_ verifier: TokenVerifier) { current.withLock { $0 = verifier } }
}
