import Bytes

/// Pushes that wait for the reply to the connect command, oldest first.
final class HeldPushes {
  enum Push {
    case message([UInt8])
    case frame(SharedBytes)
  }

  /// What may wait at most, in bytes: 1 MiB.
  static let maximumBytes = 1 << 20

  private(set) var pushes: [Push] = []
  private var byteCount = 0

  /// Keeps one more; false if that is too much.
  func append(_ push: Push) -> Bool {
    switch push {
    case .message(let message): byteCount += message.count
    case .frame(let frame): byteCount += frame.count
    }
    guard byteCount <= Self.maximumBytes else { return false }
    pushes.append(push)
    return true
  }
}
