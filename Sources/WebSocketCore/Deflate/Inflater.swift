import CZlib

/// Decompresses the messages of one direction (RFC 7692 §7.2.2). Wraps a zlib stream, which must stay where it is.
final class Inflater {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameter windowBits: the base-2 logarithm of the largest window that the peer uses, 8...15.
  init(windowBits: Int) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    // Negative: deflate data without zlib's own header.
    let status = inflateInit2_(
      stream, -Int32(windowBits), ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib gave no decompressor (\(status)).")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
  }

  /// Forgets all earlier messages.
  func reset() { inflateReset(stream) }

  /// Whether everything given so far ended with a whole block: a message may end here.
  private(set) var isAtBlockEnd = true

  /// Decompresses until the input is used up or the room is full.
  ///
  /// - Returns: how many bytes were taken and given; nil if the input is not deflate data.
  func inflate(
    _ input: UnsafeRawBufferPointer, into room: UnsafeMutableRawBufferPointer
  ) -> (taken: Int, given: Int)? {
    stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
      .assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(clamping: input.count)
    stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(clamping: room.count)
    let (offered, space) = (stream.pointee.avail_in, stream.pointee.avail_out)
    while true {
      switch CZlib.inflate(stream, Z_SYNC_FLUSH) {
      case Z_OK, Z_BUF_ERROR:
        // zlib: 128 is added "if inflate() returned immediately after decoding an end-of-block code".
        isAtBlockEnd = stream.pointee.data_type & 128 != 0
        return (Int(offered - stream.pointee.avail_in), Int(space - stream.pointee.avail_out))
      case Z_STREAM_END:
        // RFC 7692 §7.2.3.4: a block with BFINAL may be followed by others, and the window stays.
        inflateResetKeep(stream)
        isAtBlockEnd = true
        guard stream.pointee.avail_in == 0 || stream.pointee.avail_out == 0 else { continue }
        return (Int(offered - stream.pointee.avail_in), Int(space - stream.pointee.avail_out))
      default:
        return nil
      }
    }
  }
}
