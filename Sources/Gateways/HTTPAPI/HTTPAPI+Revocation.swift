import Realtime

extension HTTPAPI {
  /// Revokes, and ends the connections that were opened by what is revoked.
  func perform(_ revocation: APIRequest.Revocation, _ done: @escaping (APIReply) -> Void) {
    guard let revocations else { return done(.error(.notAvailable)) }
    let now = now()
    func end(_ expiresAt: UInt64?) -> UInt64 {
      expiresAt ?? now.addingReportingOverflow(APILimits.revocationSeconds).partialValue
    }
    var selection: ClientSelection?
    var isTaken = true
    switch revocation {
    case .token(let identifier, let expiresAt):
      isTaken = revocations.revoke(token: identifier, until: end(expiresAt), now: now)
      selection = ClientSelection(user: "")
      selection?.token = identifier
    case .tokensOfUser(let user, let issuedBefore, let expiresAt):
      // Tokens that are made from now on are good: else nobody could come back.
      let limit = issuedBefore ?? now
      isTaken = revocations.revoke(user: user, issuedBefore: limit, until: end(expiresAt), now: now)
      selection = ClientSelection(user: user)
      selection?.issuedBefore = limit
    case .block(let user, let expiresAt):
      isTaken = revocations.revoke(user: user, issuedBefore: nil, until: end(expiresAt), now: now)
      selection = ClientSelection(user: user)
    case .unblock(let user): _ = revocations.restore(user: user)
    }
    guard isTaken else { return done(.error(.tooManyRevocations)) }
    guard let selection else { return done(.result(.empty)) }
    // The same as for a token that is not valid: the client stays away until it has another one.
    hub.disconnect(selection, code: UInt32(Disconnect.invalidToken.code), reason: "token revoked") { _ in
      done(.result(.empty))
    }
  }
}
