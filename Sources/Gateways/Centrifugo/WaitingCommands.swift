/// Commands that wait behind one that is under way, oldest first.
final class WaitingCommands {
  /// What may wait at most, in bytes: 1 MiB. Reading stops long before, so that only what had been read already can add
  /// to it.
  static let maximumBytes = 1 << 20
  /// Reading pauses while more than this wait.
  private static let pauseBytes = 65_536
  /// What a command costs beside its bytes.
  private static let bytesPerCommand = 64

  private var commands: ArraySlice<[UInt8]> = []
  private var byteCount = 0

  /// More waits than may: the peer does not wait for answers at all.
  var isFull: Bool { byteCount > Self.maximumBytes }
  /// Reading had better pause.
  var isLong: Bool { byteCount > Self.pauseBytes }
  /// Reading may go on.
  var isShort: Bool { byteCount <= Self.pauseBytes / 2 }

  func append(_ command: UnsafeRawBufferPointer) {
    commands.append(Array(command))
    byteCount += command.count + Self.bytesPerCommand
  }

  func next() -> [UInt8]? {
    guard let command = commands.popFirst() else {
      // An empty slice would keep its buffer.
      commands = []
      return nil
    }
    byteCount -= command.count + Self.bytesPerCommand
    return command
  }
}
