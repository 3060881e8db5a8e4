import CZlib

/// Compresses the messages of one direction (RFC 7692 §7.2.1). Wraps a zlib stream, which must stay where it is.
final class Deflater {
  private let stream: UnsafeMutablePointer<z_stream>

  /// - Parameters:
  ///   - level: 1...9.
  ///   - windowBits: the base-2 logarithm of the window, 8...15. zlib has no raw streams of 8; it keeps 262 bytes of a
  ///     window of 9 to itself and refers back 250 bytes at most, which a window of 8 holds.
  init(level: Int, windowBits: Int) {
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let status = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, -Int32(max(windowBits, 9)), 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(status == Z_OK, "zlib gave no compressor (\(status)).")
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
  }

  /// Forgets all earlier messages.
  func reset() { deflateReset(stream) }

  /// Compresses a message or a fragment of one, behind what `output` holds.
  ///
  /// RFC 7692 §7.2.1: "Append an empty DEFLATE block with no compression to the tail end … Remove 4 octets (that are 0x00
  /// 0x00 0xff 0xff) from the tail end." The removal is for the end of a message only.
  func compress(_ input: UnsafeRawBufferPointer, isFinal: Bool, into output: inout GrowingBuffer) {
    let before = output.count
    var rest = input
    repeat {
      let piece = rest.prefix(1 << 30)
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
      run(UnsafeRawBufferPointer(rebasing: piece), rest.isEmpty ? Z_SYNC_FLUSH : Z_NO_FLUSH, &output)
    } while !rest.isEmpty
    guard isFinal else { return }
    if output.count - before >= 4 { return output.dropLast(4) }
    // §7.2.3.6: zlib flushes nothing twice; an empty block that lacks the 4 octets ends the message.
    var empty: UInt8 = 0
    withUnsafeBytes(of: &empty) { output.append($0, announced: .max) }
  }

  private func run(_ input: UnsafeRawBufferPointer, _ flush: Int32, _ output: inout GrowingBuffer) {
    stream.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?
      .assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(clamping: input.count)
    // Room for almost everything at once: what does not compress grows by a few bytes a block.
    var wanted = input.count / 2 + 64
    while true {
      let room = output.room(wanted, limit: .max)
      stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
      let space = UInt32(clamping: room.count)
      stream.pointee.avail_out = space
      let status = deflate(stream, flush)
      precondition(status == Z_OK || status == Z_BUF_ERROR, "zlib could not compress (\(status)).")
      output.extend(by: Int(space - stream.pointee.avail_out))
      guard stream.pointee.avail_out == 0 else { return }
      wanted = max(wanted, 4_096)
    }
  }
}
