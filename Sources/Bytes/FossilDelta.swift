/// Differences between two byte strings in the delta format of the Fossil version control system (fossil-scm.org,
/// “Delta Format”): the target's length, pieces to copy from the source and pieces to insert, and a checksum.
package enum FossilDelta {
  /// Longer sources and targets are not compared: 1 MiB.
  package static let maximumBytes = 1 << 20

  /// What a source is searched by.
  private static let blockBytes = 16
  /// How many blocks that look alike are tried at one place; more would make the work grow with the square of what is
  /// repetitive.
  private static let maximumTries = 8
  /// A copy takes up to a dozen bytes itself.
  private static let shortestCopy = 12

  /// The difference that makes `target` out of `source`; nil if it would not be smaller than the target. Where both
  /// are UTF-8, so is the difference.
  package static func encode(
    from source: UnsafeRawBufferPointer, to target: UnsafeRawBufferPointer
  ) -> [UInt8]? {
    guard source.count >= blockBytes, target.count > 8 else { return nil }
    guard source.count <= maximumBytes, target.count <= maximumBytes else { return nil }
    var output = Output(target: target)
    let blocks = Blocks(source)
    var (place, inserted) = (0, 0)
    while place + blockBytes <= target.count {
      guard let copy = blocks.best(for: target, at: place, notBefore: inserted) else {
        place += 1
        // What is longer already cannot become shorter.
        if place - inserted + output.bytes.count > target.count { return nil }
        continue
      }
      output.insert(inserted..<copy.target)
      output.copy(copy)
      place = copy.target + copy.count
      inserted = place
    }
    output.insert(inserted..<target.count)
    output.end()
    return output.bytes.count < target.count ? output.bytes : nil
  }

  struct Copy {
    var source: Int
    var target: Int
    var count: Int
  }

  // MARK: Searching

  /// The source's blocks, by what is in them.
  private struct Blocks {
    private let source: UnsafeRawBufferPointer
    private let mask: Int
    /// The first block of each hash, plus 1.
    private var heads: [Int32]
    /// The next block of the same hash, plus 1.
    private var links: [Int32]

    init(_ source: UnsafeRawBufferPointer) {
      self.source = source
      let count = source.count / blockBytes
      var size = 16
      while size < count * 2 { size *= 2 }
      mask = size - 1
      heads = Array(repeating: 0, count: size)
      links = Array(repeating: 0, count: count)
      for block in (0..<count).reversed() {
        let hash = Self.hash(source, block * blockBytes) & mask
        links[block] = heads[hash]
        heads[hash] = Int32(truncatingIfNeeded: block + 1)
      }
    }

    private static func hash(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> Int {
      let low = bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
      let high = bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self)
      let mixed = (low &* 0x9e37_79b9_7f4a_7c15) ^ (high &* 0xc2b2_ae3d_27d4_eb4f)
      return Int(truncatingIfNeeded: mixed >> 40)
    }

    /// The longest piece of the source, among those tried, that the target has around `place`, not before `floor`.
    func best(for target: UnsafeRawBufferPointer, at place: Int, notBefore floor: Int) -> Copy? {
      var best: Copy?
      var candidate = heads[Self.hash(target, place) & mask]
      var tries = maximumTries
      while candidate > 0, tries > 0 {
        let block = Int(candidate - 1)
        candidate = links[block]
        tries -= 1
        guard let copy = extend(block * blockBytes, target, place, floor) else { continue }
        if copy.count > best?.count ?? 0 { best = copy }
      }
      return best
    }

    private func extend(_ start: Int, _ target: UnsafeRawBufferPointer, _ place: Int, _ floor: Int) -> Copy? {
      var end = 0
      let limit = min(source.count - start, target.count - place)
      while end < limit, source[start + end] == target[place + end] { end += 1 }
      guard end >= blockBytes else { return nil }
      var back = 0
      while back < min(start, place - floor), source[start - back - 1] == target[place - back - 1] {
        back += 1
      }
      let copy = atCharacters(Copy(source: start - back, target: place - back, count: back + end), target)
      // It must not end before where the search is, or that would never move on.
      return copy.count >= shortestCopy && copy.target + copy.count > place ? copy : nil
    }

    /// Begins and ends between characters, if this is UTF-8: else what is inserted beside it would not be a text.
    private func atCharacters(_ copy: Copy, _ target: UnsafeRawBufferPointer) -> Copy {
      var copy = copy
      var steps = 3
      while steps > 0, copy.count > 0, target[copy.target] & 0xC0 == 0x80 {
        (copy.source, copy.target, copy.count) = (copy.source + 1, copy.target + 1, copy.count - 1)
        steps -= 1
      }
      steps = 3
      while steps > 0, copy.count > 0, copy.target + copy.count < target.count,
        target[copy.target + copy.count] & 0xC0 == 0x80
      {
        copy.count -= 1
        steps -= 1
      }
      return copy
    }
  }

  // MARK: Writing

  private struct Output {
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~".utf8)

    let target: UnsafeRawBufferPointer
    var bytes: [UInt8] = []

    init(target: UnsafeRawBufferPointer) {
      self.target = target
      number(UInt32(truncatingIfNeeded: target.count))
      bytes.append(UInt8(ascii: "\n"))
    }

    mutating func insert(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      number(UInt32(truncatingIfNeeded: range.count))
      bytes.append(UInt8(ascii: ":"))
      bytes.append(contentsOf: target[range])
    }

    mutating func copy(_ copy: Copy) {
      number(UInt32(truncatingIfNeeded: copy.count))
      bytes.append(UInt8(ascii: "@"))
      number(UInt32(truncatingIfNeeded: copy.source))
      bytes.append(UInt8(ascii: ","))
    }

    mutating func end() {
      number(FossilDelta.checksum(target))
      bytes.append(UInt8(ascii: ";"))
    }

    private mutating func number(_ value: UInt32) {
      var shift: UInt32 = 30
      while shift > 0, value >> shift == 0 { shift -= 6 }
      while true {
        bytes.append(Self.digits[Int((value >> shift) & 63)])
        if shift == 0 { return }
        shift -= 6
      }
    }
  }

  /// The sum of the bytes as big-endian words of 32 bits, the last one filled up with zeros.
  package static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    var sum: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
      sum &+= UInt32(byte) << UInt32(truncatingIfNeeded: 24 - 8 * (index & 3))
    }
    return sum
  }
}
