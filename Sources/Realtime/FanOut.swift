import Bytes

/// What the owner loop sends to every loop with subscribers: one item, whatever the number of subscribers.
final class FanOut: Sendable {
  enum Event: Sendable {
    case publication(Publication)
    case joined(ClientInfo)
    case left(ClientInfo)
  }

  /// A publication for those who agreed to differences.
  struct DeltaFrames: Sendable {
    let whole: SharedBytes
    /// For who has been sent the publication before; nil where there is nothing to gain.
    let difference: SharedBytes?
  }

  let channel: String
  let event: Event
  /// By encoding; nil where no subscriber of the channel uses it.
  let frames: [SharedBytes?]
  /// By encoding; empty where the channel has no subscriber with differences.
  let deltaFrames: [DeltaFrames?]
  /// Which publication of the channel this is; counts where differences are allowed.
  let serial: UInt64

  init(_ event: Event, channel: OwnedChannel, encodings: [any WireEncoding], delta: SharedBytes? = nil) {
    self.channel = channel.name
    self.event = event
    serial = channel.sentCount
    frames = encodings.indices.map { index in
      let isUsed = channel.audience.uses(Spelling(encoding: index, usesDelta: false))
      guard isUsed || (event.isNotPublication && channel.usesDelta(index)) else { return nil }
      return switch event {
      case .publication(let publication): encodings[index].publication(publication, channel: channel.name)
      case .joined(let info): encodings[index].joined(info, channel: channel.name)
      case .left(let info): encodings[index].left(info, channel: channel.name)
      }
    }
    guard case .publication(let publication) = event, encodings.indices.contains(where: channel.usesDelta)
    else {
      deltaFrames = []
      return
    }
    deltaFrames = encodings.indices.map { index in
      guard channel.usesDelta(index) else { return nil }
      let whole = encodings[index].publication(publication, delta: nil, channel: channel.name)
      let difference = delta.map {
        encodings[index].publication(publication, delta: $0, channel: channel.name)
      }
      return DeltaFrames(whole: whole, difference: difference.flatMap { $0.count < whole.count ? $0 : nil })
    }
  }
}

extension FanOut.Event {
  fileprivate var isNotPublication: Bool { if case .publication = self { false } else { true } }
}

extension OwnedChannel {
  fileprivate func usesDelta(_ encoding: Int) -> Bool {
    audience.uses(Spelling(encoding: encoding, usesDelta: true))
  }
}
