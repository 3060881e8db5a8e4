import Realtime
import TestRandomness

/// What a broken server might do. The hub is not touched: `BrokenMiddle` stands between the server and its clients and
/// does it in their place.
enum SeededBug: String, CaseIterable {
  case losesPublication, repeatsPublication, swapsPublications, showsAfterUnsubscribe, showsElsewhere
  case showsBeforeReply, changesData
  case claimsRecovery, losesRecovered, repeatsRecovered
  case keepsEpoch, beginsBehind
  case forgetsKeys, losesPublish
  case forgetsPlace, skipsUnacknowledged

  /// What the checker must say of it, at least one of these.
  var rules: [HistoryChecker.Rule] {
    switch self {
    case .forgetsPlace, .skipsUnacknowledged: [.loss]
    case .losesPublication, .losesRecovered: [.loss, .behind]
    case .repeatsPublication, .swapsPublications, .repeatsRecovered: [.repeated]
    case .showsAfterUnsubscribe, .showsBeforeReply: [.notSubscribed]
    case .showsElsewhere, .changesData, .forgetsKeys: [.twoEffects]
    case .claimsRecovery: [.falseRecovery, .loss]
    case .keepsEpoch: [.epoch]
    case .beginsBehind: [.stale, .loss, .behind, .repeated]
    case .losesPublish: [.twoEffects, .stale]
    }
  }
}

/// Hands on what the server says; with a bug, not always the truth.
final class BrokenMiddle {
  private let bug: SeededBug?
  private var random: SeededRandom
  private var held: [String: ServerMessage] = [:]
  private var lastShown: [String: FaultEvent.Shown] = [:]
  private var firstEpochs: [String: String] = [:]

  init(_ bug: SeededBug?, seed: UInt64) {
    self.bug = bug
    random = SeededRandom(seed: seed ^ 0xb06)
  }

  private func happens() -> Bool { random.below(8) == 0 }

  var forgetsKeys: Bool { bug == .forgetsKeys }

  /// Whether a publish is answered without having been done.
  func losesPublish() -> Bool { bug == .losesPublish && happens() }

  /// What a client is told instead of `message`. `channel` is the one that a reply is about.
  func pass(_ message: ServerMessage, on connection: Int, channel: String) -> [ServerMessage] {
    guard let bug else { return [message] }
    switch message {
    case .publication(let channel, let shown): return pass(shown, channel, connection, bug)
    case .subscribed(let id, let beginning):
      let told = ServerMessage.subscribed(id: id, pass(beginning, channel, bug))
      guard bug == .showsBeforeReply, happens() else { return [told] }
      return [
        .publication(channel: channel, .init(offset: beginning.position.offset + 1, text: "early")), told,
      ]
    case .done where bug == .showsAfterUnsubscribe:
      let late = lastShown["\(connection) \(channel)"].map { ServerMessage.publication(channel: channel, $0) }
      return [message] + (late.map { [$0] } ?? [])
    default: return [message]
    }
  }

  private func pass(
    _ shown: FaultEvent.Shown, _ channel: String, _ connection: Int, _ bug: SeededBug
  ) -> [ServerMessage] {
    let key = "\(connection) \(channel)"
    let message = ServerMessage.publication(channel: channel, shown)
    lastShown[key] = shown
    if let earlier = held.removeValue(forKey: key) { return [message, earlier] }
    guard happens() else { return [message] }
    switch bug {
    case .losesPublication: return []
    case .repeatsPublication: return [message, message]
    case .swapsPublications:
      held[key] = message
      return []
    case .showsElsewhere: return FaultWorld.channels.map { .publication(channel: $0, shown) }
    case .changesData:
      return [.publication(channel: channel, .init(offset: shown.offset, text: shown.text + "?"))]
    default: return [message]
    }
  }

  private func pass(
    _ beginning: FaultEvent.Beginning, _ channel: String, _ bug: SeededBug
  ) -> FaultEvent.Beginning {
    var told = beginning
    switch bug {
    case .claimsRecovery: if told.wasRecovering { told.recovered = true }
    case .losesRecovered: if !told.publications.isEmpty, happens() { told.publications.removeFirst() }
    case .forgetsPlace where channel == FaultWorld.consumed:
      (told.publications, told.wasRecovering, told.recovered) = ([], false, false)
    case .skipsUnacknowledged where channel == FaultWorld.consumed: told.publications = []
    case .repeatsRecovered:
      if let first = told.publications.first, happens() { told.publications.append(first) }
    case .keepsEpoch:
      let first = firstEpochs[channel] ?? told.position.epoch
      firstEpochs[channel] = first
      told.position.epoch = first
    case .beginsBehind:
      if !told.recovered, told.position.offset > 0, happens() { told.position.offset -= 1 }
    default: break
    }
    return told
  }
}
