@testable import WebSocketCore

/// Runs a decoder over the pieces of a stream, up to the first violation, which is returned.
///
/// - Parameters:
///   - pieces: each gets a buffer of its own size, so that the sanitizer sees a step beside it.
///   - mostHeld: what the decoder may hold of a message between two pieces, in bytes.
func decode(
  _ pieces: [ArraySlice<UInt8>], _ decoder: inout MessageDecoder, holdingAtMost mostHeld: Int,
  _ take: (WebSocketEvent) throws(BrokenProperty) -> Void
) throws(BrokenProperty) -> ProtocolViolation? {
  var violation: ProtocolViolation?
  for piece in pieces where violation == nil {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
    defer { bytes.deallocate() }
    bytes.copyBytes(from: piece)
    var input = bytes
    while violation == nil {
      var found: WebSocketEvent?
      do throws(ProtocolViolation) { found = try decoder.next(&input) } catch { violation = error }
      guard let found else { break }
      try take(found)
    }
    if violation == nil { try hold(input.isEmpty, "all of the input is taken") }
    let held = decoder.partial?.payloadCapacity ?? 0
    try hold(held <= mostHeld, "what is held is bounded: \(held)")
  }
  return violation
}
