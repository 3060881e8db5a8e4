import CZlib

/// gzip (RFC 1952), by zlib.
enum Gzip {
  /// The bytes compressed; nil if zlib refuses.
  static func compress(_ bytes: [UInt8]) -> [UInt8]? {
    var stream = z_stream()
    // 15 bits of window, and 16 more for gzip's head and trailer.
    let status = deflateInit2_(
      &stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { return nil }
    defer { deflateEnd(&stream) }
    guard let inputCount = UInt32(exactly: bytes.count),
      let bound = UInt32(exactly: deflateBound(&stream, UInt(bytes.count)))
    else { return nil }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(bound))
    let count = input.withUnsafeMutableBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output -> Int? in
        stream.next_in = input.baseAddress
        stream.avail_in = inputCount
        stream.next_out = output.baseAddress
        stream.avail_out = bound
        return deflate(&stream, Z_FINISH) == Z_STREAM_END ? Int(stream.total_out) : nil
      }
    }
    return count.map { Array(output[..<$0]) }
  }
}
