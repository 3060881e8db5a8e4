import Bytes
import CLinux

/// Bytes that wait to be written to one connection, in order: own bytes in one buffer, shared bytes by reference.
///
/// A connection has one only while something waits; loops keep some for the next connection, so that a queue's buffer
/// is allocated rarely. It is held by a plain pointer: every message passes through here, and counting references cost
/// more than all of the rest.
struct OutboundQueue: ~Copyable {
  typealias Pointer = UnsafeMutablePointer<OutboundQueue>

  private struct Segment {
    /// Nil: the bytes are the next ones of the queue's own buffer.
    var shared: SharedBytes?
    var offset: Int
    var count: Int
  }

  /// Shared bytes up to this size are copied: cheaper than a reference and an iovec of their own.
  static let copiedByteCount = 256
  /// A buffer larger than this is not kept for the next connection.
  private static let keptCapacity = 64 * 1024
  private static let minimumCapacity = 4 * 1024

  /// The next one of the loop's spare queues.
  var nextSpare: Pointer?
  private(set) var byteCount = 0
  /// Empty while there are own bytes only.
  private var segments: [Segment] = []
  private var firstSegment = 0
  private var buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  /// The queue's own bytes are `buffer[head..<tail]`.
  private var head = 0
  private var tail = 0

  deinit { buffer.deallocate() }

  var isEmpty: Bool { byteCount == 0 }

  static func make() -> Pointer {
    let queue = Pointer.allocate(capacity: 1)
    queue.initialize(to: OutboundQueue())
    return queue
  }

  static func destroy(_ queue: Pointer) {
    queue.deinitialize(count: 1)
    queue.deallocate()
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let from = bytes.baseAddress, let to = extend(by: bytes.count) else { return }
    to.copyMemory(from: from, byteCount: bytes.count)
  }

  /// Makes the queue longer; the caller writes the bytes. Nil for none.
  @inline(__always)
  mutating func extend(by count: Int) -> UnsafeMutableRawPointer? {
    guard count > 0 else { return nil }
    if buffer.count - tail < count { makeRoom(for: count) }
    let start = tail
    tail += count
    byteCount += count
    if !segments.isEmpty { extendLastSegment(by: count) }
    return buffer.baseAddress.map { $0 + start }
  }

  /// As `extend`, if there is room in the buffer and nothing but the queue's own bytes in it, and no more than `limit` bytes
  /// wait then; else nil.
  @inline(__always)
  mutating func extendInPlace(by count: Int, upTo limit: Int) -> UnsafeMutableRawPointer? {
    let (start, sum) = (tail, byteCount &+ count)
    guard let base = buffer.baseAddress, segments.isEmpty, count > 0, count <= buffer.count &- start,
      sum <= limit
    else { return nil }
    tail = start &+ count
    byteCount = sum
    return base + start
  }

  private mutating func extendLastSegment(by count: Int) {
    if segments.count > firstSegment, segments[segments.count - 1].shared == nil {
      segments[segments.count - 1].count += count
    } else {
      segments.append(Segment(shared: nil, offset: 0, count: count))
    }
  }

  mutating func append(_ bytes: SharedBytes, from offset: Int = 0) {
    let count = bytes.count - offset
    guard count > 0 else { return }
    if count <= Self.copiedByteCount {
      bytes.withUnsafeBytes { append(UnsafeRawBufferPointer(rebasing: $0[offset...])) }
      return
    }
    if segments.isEmpty, byteCount > 0 { segments.append(Segment(shared: nil, offset: 0, count: byteCount)) }
    segments.append(Segment(shared: bytes, offset: offset, count: count))
    byteCount += count
  }

  /// Puts bytes that had been taken out back to where they were. Rare: what waits behind them is moved.
  mutating func prepend(_ bytes: UnsafeRawBufferPointer) {
    guard !bytes.isEmpty else { return }
    if buffer.count - tail < bytes.count { makeRoom(for: bytes.count) }
    if let base = buffer.baseAddress {
      (base + head + bytes.count).copyMemory(from: base + head, byteCount: tail - head)
      UnsafeMutableRawBufferPointer(rebasing: buffer[head...]).copyMemory(from: bytes)
    }
    tail += bytes.count
    byteCount += bytes.count
    guard !segments.isEmpty else { return }
    segments.removeFirst(firstSegment)
    firstSegment = 0
    segments.insert(Segment(shared: nil, offset: 0, count: bytes.count), at: 0)
  }

  /// The whole queue if it lies in one piece: own bytes only.
  var onePiece: UnsafeRawBufferPointer? {
    segments.isEmpty ? UnsafeRawBufferPointer(rebasing: buffer[head..<tail]) : nil
  }

  /// Describes the queue's beginning in `pieces`, in order; returns how many are used.
  func fill(_ pieces: UnsafeMutableBufferPointer<iovec>) -> Int {
    if let onePiece {
      pieces[0] = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: onePiece.baseAddress), iov_len: onePiece.count)
      return onePiece.isEmpty ? 0 : 1
    }
    var used = 0
    var own = head
    for index in firstSegment..<segments.count where used < pieces.count {
      let segment = segments[index]
      if let shared = segment.shared {
        // The reference in `segments` keeps the memory alive and in place until `consume`.
        shared.withUnsafeBytes {
          let start = UnsafeMutableRawPointer(mutating: $0.baseAddress)
          pieces[used] = iovec(iov_base: start.map { $0 + segment.offset }, iov_len: segment.count)
        }
      } else {
        pieces[used] = iovec(iov_base: buffer.baseAddress.map { $0 + own }, iov_len: segment.count)
        own += segment.count
      }
      used += 1
    }
    return used
  }

  /// Forgets the first `count` bytes, which have been written.
  mutating func consume(_ count: Int) {
    byteCount -= count
    guard segments.isEmpty else { return consumeSegments(count) }
    head += count
    if byteCount == 0 { (head, tail) = (0, 0) }
  }

  private mutating func consumeSegments(_ count: Int) {
    var left = count
    while left > 0 {
      let taken = min(left, segments[firstSegment].count)
      if segments[firstSegment].shared == nil { head += taken }
      segments[firstSegment].offset += taken
      segments[firstSegment].count -= taken
      left -= taken
      if segments[firstSegment].count == 0 {
        segments[firstSegment].shared = nil
        firstSegment += 1
      }
    }
    if byteCount == 0 {
      segments.removeAll(keepingCapacity: true)
      (firstSegment, head, tail) = (0, 0, 0)
    } else if firstSegment > 64, firstSegment * 2 > segments.count {
      segments.removeFirst(firstSegment)
      firstSegment = 0
    }
  }

  /// Empties the queue and gives up a buffer too large to be kept.
  mutating func reset() {
    if byteCount > 0 { consume(byteCount) }
    if segments.capacity > 1024 { segments = [] }
    if buffer.count > Self.keptCapacity {
      buffer.deallocate()
      buffer = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }
  }

  private mutating func makeRoom(for count: Int) {
    let used = tail - head
    var target = buffer
    if used + count > buffer.count {
      let capacity = max(Self.minimumCapacity, (used + count).roundedUpToPowerOfTwo)
      target = .allocate(byteCount: capacity, alignment: 16)
    }
    if used > 0, let from = buffer.baseAddress, let to = target.baseAddress {
      to.copyMemory(from: from + head, byteCount: used)  // memmove: the two may overlap
    }
    if target.baseAddress != buffer.baseAddress {
      buffer.deallocate()
      buffer = target
    }
    (head, tail) = (0, used)
  }
}

extension Int {
  /// The smallest power of two that is not smaller; self must be positive and at most 2^62.
  fileprivate var roundedUpToPowerOfTwo: Int {
    self <= 1 ? 1 : 1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
