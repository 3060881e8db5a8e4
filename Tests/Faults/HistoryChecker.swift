import Realtime

/// Says of a history of events whether the promises of docs/protocol.md were kept. Knows nothing of how the server
/// does it.
struct HistoryChecker {
  /// A promise that was broken.
  enum Rule: String {
    /// A publication was left out.
    case loss
    /// One was shown that had been shown, or in another order than its offset's.
    case repeated
    /// `recovered` was said where it is not true.
    case falseRecovery
    /// One publish had two effects, or one place holds two publications.
    case twoEffects
    /// Something was shown to somebody who is not subscribed.
    case notSubscribed
    /// An epoch came back after its stream had been forgotten, or changed within a subscription.
    case epoch
    /// What was done before is not seen after.
    case stale
    /// A subscriber that reads all has not been told all.
    case behind
    /// An operation that must be granted was refused.
    case refused
  }

  struct Complaint: CustomStringConvertible {
    let rule: Rule
    let description: String
  }

  struct Stream: Hashable {
    let channel: String
    let epoch: String
  }

  struct Place: Hashable {
    let stream: Stream
    let offset: UInt64
  }

  /// What a server forgets when it goes.
  struct Effect: Hashable {
    let text: String
    let run: Int
  }

  struct ViewKey: Hashable {
    let connection: Int
    let channel: String
  }

  /// A subscription as its client knows it.
  private enum View {
    /// `floors`: what had been published for certain, by epoch, when the client asked. `consumer`: which client it is, if
    /// it acknowledges.
    case asked(since: StreamPosition?, floors: [String: UInt64], consumer: Int? = nil)
    case live(StreamPosition, unordered: Set<String>)
  }

  private(set) var complaints: [Complaint] = []
  private var runs: [Stream: Int] = [:]
  private var texts: [Place: String] = [:]
  /// Where a text is, in a run.
  private var places: [Effect: Place] = [:]
  /// The highest offset of a publish that has returned, by channel and epoch.
  private var floors: [String: [String: UInt64]] = [:]
  /// The floors when publishing a text began.
  private var publishing: [Effect: [String: UInt64]] = [:]
  private var views: [ViewKey: View] = [:]
  var consumers: [ConsumerKey: Consumer] = [:]

  mutating func take(_ event: FaultEvent) {
    let key = ViewKey(connection: event.connection, channel: event.channel)
    switch event.kind {
    case .publishing(let text):
      let effect = Effect(text: text, run: event.run)
      if publishing[effect] == nil { publishing[effect] = floors[event.channel] ?? [:] }
    case .published(let text, let position):
      published(Effect(text: text, run: event.run), position, event.channel)
    case .subscribing(let since): views[key] = .asked(since: since, floors: floors[event.channel] ?? [:])
    case .consuming(let client):
      views[key] = .asked(since: nil, floors: floors[event.channel] ?? [:], consumer: client)
    case .acknowledging(let client, let offset):
      consumers[ConsumerKey(client, event)]?.sent.raise(to: offset)
    case .acknowledged(let client, let offset):
      consumers[ConsumerKey(client, event)]?.confirmed.raise(to: offset)
    case .subscribed(let beginning): subscribed(beginning, key, event.run)
    case .shown(let shown): self.shown(shown, key, event.run)
    case .unsubscribed: views[key] = nil
    case .refused(let code): complain(.refused, "\(key): error \(code)")
    case .disconnected: views = views.filter { $0.key.connection != event.connection }
    case .atEnd(let position, let held): atEnd(position, held, event.channel, event.run)
    }
  }

  // MARK: Publishing

  private mutating func published(_ effect: Effect, _ position: StreamPosition, _ channel: String) {
    guard position.offset > 0 else { return }
    let stream = Stream(channel: channel, epoch: position.epoch)
    note(effect, Place(stream: stream, offset: position.offset))
    if let floor = publishing[effect]?[position.epoch], position.offset <= floor {
      complain(.stale, "\(effect) is at \(position.offset), behind \(floor), which was there when it began")
    }
    floors[channel, default: [:]][position.epoch, default: 0].raise(to: position.offset)
  }

  /// One text, one place; one place, one text.
  mutating func note(_ effect: Effect, _ place: Place) {
    note(place.stream, effect.run)
    if let other = places.updateValue(place, forKey: effect), other != place {
      complain(.twoEffects, "\(effect) is at \(other) and at \(place)")
    }
    if let other = texts.updateValue(effect.text, forKey: place), other != effect.text {
      complain(.twoEffects, "\(place) holds \(other) and \(effect)")
    }
  }

  /// An epoch belongs to one run of the server.
  private mutating func note(_ stream: Stream, _ run: Int) {
    guard !stream.epoch.isEmpty, let known = runs[stream] else { return runs[stream] = run }
    if known != run { complain(.epoch, "\(stream) of run \(known) is back in run \(run)") }
  }

  // MARK: Subscribing

  private mutating func subscribed(_ beginning: FaultEvent.Beginning, _ key: ViewKey, _ run: Int) {
    guard case .asked(let since, let floors, let consumer)? = views[key] else {
      return complain(.notSubscribed, "\(key): an answer to nothing")
    }
    let position = beginning.end
    let stream = Stream(channel: key.channel, epoch: position.epoch)
    note(stream, run)
    // Where as much comes as may be on its way, the rest comes later.
    let isPortion = consumer != nil && beginning.publications.count == FaultWorld.portion
    if !isPortion, let floor = floors[position.epoch], floor > position.offset {
      complain(.stale, "\(key): begins at \(position.offset), behind \(floor)")
    }
    if let consumer {
      views[key] = .live(position, unordered: [])
      return resumed(beginning, ConsumerKey(client: consumer, channel: key.channel, run: run), stream, key)
    }
    if beginning.recovered {
      recovered(beginning, since: since, stream, key, run)
    } else if !beginning.publications.isEmpty {
      complain(.falseRecovery, "\(key): publications without recovery")
    }
    if beginning.wasRecovering != (since != nil) {
      complain(.falseRecovery, "\(key): was_recovering is \(beginning.wasRecovering)")
    }
    views[key] = .live(position, unordered: [])
  }

  private mutating func recovered(
    _ beginning: FaultEvent.Beginning, since: StreamPosition?, _ stream: Stream, _ key: ViewKey, _ run: Int
  ) {
    guard let since, since == beginning.position else {
      let asked = since.map { "\($0)" } ?? "nothing"
      return complain(.falseRecovery, "\(key): recovered from \(beginning.position), not \(asked)")
    }
    var last = since.offset
    for shown in beginning.publications {
      check(shown.offset, after: last, key)
      last.raise(to: shown.offset)
      note(Effect(text: shown.text, run: run), Place(stream: stream, offset: shown.offset))
    }
  }

  // MARK: Being shown

  private mutating func shown(_ shown: FaultEvent.Shown, _ key: ViewKey, _ run: Int) {
    guard case .live(var position, var unordered)? = views[key] else {
      return complain(.notSubscribed, "\(key): \(shown)")
    }
    if shown.offset == 0 {
      if !unordered.insert(shown.text).inserted { complain(.repeated, "\(key): \(shown)") }
    } else {
      check(shown.offset, after: position.offset, key)
      let stream = Stream(channel: key.channel, epoch: position.epoch)
      note(Effect(text: shown.text, run: run), Place(stream: stream, offset: shown.offset))
      position.offset.raise(to: shown.offset)
    }
    views[key] = .live(position, unordered: unordered)
  }

  mutating func check(_ offset: UInt64, after last: UInt64, _ key: ViewKey) {
    if offset <= last { complain(.repeated, "\(key): \(offset) after \(last)") }
    if offset > last + 1 { complain(.loss, "\(key): \(offset) after \(last)") }
  }

  // MARK: Ends

  private mutating func atEnd(
    _ position: StreamPosition, _ held: [FaultEvent.Shown], _ channel: String, _ run: Int
  ) {
    let stream = Stream(channel: channel, epoch: position.epoch)
    for shown in held {
      note(Effect(text: shown.text, run: run), Place(stream: stream, offset: shown.offset))
    }
    if let floor = floors[channel]?[position.epoch], floor > position.offset {
      complain(.stale, "\(channel) ends at \(position.offset), behind \(floor)")
    }
    for (key, view) in views where key.channel == channel {
      switch view {
      case .asked: complain(.behind, "\(key): no answer")
      case .live(let last, _):
        if last.epoch != position.epoch { complain(.epoch, "\(key): \(last), not \(position)") }
        if last.offset < position.offset { complain(.behind, "\(key): \(last.offset) of \(position.offset)") }
      }
    }
  }

  mutating func complain(_ rule: Rule, _ text: String) {
    complaints.append(Complaint(rule: rule, description: "\(rule.rawValue): \(text)"))
  }
}

extension UInt64 {
  /// Never goes down.
  mutating func raise(to other: UInt64) { self = Swift.max(self, other) }
}
