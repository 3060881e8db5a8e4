import Bytes

/// What the owner loop sends to every loop with subscribers: one item, whatever the number of subscribers.
final class FanOut: Sendable {
  enum Event: Sendable {
    case publication(Publication)
    case joined(ClientInfo)
    case left(ClientInfo)
  }

  let channel: String
  let event: Event
  /// By encoding; nil where no subscriber of the channel uses it.
  let frames: [SharedBytes?]

  init(_ event: Event, channel: OwnedChannel, encodings: [any WireEncoding]) {
    self.channel = channel.name
    self.event = event
    frames = encodings.indices.map { index in
      guard channel.audience.uses(encoding: index) else { return nil }
      return switch event {
      case .publication(let publication): encodings[index].publication(publication, channel: channel.name)
      case .joined(let info): encodings[index].joined(info, channel: channel.name)
      case .left(let info): encodings[index].left(info, channel: channel.name)
      }
    }
  }
}
