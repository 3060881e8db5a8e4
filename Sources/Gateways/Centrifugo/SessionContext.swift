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
