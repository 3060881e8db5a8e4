import Bytes
import Testing

@testable import Realtime

/// The stream of one channel: no loop, time passed in.
@Suite struct OwnedChannelTests {
  private func channel(size: Int = 5, ttl: UInt64 = 1_000, published: Int = 0) -> OwnedChannel {
    let channel = OwnedChannel(.open(historySize: size, ttl: ttl))
    for number in 1..<published + 1 { channel.publish("\(number)") }
    return channel
  }

  // MARK: Recovery

  /// Five kept of eight: 4...8 are there.
  @Test(
    arguments: [
      (0, nil), (2, nil), (3, ["4", "5", "6", "7", "8"]), (4, ["5", "6", "7", "8"]), (7, ["8"]), (8, []),
      (9, nil),
      (UInt64.max, nil),
    ] as [(UInt64, [String]?)])
  func recoversAllOrNothing(_ offset: UInt64, _ expected: [String]?) {
    #expect(channel(published: 8).missedTexts(offset) == expected)
  }

  @Test func anotherEpochRecoversNothing() {
    #expect(channel(published: 3).missedTexts(3, epoch: "old") == nil)
    #expect(channel(published: 3).missedTexts(2, epoch: "") == ["3"])
  }

  @Test func anEmptyStreamRecoversFromZeroOnly() {
    #expect(channel().missedTexts(0) == [])
    #expect(channel().missedTexts(1) == nil)
  }

  @Test(arguments: [299, 300, 301])
  func recoversAtMostTheLimit(_ count: Int) {
    let channel = channel(size: 1_000, published: count)
    #expect(channel.missedTexts(0)?.count == (count <= 300 ? count : nil))
    #expect(channel.missedTexts(1)?.count == (count <= 301 ? count - 1 : nil))
  }

  @Test func withoutHistoryNothingIsRecoveredAndNothingHasAPlace() {
    let channel = channel(size: 0)
    #expect(channel.publish("a") == StreamPosition())
    #expect(channel.missedTexts(0) == nil)
    #expect(channel.stream == StreamPosition())
  }

  // MARK: Limits of history

  @Test(arguments: [(4, 4), (5, 5), (6, 5)])
  func keepsAtMostItsSize(_ published: Int, _ kept: Int) throws {
    let page = try channel(published: published).history(HistoryQuery(limit: nil), now: 0).get()
    #expect(page.publications.map(\.offset) == (published - kept + 1...published).map(UInt64.init))
    #expect(page.position == StreamPosition(epoch: "e", offset: UInt64(published)))
  }

  @Test(arguments: [(999, true), (1_000, false), (1_001, false)] as [(UInt64, Bool)])
  func keepsUntilItsAge(_ age: UInt64, _ isKept: Bool) throws {
    let channel = channel(published: 1)
    let page = try channel.history(HistoryQuery(limit: nil), now: age).get()
    #expect(page.publications.isEmpty != isKept)
    #expect(page.position.offset == 1)
    #expect(channel.missedTexts(0, now: age) == (isKept ? ["1"] : nil))
    #expect(channel.missedTexts(1, now: age) == [])
  }

  @Test(arguments: [(29, 3), (30, 3), (31, 2)])
  func keepsAtMostItsBytes(_ bytes: Int, _ kept: Int) throws {
    var options = NamespaceOptions.open(historySize: 100)
    options.historyMaximumBytes = 30
    let channel = OwnedChannel(options)
    for size in [10, 10, bytes - 20] { channel.publish(String(repeating: "x", count: size)) }
    #expect(try channel.history(HistoryQuery(limit: nil), now: 0).get().publications.count == kept)
  }

  @Test func anEndlessTimeToLiveDoesNotOverflow() {
    let channel = OwnedChannel(.open(historySize: 2, ttl: .max))
    channel.publish("a", now: 5)
    #expect(channel.missedTexts(0, now: .max - 1) == ["a"])
  }

  // MARK: Reading history

  struct Page: Sendable {
    var limit: Int? = 2
    var since: UInt64?
    var reverse = false
    var offsets: [UInt64]?
  }

  /// Of eight published, 4...8 are kept.
  @Test(arguments: [
    Page(limit: 0, offsets: []), Page(offsets: [4, 5]), Page(limit: nil, offsets: [4, 5, 6, 7, 8]),
    Page(limit: 9, offsets: [4, 5, 6, 7, 8]), Page(limit: -1, offsets: []), Page(since: 0, offsets: [4, 5]),
    Page(since: 3, offsets: [4, 5]), Page(since: 4, offsets: [5, 6]), Page(since: 7, offsets: [8]),
    Page(since: 8, offsets: []), Page(since: 9, offsets: nil), Page(since: .max, offsets: nil),
    Page(reverse: true, offsets: [8, 7]), Page(limit: nil, reverse: true, offsets: [8, 7, 6, 5, 4]),
    Page(since: 8, reverse: true, offsets: [7, 6]), Page(since: 9, reverse: true, offsets: [8, 7]),
    Page(since: 5, reverse: true, offsets: [4]), Page(since: 4, reverse: true, offsets: []),
    Page(since: 0, reverse: true, offsets: []), Page(since: .max, reverse: true, offsets: [8, 7]),
  ])
  func pages(_ page: Page) {
    let since = page.since.map { StreamPosition(epoch: "e", offset: $0) }
    let result = channel(published: 8).history(
      HistoryQuery(limit: page.limit, since: since, reverse: page.reverse), now: 0)
    switch result {
    case .success(let found): #expect(found.publications.map(\.offset) == page.offsets)
    case .failure(let error): #expect(page.offsets == nil && error == .unrecoverablePosition)
    }
  }

  @Test func historySinceAnotherEpochIsUnrecoverable() {
    let query = HistoryQuery(limit: 1, since: StreamPosition(epoch: "old", offset: 1))
    #expect(throws: HubError.unrecoverablePosition) { try channel(published: 2).history(query, now: 0).get() }
  }

  @Test func removedHistoryKeepsThePosition() {
    let channel = channel(published: 2)
    channel.removeHistory()
    #expect(channel.missedTexts(1) == nil)
    #expect(channel.missedTexts(2) == [])
    #expect(channel.publish("3") == StreamPosition(epoch: "e", offset: 3))
    #expect(channel.missedTexts(2) == ["3"])
  }

  // MARK: Repeats

  @Test func aRepeatedKeyGivesTheFirstPosition() {
    let channel = channel()
    #expect(channel.publish(PublishRequest("a", key: "k")).offset == 1)
    #expect(channel.publish(PublishRequest("b", key: "other")).offset == 2)
    #expect(channel.publish(PublishRequest("a", key: "k"), now: 299_999).offset == 1)
    #expect(channel.stream.offset == 2)
    #expect(channel.publish(PublishRequest("a", key: "k"), now: 300_000).offset == 3)
  }

  @Test func keysAreForgottenOldestFirst() {
    var options = NamespaceOptions.open(historySize: 9)
    options.maximumIdempotencyKeys = 2
    let channel = OwnedChannel(options)
    for key in ["a", "b", "c"] { _ = channel.publish(PublishRequest(key, key: key)) }
    #expect(channel.publish(PublishRequest("b", key: "b")).offset == 2)
    #expect(channel.publish(PublishRequest("c", key: "c")).offset == 3)
    #expect(channel.publish(PublishRequest("a", key: "a")).offset == 4)
  }

  @Test func anOldVersionIsDropped() {
    let channel = channel()
    #expect(channel.publish(PublishRequest("a", version: 5, versionEpoch: "v")).offset == 1)
    #expect(channel.publish(PublishRequest("b", version: 5, versionEpoch: "v")).offset == 1)
    #expect(channel.publish(PublishRequest("b", version: 4, versionEpoch: "v")).offset == 1)
    #expect(channel.publish(PublishRequest("c", version: 6, versionEpoch: "v")).offset == 2)
    #expect(channel.publish(PublishRequest("d", version: 1, versionEpoch: "w")).offset == 3)
    #expect(channel.publish(PublishRequest("e")).offset == 4)
  }

  @Test func whatSkipsHistoryHasNoPlace() {
    let channel = channel(published: 1)
    #expect(channel.publish(PublishRequest("a", skipsHistory: true)) == StreamPosition())
    #expect(channel.stream.offset == 1)
    #expect(channel.missedTexts(0) == ["1"])
  }

  // MARK: Members

  @Test func whoTookAnIdentifierOverStaysPresent() {
    let channel = channel()
    let (first, second) = (SubscriptionID(loop: 0, number: 1), SubscriptionID(loop: 1, number: 1))
    let info = ClientInfo(client: "device", user: "")
    channel.join(first, member: info, spelling: Spelling(encoding: 0, usesDelta: false), now: 0)
    channel.join(second, member: info, spelling: Spelling(encoding: 0, usesDelta: false), now: 0)
    channel.leave(
      first, client: info.name, spelling: Spelling(encoding: 0, usesDelta: false), now: 0)
    #expect(channel.presence.count == 1 && channel.audience.count == 1)
    channel.leave(
      second, client: info.name, spelling: Spelling(encoding: 0, usesDelta: false), now: 0)
    #expect(channel.presence.isEmpty && channel.audience.isEmpty)
  }

  // MARK: Ageing

  @Test func nothingIsLeftToWaitForWhenAllIsTooOld() {
    var options = NamespaceOptions.open(historySize: 5, ttl: 1_000)
    options.positionRetentionMilliseconds = 5_000
    let channel = OwnedChannel(options)
    channel.publish("a", now: 0)
    _ = channel.publish(PublishRequest("b", key: "k"), now: 100)
    #expect(channel.expire(now: 100) == 1_000)
    #expect(channel.expire(now: 1_000) == 1_100)
    #expect(channel.expire(now: 1_100) == 300_100)
    #expect(channel.expire(now: 300_100) == nil)
  }

  @Test func thePositionIsRetainedAfterHistory() {
    var options = NamespaceOptions.open(historySize: 5, ttl: 1_000)
    options.positionRetentionMilliseconds = 5_000
    let channel = OwnedChannel(options)
    channel.publish("a", now: 10)
    #expect(channel.expire(now: 1_010) == 5_010)
    #expect(channel.expire(now: 5_010) == nil)
  }
}
