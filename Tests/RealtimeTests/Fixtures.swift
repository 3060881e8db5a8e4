import Bytes

@testable import Realtime

func shared(_ text: String) -> SharedBytes {
  SharedBytes.make(copying: Array(text.utf8))
}

extension SharedBytes {
  /// Where the bytes are: the same for one frame that was shared, and only for it.
  var address: UnsafeRawPointer? { withUnsafeBytes { $0.baseAddress } }

  var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension PublishRequest {
  init(
    _ text: String, key: String = "", skipsHistory: Bool = false, version: UInt64 = 0,
    versionEpoch: String = "", tags: [(name: String, value: String)] = [], ttl: UInt64? = nil,
    delay: UInt64 = 0, usesDelta: Bool = false
  ) {
    self.init(data: shared(text))
    idempotencyKey = key
    self.skipsHistory = skipsHistory
    self.version = version
    self.versionEpoch = versionEpoch
    self.tags = tags
    ttlMilliseconds = ttl
    delayMilliseconds = delay
    self.usesDelta = usesDelta
  }
}

extension NamespaceOptions {
  /// Everybody may do everything; the given history; presence, joins and leaves on.
  static func open(historySize: Int = 0, ttl: UInt64 = 60_000) -> NamespaceOptions {
    var options = NamespaceOptions()
    options.subscribe = .everyone
    options.publish = .everyone
    options.history = .everyone
    options.presence = .everyone
    options.historySize = historySize
    options.historyTTLMilliseconds = ttl
    options.allowsRecovery = true
    options.keepsPresence = true
    options.emitsJoinLeave = true
    return options
  }
}

extension OwnedChannel {
  convenience init(_ options: NamespaceOptions, epoch: String = "e") {
    self.init(name: "c", namespace: Namespace(options), epoch: epoch, now: 0)
  }

  @discardableResult
  func publish(_ text: String, now: UInt64 = 0) -> StreamPosition {
    publish(PublishRequest(text), now: now)
  }

  func publish(_ request: PublishRequest, now: UInt64 = 0) -> StreamPosition {
    switch publish(request, info: nil, now: now, wallClock: 7) {
    case .published(_, let position), .suppressed(let position): position
    }
  }

  func missedTexts(_ offset: UInt64, epoch: String = "e", now: UInt64 = 0) -> [String]? {
    missed(since: StreamPosition(epoch: epoch, offset: offset), now: now)?.map(\.data.text)
  }
}
