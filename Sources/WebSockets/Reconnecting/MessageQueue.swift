/// Messages that wait for a connection, in order, bounded in number and in bytes. A value.
struct MessageQueue {
  let maximumMessages: Int
  let maximumBytes: Int
  /// Messages from `first` on; those before are taken.
  private var messages: [WebSocketMessage] = []
  private var first = 0
  private(set) var byteCount = 0

  init(maximumMessages: Int, maximumBytes: Int) {
    self.maximumMessages = max(0, maximumMessages)
    self.maximumBytes = max(0, maximumBytes)
  }

  var count: Int { messages.count - first }
  var isEmpty: Bool { count == 0 }

  func hasRoom(for message: WebSocketMessage) -> Bool {
    count < maximumMessages && message.byteCount <= maximumBytes - byteCount
  }

  /// Whether it would have room if it were empty.
  func canHold(_ message: WebSocketMessage) -> Bool {
    maximumMessages > 0 && message.byteCount <= maximumBytes
  }

  mutating func append(_ message: WebSocketMessage) {
    messages.append(message)
    byteCount += message.byteCount
  }

  /// Puts messages in front of the others: they were taken before. Limits do not apply to them.
  mutating func prepend(_ taken: some Collection<WebSocketMessage>) {
    messages.replaceSubrange(..<first, with: taken)
    first = 0
    byteCount += taken.reduce(0) { $0 + $1.byteCount }
  }

  mutating func removeFirst() -> WebSocketMessage? {
    guard !isEmpty else { return nil }
    let message = messages[first]
    first += 1
    byteCount -= message.byteCount
    // The gap is closed when it is half of the array, so that each message moves at most once on average.
    if first == messages.count {
      messages.removeAll(keepingCapacity: messages.capacity <= 64)
      first = 0
    } else if first >= 16, first * 2 >= messages.count {
      messages.removeFirst(first)
      first = 0
    } else {
      messages[first - 1] = .binary([])
    }
    return message
  }

  /// Drops the oldest until the message has room; the message itself must be one that it can hold.
  ///
  /// - Returns: how many were dropped.
  mutating func makeRoom(for message: WebSocketMessage) -> Int {
    var dropped = 0
    while !hasRoom(for: message), removeFirst() != nil { dropped += 1 }
    return dropped
  }

  /// Forgets everything.
  ///
  /// - Returns: how many messages those were.
  mutating func removeAll() -> Int {
    defer { (messages, first, byteCount) = ([], 0, 0) }
    return count
  }
}
