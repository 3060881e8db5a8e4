import CISAL

/// Compresses whole messages without context (RFC 7692 §7.2.1) by ISA-L: in a third of zlib's time, to the same size, at
/// the lower levels (docs/compression.md). Wraps a stream, which must stay where it is.
final class FastDeflater {
  /// The levels, as zlib counts them, up to which ISA-L takes zlib's place; above, zlib makes messages smaller.
  static let highestLevel = 5
  /// Larger messages are zlib's.
  static let maximumBytes = 1 << 30

  private let stream: UnsafeMutablePointer<isal_zstream>
  private let workArea: UnsafeMutableRawPointer

  /// - Parameters:
  ///   - level: 1...5, as zlib counts them.
  ///   - windowBits: the base-2 logarithm of the window, 8...15.
  init(level: Int, windowBits: Int) {
    stream = .allocate(capacity: 1)
    isal_deflate_init(stream)
    // ISA-L's second level is slower than its first and no smaller.
    stream.pointee.level = level <= 3 ? 1 : 3
    let size = isal_level_buffer_size(stream.pointee.level)
    workArea = .allocate(byteCount: Int(size), alignment: 64)
    stream.pointee.level_buf = workArea.assumingMemoryBound(to: UInt8.self)
    stream.pointee.level_buf_size = size
    stream.pointee.hist_bits = UInt16(windowBits)
    stream.pointee.flush = UInt16(SYNC_FLUSH)
    stream.pointee.end_of_stream = 0
  }

  deinit {
    workArea.deallocate()
    stream.deallocate()
  }

  /// Compresses a message of at most ``maximumBytes``, behind what `output` holds.
  ///
  /// - Returns: false if it would not become smaller; what `output` then holds behind that means nothing.
  func compress(_ message: UnsafeRawBufferPointer, into output: inout GrowingBuffer) -> Bool {
    isal_deflate_reset(stream)
    stream.pointee.next_in = UnsafeMutableRawPointer(mutating: message.baseAddress)?
      .assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(clamping: message.count)
    // RFC 7692 §7.2.1: the 4 octets of the flush are removed again. More room than this is not needed: what takes as much
    // is not smaller.
    let room = output.room(message.count + 4, limit: .max)
    let space = UInt32(clamping: min(room.count, message.count + 4))
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = space
    let status = isal_deflate(stream)
    precondition(status == COMP_OK, "ISA-L could not compress (\(status)).")
    // ISA-L: room that is left says that all is out.
    guard stream.pointee.avail_out > 0 else { return false }
    output.extend(by: Int(space - stream.pointee.avail_out))
    output.dropLast(4)
    return true
  }
}
