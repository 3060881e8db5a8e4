import Realtime

extension NamespaceOptions {
  /// What can be set for a namespace.
  static let settings: [Setting<NamespaceOptions>] =
    [
      Setting(
        "subscribe", \.subscribe, .audience,
        help:
          "Who may subscribe without a token for the channel: \"authenticated\" (clients with a user name),"
          + " \"anonymous\" (those without). [] means nobody."),
      Setting(
        "publish", \.publish, .audience,
        help: "Who may publish over a client connection; \"subscribers\" means those of the channel."),
      Setting(
        "history", \.history, .audience, help: "Who may read the history over a client connection. Needs one."
      ),
      Setting("presence", \.presence, .audience, help: "Who may ask who is there. Needs keep_presence."),
      Setting(
        "user_limited_channels", \.allowsUserLimitedChannels, .boolean,
        help: "Whether the users that a name such as dialog#ann,bob lists may subscribe."),
      Setting(
        "history_size", \.historySize, .integer("N", in: 0...1_000_000),
        help: "Publications kept per channel. 0 keeps none."),
      Setting(
        "history_ttl_seconds", \.historyTTLMilliseconds, .seconds(in: 0...31_536_000),
        help: "How long a publication is kept. 0 keeps none; \"24h\" and \"7d\" work too."),
      Setting(
        "history_bytes", \.historyMaximumBytes, .bytes(in: 0...1 << 40),
        help: "The most bytes of data kept per channel."),
      Setting(
        "position_retention_seconds", \.positionRetentionMilliseconds, .seconds(in: 0...31_536_000),
        help:
          "How long an idle channel whose history has expired still knows its offset, so that a client that"
          + " missed nothing is told so."),
      Setting(
        "allow_recovery", \.allowsRecovery, .boolean,
        help:
          "Whether a client that asks for it gets what it missed while it was away; one that may read the history"
          + " may ask anyway. Needs a history."),
      Setting(
        "force_recovery", \.forcesRecovery, .boolean,
        help: "Whether every subscription is recovered, asked for or not."),
      Setting(
        "recovery_publications", \.maximumRecoveredPublications, .integer("N", in: 0...100_000),
        help: "The most publications that a recovery sends. A client that missed more must reload its state."),
      Setting(
        "history_publications", \.maximumHistoryPublications, .integer("N", in: 1...100_000),
        help: "The most publications that one history call returns."),
      Setting("keep_presence", \.keepsPresence, .boolean, help: "Whether the channel knows who is there."),
      Setting(
        "join_leave", \.emitsJoinLeave, .boolean,
        help: "Whether subscribers that ask for it are told who joins and leaves."),
      Setting(
        "force_join_leave", \.forcesJoinLeave, .boolean,
        help: "Whether every subscriber is told who joins and leaves. Needs join_leave."),
      Setting(
        "message_bytes", \.maximumMessageBytes, .bytes(in: 1...1 << 30),
        help: "The most bytes of data in one publication."),
      Setting(
        "idempotency_seconds", \.idempotencyWindowMilliseconds, .seconds(in: 0...86_400),
        help: "How long a repeated idempotency key gets the first answer again."),
      Setting(
        "idempotency_keys", \.maximumIdempotencyKeys, .integer("N", in: 0...10_000_000),
        help: "Idempotency keys remembered per channel; the oldest is forgotten first."),
    ] + deliverySettings
}

extension ValueKind where Value == Audience {
  private static let names: [(name: String, audience: Audience)] = [
    ("authenticated", .authenticated), ("anonymous", .anonymous), ("subscribers", .subscribers),
  ]

  /// A list of the kinds of clients that may do something.
  static var audience: ValueKind {
    let list = ValueKind<[String]>.list("WHO,…")
    return ValueKind(
      placeholder: list.placeholder,
      read: { (raw) throws(BadValue) in
        var audience = Audience.nobody
        for word in try list.read(raw) {
          guard let known = names.first(where: { $0.name == word }) else {
            let hint = Suggestion.clause(for: word, among: names.map(\.name))
            throw BadValue(
              "names \(quoted(word)), which is none of authenticated, anonymous, subscribers\(hint)")
          }
          audience.insert(known.audience)
        }
        return audience
      },
      show: { audience in list.show(names.filter { audience.contains($0.audience) }.map(\.name)) })
  }
}

extension ValueKind where Value == UInt64 {
  /// A time in seconds, also written `10m` or `24h`, and held in milliseconds.
  static func seconds(in range: ClosedRange<Int>) -> ValueKind {
    let duration = ValueKind<Int>.duration
    return ValueKind(
      placeholder: "SECONDS",
      read: { (raw) throws(BadValue) in
        let seconds = try duration.read(raw)
        guard range.contains(seconds) else {
          throw BadValue("is not from \(range.lowerBound) to \(range.upperBound) seconds")
        }
        return UInt64(seconds) * 1_000
      },
      show: { String($0 / 1_000) })
  }
}
