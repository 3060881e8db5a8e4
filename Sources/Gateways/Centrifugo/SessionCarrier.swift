/// How a client is connected.
final class SessionCarrier: Sendable {
  static let webSocket = SessionCarrier("websocket")

  /// ``SessionCaller/transport``.
  let name: String
  /// Where the client posts its commands, if it has to.
  let emulation: EmulationAddress?

  init(_ name: String, emulation: EmulationAddress? = nil) {
    self.name = name
    self.emulation = emulation
  }
}
