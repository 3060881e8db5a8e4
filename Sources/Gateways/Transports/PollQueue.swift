import Bytes

/// Replies that a client of long-polling has not acknowledged yet, numbered from 1.
struct PollQueue {
  /// JSON texts, oldest first.
  private var replies: [[UInt8]] = []
  private(set) var byteCount = 0
  /// The number of the oldest.
  private(set) var firstNumber: UInt64 = 1

  var isEmpty: Bool { replies.isEmpty }
  /// The number of the newest reply there has been.
  var lastNumber: UInt64 { firstNumber + UInt64(replies.count) - 1 }

  mutating func append(_ reply: UnsafeRawBufferPointer) {
    replies.append(Array(reply))
    byteCount += reply.count
  }

  /// Forgets what has arrived; false for a number that was never given.
  mutating func acknowledge(_ number: UInt64) -> Bool {
    guard number <= lastNumber else { return false }
    guard number >= firstNumber else { return true }
    let count = Int(clamping: number - firstNumber + 1)
    for reply in replies.prefix(count) { byteCount -= reply.count }
    replies.removeFirst(count)
    firstNumber += UInt64(count)
    return true
  }

  /// Nobody will take them.
  mutating func removeAll() { _ = acknowledge(lastNumber) }

  /// `{"session":…,"from":…,"replies":[…]}`. The session's name needs no escaping.
  func encoded(session: String) -> [UInt8] {
    var writer = ByteWriter()
    writer.append("{\"session\":\"")
    writer.append(utf8: session)
    writer.append("\",\"from\":")
    writer.append(utf8: String(firstNumber))
    writer.append(",\"replies\":[")
    for (index, reply) in replies.enumerated() {
      if index > 0 { writer.append(UInt8(ascii: ",")) }
      reply.withUnsafeBytes { writer.append($0) }
    }
    writer.append("]}")
    return writer.bytes
  }
}
