import Realtime

/// At least once: what a client has not acknowledged is shown to it again.
extension HistoryChecker {
  /// A client in one run of the server, which forgets it when it goes.
  struct ConsumerKey: Hashable {
    let client: Int
    let channel: String
    let run: Int
  }

  /// How far a client has come.
  struct Consumer {
    let epoch: String
    /// What the server may have heard: it begins again no later than this.
    var sent: UInt64
    /// What the server has heard: it begins again no earlier than this.
    var confirmed: UInt64
  }

  /// A client subscribes that acknowledges, maybe for the first time.
  mutating func resumed(
    _ beginning: FaultEvent.Beginning, _ consumer: ConsumerKey, _ stream: Stream, _ key: ViewKey
  ) {
    var last = beginning.position.offset
    if let known = consumers[consumer] {
      if !beginning.recovered { return complain(.loss, "\(key): its place is forgotten") }
      if known.epoch != stream.epoch { complain(.epoch, "\(key): \(stream), not \(known.epoch)") }
      if last > known.sent {
        complain(.loss, "\(key): begins behind \(last), acknowledged are \(known.sent)")
      }
      if last < known.confirmed {
        complain(.repeated, "\(key): begins behind \(last), acknowledged are \(known.confirmed)")
      }
    } else {
      consumers[consumer] = Consumer(epoch: stream.epoch, sent: last, confirmed: last)
    }
    for shown in beginning.publications {
      check(shown.offset, after: last, key)
      last = shown.offset
      note(Effect(text: shown.text, run: consumer.run), Place(stream: stream, offset: shown.offset))
    }
  }
}

extension HistoryChecker.ConsumerKey {
  init(_ client: Int, _ event: FaultEvent) {
    self.init(client: client, channel: event.channel, run: event.run)
  }
}
