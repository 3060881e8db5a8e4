import Realtime

extension NamespaceOptions {
  /// What can be set of how publications reach subscribers.
  static let deliverySettings: [Setting<NamespaceOptions>] = [
    Setting(
      "force_recovery_mode", \.recoveryMode, .oneOf("stream|cache"),
      help:
        "What a recovery hands out: \"stream\", all that was missed; \"cache\", the last publication, also to a client"
        + " that was never there."),
    Setting(
      "allow_positioning", \.allowsPositioning, .boolean,
      help:
        "Whether a client that asks for it is told when it has missed something; one that may read the history"
        + " may ask anyway. Needs a history."),
    Setting(
      "force_positioning", \.forcesPositioning, .boolean,
      help: "Whether every client is told when it has missed something."),
    Setting(
      "allow_tags_filter", \.allowsTagsFilter, .boolean,
      help: "Whether clients may subscribe to publications with certain tags only."),
    Setting(
      "allowed_delta_types", \.allowedDeltas, .deltaTypes,
      help:
        "How publications may be sent as differences, to clients that ask for it: [\"fossil\"]. [] means not at all."
    ),
    Setting(
      "delta_publish", \.publishesDeltas, .boolean,
      help: "Whether every publication may be sent as a difference; else those whose publish call says so."),
    Setting(
      "slow_consumers", \.slowConsumers, .oneOf("disconnect|drop_oldest|conflate"),
      help:
        "What becomes of a client that does not read: \"disconnect\" ends its connection when its queue is full;"
        + " \"drop_oldest\" lets publications wait, and drops the oldest; \"conflate\" keeps the last of each value of"
        + " conflate_by."),
    Setting(
      "conflate_by", \.conflationTag, .text("TAG"),
      help:
        "The tag that says what a publication is about. Empty: only the channel's last publication is kept."),
    Setting(
      "slow_queue_bytes", \.slowConsumerQueueBytes, .bytes(in: 0...1 << 30),
      help: "Bytes in a connection's queue beyond which a client is slow, with drop_oldest and conflate."),
    Setting(
      "waiting_publications", \.maximumWaitingPublications, .integer("N", in: 1...100_000),
      help: "Publications that wait for a subscription of a slow client."),
    Setting(
      "waiting_bytes", \.maximumWaitingBytes, .bytes(in: 0...1 << 30),
      help: "Bytes that wait for a subscription of a slow client."),
    Setting(
      "allow_acknowledgement", \.allowsAcknowledgement, .boolean,
      help:
        "Whether clients of a user may acknowledge publications, and get again what they have not. Needs a history."
    ),
    Setting(
      "consumer_retention_seconds", \.consumerRetentionMilliseconds, .seconds(in: 0...31_536_000),
      help: "How long it is remembered how far such a client had come that has gone."),
    Setting(
      "consumers", \.maximumConsumers, .integer("N", in: 0...1_000_000),
      help: "Such clients remembered per channel."),
    Setting(
      "unacknowledged_publications", \.maximumUnacknowledgedPublications, .integer("N", in: 1...100_000),
      help: "Publications that such a client may leave unacknowledged before it gets no more."),
  ]
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the cases, by its name.
  static func oneOf(_ placeholder: String) -> ValueKind {
    let text = ValueKind<String>.text(placeholder)
    return ValueKind(
      placeholder: placeholder,
      read: { (raw) throws(BadValue) in
        guard let value = Value(rawValue: try text.read(raw)) else {
          let names = Value.allCases.map { quoted($0.rawValue) }.joined(separator: ", ")
          throw BadValue("is not one of \(names)")
        }
        return value
      },
      show: { text.show($0.rawValue) })
  }
}

extension ValueKind where Value == DeltaTypes {
  /// A list of delta formats; there is one.
  static var deltaTypes: ValueKind {
    let list = ValueKind<[String]>.list("TYPE,…")
    return ValueKind(
      placeholder: list.placeholder,
      read: { (raw) throws(BadValue) in
        let names = try list.read(raw)
        if let unknown = names.first(where: { $0 != "fossil" }) {
          throw BadValue("names \(quoted(unknown)), which is not \"fossil\"")
        }
        return names.isEmpty ? [] : .fossil
      },
      show: { list.show($0.contains(.fossil) ? ["fossil"] : []) })
  }
}
