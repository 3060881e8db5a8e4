import Bytes

/// The last publications of one channel, in the order of their offsets, without gaps: bounded by count, bytes
/// and age. An object of its own, since most channels keep none. One whose own time is over keeps its place, so that offsets can be counted, but is not shown.
final class History {
  private struct Entry {
    let publication: Publication
    let expiry: UInt64
  }

  /// The only one, while there is one only: most channels that keep anything keep that.
  private var only: Entry?
  /// All of them, when there are several.
  private var entries = FIFO<Entry>()
  private var byteCount = 0

  var count: Int { only == nil ? entries.count : 1 }
  private var first: Entry? { only ?? entries.first }
  /// When the oldest publication goes; nil when there is none.
  var nextExpiry: UInt64? { first?.expiry }

  /// `publication.offset` is one more than the last one's.
  func append(_ publication: Publication, now: UInt64, options: NamespaceOptions) {
    if options.historySize == 1 { removeAll() }
    insert(Entry(publication: publication, expiry: now.saturatingAdding(options.historyTTLMilliseconds)))
    byteCount += publication.data.count
    while count > options.historySize || byteCount > options.historyMaximumBytes { removeOldest() }
  }

  private func insert(_ entry: Entry) {
    if count == 0 { return only = entry }
    if let earlier = only {
      only = nil
      entries.append(earlier)
    }
    entries.append(entry)
  }

  func expire(now: UInt64) {
    while let expiry = nextExpiry, expiry <= now { removeOldest() }
  }

  func removeAll() {
    only = nil
    entries.removeAll()
    byteCount = 0
  }

  /// All publications after `offset` that are shown, or nil when some of them are gone or there are more than `limit`.
  /// `top` is the channel's last offset.
  func complete(after offset: UInt64, top: UInt64, limit: Int, now: UInt64) -> [Publication]? {
    guard offset <= top else { return nil }
    let missed = top - offset
    guard missed <= UInt64(max(0, limit)), missed <= UInt64(count) else { return nil }
    return (count - Int(missed)..<count).compactMap { shown(at: $0, now) }
  }

  /// The first `limit` publications after `offset` that are shown and that `filter` lets pass, and whether these are all; nil
  /// when some of those after `offset` are gone.
  func portion(
    after offset: UInt64, top: UInt64, limit: Int, now: UInt64, _ filter: TagsFilter?
  ) -> (publications: [Publication], isWhole: Bool)? {
    guard offset <= top, top - offset <= UInt64(count) else { return nil }
    var portion: [Publication] = []
    for index in count - Int(top - offset)..<count {
      guard let publication = shown(at: index, now), filter?.matches(publication.tags) ?? true else {
        continue
      }
      if portion.count == limit { return (portion, false) }
      portion.append(publication)
    }
    return (portion, true)
  }

  /// The last publication that is shown and that `filter` lets pass.
  func last(now: UInt64, _ filter: TagsFilter?) -> Publication? {
    for index in (0..<count).reversed() {
      if let publication = shown(at: index, now), filter?.matches(publication.tags) ?? true {
        return publication
      }
    }
    return nil
  }

  /// At most `limit` publications: after `offset` going up, or before it going down; from the end when
  /// `offset` is nil.
  func page(from offset: UInt64?, reverse: Bool, limit: Int, now: UInt64) -> [Publication] {
    guard limit > 0, let first = first?.publication.offset else { return [] }
    var page: [Publication] = []
    if reverse {
      let end = offset.map { $0 <= first ? 0 : Int(min($0 - first, UInt64(count))) } ?? count
      for index in (0..<end).reversed() where page.count < limit {
        if let publication = shown(at: index, now) { page.append(publication) }
      }
    } else {
      let start = offset.map { $0 < first ? 0 : Int(min($0 - first, UInt64(count - 1)) + 1) } ?? 0
      for index in start..<count where page.count < limit {
        if let publication = shown(at: index, now) { page.append(publication) }
      }
    }
    return page
  }

  private func shown(at index: Int, _ now: UInt64) -> Publication? {
    let publication = (only ?? entries[index]).publication
    return publication.deadline > now ? publication : nil
  }

  private func removeOldest() {
    guard let entry = only ?? entries.removeFirst() else { return }
    only = nil
    byteCount -= entry.publication.data.count
  }
}

extension UInt64 {
  /// The sum, or the greatest number there is: options may ask for times without end.
  func saturatingAdding(_ other: UInt64) -> UInt64 {
    let (sum, overflows) = addingReportingOverflow(other)
    return overflows ? .max : sum
  }
}
