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
        .text("user", user), .text("client", clientID), .text("address", address.text),
      ])
  }

  func noteConnected(_ info: ClientInfo) {
    options.log?.write(
      .debug, "a client has connected",
      [
        .text("client", info.client), .text("user", info.user), .text("transport", transport),
        .text("address", address.text),
      ])
  }

  /// `ending` is nil where the client has gone, or the network.
  func noteDisconnected(_ info: ClientInfo, _ ending: Disconnect?) {
    options.log?.write(
      .debug, "a client has gone",
      [
        .text("client", info.client), .text("user", info.user), .number("code", ending?.code ?? 0),
        .text("reason", ending?.reason ?? "connection closed"),
      ])
  }
}
