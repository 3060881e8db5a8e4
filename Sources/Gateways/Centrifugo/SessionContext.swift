import Realtime

/// What the sessions of a gateway have in common: one reference in each of them, however much it is.
final class SessionContext: Sendable {
  let hub: Hub
  let options: CentrifugoOptions
  let counters: CentrifugoCounters

  init(_ hub: Hub, _ options: CentrifugoOptions, _ counters: CentrifugoCounters) {
    self.hub = hub
    self.options = options
    self.counters = counters
  }
}

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

/// A moment that may not be set, in the memory of one number: few sessions wait for all that they could wait for.
@propertyWrapper
struct Moment {
  private var time = UInt64.max

  var wrappedValue: UInt64? {
    get { time == .max ? nil : time }
    set { time = newValue ?? .max }
  }
}
