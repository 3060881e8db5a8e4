import Transport

extension ServerConfiguration {
  /// What can be seen of the server from outside.
  struct Observation: Sendable {
    var metricsAllowed = ["127.0.0.0/8", "::1", "unix"].compactMap(AddressRange.init)
  }

  static let observationSettings: [Setting<ServerConfiguration>] = [
    Setting(
      "metrics.allowed", \.observation.metricsAllowed, .addressRanges,
      help:
        "Addresses that may read /metrics (Prometheus' format): ranges such as \"10.0.0.0/8\", or \"unix\". Empty means"
        + " nobody.")
  ]
}
