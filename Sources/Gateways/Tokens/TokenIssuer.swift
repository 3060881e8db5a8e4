/// Keys that verify the tokens of one issuer.
public struct TokenIssuer: Sendable {
  /// Keys that do not change.
  public var keys: [TokenKey]
  /// Keys that are fetched; nil where none are.
  public var keySource: (any TokenKeySource)?
  /// What `aud` must name; empty: not checked.
  public var audience: String
  /// The algorithms that its tokens may have; nil: those of its keys.
  public var algorithms: Set<TokenAlgorithm>?

  /// Names what an issuer's tokens are verified with.
  public init(
    keys: [TokenKey] = [], keySource: (any TokenKeySource)? = nil, audience: String = "",
    algorithms: Set<TokenAlgorithm>? = nil
  ) {
    self.keys = keys
    self.keySource = keySource
    self.audience = audience
    self.algorithms = algorithms
  }

  func checkSignature(
    _ signature: [UInt8], of signed: [UInt8], _ header: TokenHeader
  ) throws(TokenError) {
    guard algorithms?.contains(header.algorithm) ?? true else { throw .invalid }
    let fitting = keys.filter { $0.suits(header.algorithm, identifier: header.keyIdentifier) }
    if Self.isSigned(signed, signature, header, fitting) { return }
    guard let keySource else { throw .invalid }
    switch keySource.keys(for: header.algorithm, identifier: header.keyIdentifier) {
    case .known(let fetched):
      guard Self.isSigned(signed, signature, header, fetched) else { throw .invalid }
    case .unknown: throw .invalid
    case .underWay: throw .unknownKey
    }
  }

  private static func isSigned(
    _ signed: [UInt8], _ signature: [UInt8], _ header: TokenHeader, _ keys: [TokenKey]
  ) -> Bool {
    keys.prefix(TokenVerifier.maximumKeysTried).contains {
      $0.verifies(signature, of: signed, header.algorithm)
    }
  }

}
