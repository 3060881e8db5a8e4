import Bytes
import EventLoops
import TestRandomness
import Testing

@testable import Realtime

/// Clients come, go, lose their connections and come back elsewhere while others publish, in an order that a seed decides,
/// down to which loop takes its next turn. Whatever the order: no loss, no repeat, one order, nothing left behind.
@Suite struct RandomScheduleTests {
  @Test(arguments: 0..<60)
  func everySubscriberSeesTheStream(seed: Int) {
    var schedule = Schedule(seed: UInt64(seed))
    for _ in 0..<1_500 { schedule.step() }
    schedule.finish()
  }
}

/// One logical user of the stream: it keeps its position from connection to connection.
private final class Reader {
  var session: Session?
  var positions: [String: StreamPosition] = [:]
}

/// One connection of a reader; checks each thing it is told against what it was told before.
private final class Session: Subscriber {
  let reader: Reader
  var isWanted: Set<String> = []
  var failures: [String] = []

  init(_ reader: Reader, loop: EventLoop, client: String) {
    self.reader = reader
    super.init(loop: loop, info: ClientInfo(client: client, user: client))
  }

  func begun(_ channel: String, since: StreamPosition?, _ result: SubscribeResult, _ texts: Texts) {
    if result.recovered, let since {
      let offsets = result.publications.map(\.offset)
      let expected =
        since.offset == result.position.offset ? [] : Array(since.offset + 1...result.position.offset)
      if offsets != expected { failures.append("\(channel): recovered \(offsets), not \(expected)") }
      for publication in result.publications { texts.check(channel, publication) }
    } else if !result.publications.isEmpty {
      failures.append("\(channel): publications without recovery")
    }
    reader.positions[channel] = result.position
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    guard isWanted.contains(channel), let last = reader.positions[channel] else {
      return failures.append("\(channel): a publication without a subscription")
    }
    if publication.offset != last.offset + 1 {
      failures.append("\(channel): \(publication.offset) after \(last.offset)")
    }
    reader.positions[channel]?.offset = publication.offset
  }
}

/// What is known to be at which offset.
private final class Texts {
  private var known: [String: String] = [:]
  var failures: [String] = []
  var tops: [String: UInt64] = [:]

  func check(_ channel: String, _ publication: Publication) {
    note(channel, publication.offset, publication.data.text)
  }

  func note(_ channel: String, _ offset: UInt64, _ text: String) {
    tops[channel] = max(offset, tops[channel] ?? 0)
    let key = "\(channel)@\(offset)"
    if let other = known.updateValue(text, forKey: key), other != text {
      failures.append("\(key) is \(other) and \(text)")
    }
  }
}

private struct Schedule {
  private var random: SeededRandom
  private let world: World
  private let texts = Texts()
  private let readers = (0..<6).map { _ in Reader() }
  private let channels = ["a", "b", "c", "d"]
  private var sessions: [Session] = []
  private var published = 0

  init(seed: UInt64) {
    random = SeededRandom(seed: seed)
    world = World(loops: 1 + Int(seed % 4), default: .open(historySize: seed % 2 == 0 ? 4 : 1_000))
  }

  mutating func step() {
    let reader = readers[random.below(readers.count)]
    let channel = channels[random.below(channels.count)]
    switch random.below(20) {
    case 0..<6: publish(to: channel)
    case 6..<10: subscribe(reader, to: channel)
    case 10: unsubscribe(reader, from: channel)
    case 11: close(reader)
    default: world.turn(random.below(world.loops.count))
    }
  }

  private mutating func publish(to channel: String) {
    published += 1
    let (world, texts, text) = (world, texts, "\(published)")
    let repeats = random.below(10) == 0 ? 2 : 1
    world.later(on: random.below(world.loops.count)) {
      for _ in 0..<repeats {
        world.hub.publish(PublishRequest(text, key: repeats == 2 ? text : ""), to: channel, as: .server) {
          result in
          if case .success(let position) = result { texts.note(channel, position.offset, text) }
        }
      }
    }
  }

  private mutating func subscribe(_ reader: Reader, to channel: String) {
    let session = reader.session ?? connect(reader)
    guard !session.isWanted.contains(channel) else { return }
    session.isWanted.insert(channel)
    var options = SubscribeOptions()
    options.recoverSince = reader.positions[channel]
    options.wantsJoinLeave = true
    let (since, texts) = (options.recoverSince, texts)
    world.hub.subscribe(session, to: channel, options: options) { result in
      switch result {
      case .success(let begun): session.begun(channel, since: since, begun, texts)
      case .failure(.unsubscribed), .failure(.closed): break
      case .failure(let error): session.failures.append("\(channel): \(error)")
      }
    }
  }

  private mutating func connect(_ reader: Reader) -> Session {
    let loop = world.loops[random.below(world.loops.count)]
    let session = Session(reader, loop: loop, client: "client \(sessions.count)")
    sessions.append(session)
    reader.session = session
    world.hub.add(session)
    return session
  }

  private func unsubscribe(_ reader: Reader, from channel: String) {
    guard let session = reader.session, session.isWanted.remove(channel) != nil else { return }
    world.hub.unsubscribe(session, from: channel)
  }

  private func close(_ reader: Reader) {
    guard let session = reader.session else { return }
    reader.session = nil
    session.isWanted = []
    world.hub.remove(session)
  }

  func finish() {
    world.settle()
    #expect(texts.failures == [])
    for session in sessions { #expect(session.failures == []) }
    for reader in readers {
      for channel in reader.session?.isWanted ?? [] {
        #expect(reader.positions[channel]?.offset == texts.tops[channel] ?? 0)
      }
    }
    for channel in channels { expectPresence(in: channel) }
    for reader in readers { close(reader) }
    world.settle()
    let counters = world.counters
    #expect(
      counters.clients == 0 && counters.users == 0 && counters.subscriptions == 0 && counters.channels == 0)
    world.advance(700_000)
    #expect(world.hub.shards.allSatisfy { $0.owned.isEmpty && $0.heard.isEmpty && $0.refused.isEmpty })
  }

  private func expectPresence(in channel: String) {
    let expected = readers.compactMap { reader in
      reader.session.flatMap { $0.isWanted.contains(channel) ? $0.info.client : nil }
    }
    world.on(0) {
      self.world.hub.presence(of: channel, as: .server) { result in
        #expect((try? result.get().map(\.client).sorted()) == expected.sorted())
      }
    }
  }
}
