import Bytes

/// What waits for one subscription of a slow subscriber, oldest first: bounded in number and bytes.
struct WaitingPublications {
  private struct Entry {
    let publication: Publication
    let frame: SharedBytes
  }

  private let tag: String?
  private let maximumCount: Int
  private let maximumBytes: Int
  private var entries: [Entry] = []
  private var byteCount = 0

  /// Nil where the namespace lets nothing wait.
  init?(_ options: NamespaceOptions) {
    switch options.slowConsumers {
    case .disconnect: return nil
    case .dropOldest: tag = nil
    case .conflate: tag = options.conflationTag
    }
    maximumCount = max(1, options.maximumWaitingPublications)
    maximumBytes = options.maximumWaitingBytes
  }

  var isEmpty: Bool { entries.isEmpty }
  var count: Int { entries.count }

  /// Keeps one more. Gives back how many it took the place of, and how many had to go.
  mutating func append(_ publication: Publication, _ frame: SharedBytes) -> (replaced: Int, dropped: Int) {
    var replaced = 0
    if let tag, let place = entries.firstIndex(where: { Self.isSame($0.publication, publication, tag) }) {
      remove(at: place)
      replaced = 1
    }
    entries.append(Entry(publication: publication, frame: frame))
    byteCount += frame.count
    var dropped = 0
    // The last one may always wait, whatever its size.
    while entries.count > 1, entries.count > maximumCount || byteCount > maximumBytes {
      remove(at: 0)
      dropped += 1
    }
    return (replaced, dropped)
  }

  mutating func removeFirst() -> (publication: Publication, frame: SharedBytes)? {
    guard let first = entries.first else { return nil }
    remove(at: 0)
    if entries.isEmpty { entries = [] }
    return (first.publication, first.frame)
  }

  private mutating func remove(at index: Int) {
    byteCount -= entries[index].frame.count
    entries.remove(at: index)
  }

  /// Whether the later one says all that the earlier one says. One without the tag stands for itself.
  private static func isSame(_ earlier: Publication, _ later: Publication, _ tag: String) -> Bool {
    if tag.isEmpty { return true }
    for mine in earlier.tags where TagsFilter.isSame(mine.name, tag) {
      for other in later.tags where TagsFilter.isSame(other.name, tag) {
        return TagsFilter.isSame(mine.value, other.value)
      }
    }
    return false
  }
}
