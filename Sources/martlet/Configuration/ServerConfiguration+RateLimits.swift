import Realtime

extension ServerConfiguration {
  /// How often clients may do what they do.
  static let rateLimitSettings: [Setting<ServerConfiguration>] = [
    setting("connection_commands", \.rateLimits.connection[.command], "Commands of a connection of any kind"),
    setting(
      "connection_subscribes", \.rateLimits.connection[.subscribe],
      "Subscribe and unsubscribe commands of a connection"),
    setting(
      "connection_publishes", \.rateLimits.connection[.publish], "Publish and send commands of a connection"),
    setting(
      "connection_reads", \.rateLimits.connection[.read],
      "Commands of a connection for history and presence"),
    setting("connection_calls", \.rateLimits.connection[.call], "Remote procedure calls of a connection"),
    setting(
      "user_commands", \.rateLimits.user[.command],
      "Commands of all connections of a user"),
    setting("user_publishes", \.rateLimits.user[.publish], "Publish and send commands of the same"),
    setting(
      "address_commands", \.rateLimits.address[.command],
      "Commands of all connections of a client's address"),
    setting("address_publishes", \.rateLimits.address[.publish], "Publish and send commands of the same"),
    Setting(
      "rate_limits.refusals", \.rateLimits.maximumRefusals, .integer("N", in: 0...1_000_000),
      help:
        "Commands in a row that are refused by these limits (error 111) before the connection ends with 3013."
        + " 0 means any number."),
  ]

  private static func setting(
    _ name: String, _ path: any WritableKeyPath<ServerConfiguration, RateLimit?> & Sendable, _ what: String
  ) -> Setting<ServerConfiguration> {
    Setting(
      "rate_limits.\(name)", path, .rateLimit,
      help:
        "\(what): \"10\" for 10 a second and 20 at once, \"10:50\" for 50 at once. Empty means any number.")
  }
}

extension ValueKind where Value == RateLimit? {
  /// `10`: so many a second, and twice as many at once; `10:50`: 50 at once; empty: no limit.
  static var rateLimit: ValueKind {
    let text = ValueKind<String>.text("RATE[:BURST]")
    return ValueKind(
      placeholder: text.placeholder,
      read: { (raw) throws(BadValue) in
        let parts = try text.read(raw).split(separator: ":", omittingEmptySubsequences: false)
        if parts == [""] { return nil }
        let numbers = parts.compactMap { UInt64($0) }
        guard numbers.count == parts.count, numbers.count <= 2,
          numbers.allSatisfy({ (1...1_000_000).contains($0) })
        else { throw BadValue("is not a rate such as \"10\" or \"10:50\", with numbers from 1 to 1000000") }
        return RateLimit(perSecond: numbers[0], burst: numbers.count == 2 ? numbers[1] : nil)
      },
      show: { limit in text.show(limit.map { "\($0.perSecond):\($0.burst)" } ?? "") })
  }
}
