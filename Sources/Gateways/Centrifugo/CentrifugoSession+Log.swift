import Realtime

/// What the log says of clients.
extension CentrifugoSession {
  /// A token was refused that the client cannot renew by itself.
  func note(_ error: TokenError, of token: String, in command: StaticString, user: String) {
    options.log?.write(
      .warning, "a token was refused", about: .token,
      [
        .text("command", "\(command)"),
        .text("reason", error == .revoked ? "revoked" : TokenClaims.complaint(of: token) ?? "not valid here"),
        .text("user", user), .text("client", client), .text("address", address.text),
      ])
  }

  func noteConnected() {
    options.log?.write(
      .debug, "a client has connected",
      [
        .text("client", client), .text("user", user), .text("transport", transport),
        .text("address", address.text),
      ])
  }

  /// `ending` is nil where the client has gone, or the network.
  func noteDisconnected(_ ending: Disconnect?) {
    options.log?.write(
      .debug, "a client has gone",
      [
        .text("client", client), .text("user", user), .number("code", ending?.code ?? 0),
        .text("reason", ending?.reason ?? "connection closed"),
      ])
  }
}
