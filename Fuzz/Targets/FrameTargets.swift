@testable import WebSocketCore

let frameTargets = [
  FuzzTarget("frame-server") { try checkHeader($0, .server) },
  FuzzTarget("frame-client") { try checkHeader($0, .client) },
]

/// A header is the same however much of it has arrived, and is written as it was read.
private func checkHeader(_ input: UnsafeRawBufferPointer, _ role: WebSocketRole) throws {
  for permitsRSV1 in [false, true] {
    let whole = parse(input, role, permitsRSV1)
    for count in 0..<min(input.count, FrameHeader.maximumCount) {
      let part = parse(UnsafeRawBufferPointer(rebasing: input[..<count]), role, permitsRSV1)
      // What has been said of a beginning stays true.
      if part != .incomplete { try equal(part, whole, "\(count) bytes of a header") }
    }
    switch whole {
    case .incomplete: try hold(input.count < FrameHeader.maximumCount, "14 bytes have any header")
    case .violation(let violation): try hold(violation.closeCode == .protocolError, "the code is 1002")
    case .header(let header):
      try hold(permitsRSV1 || !header.rsv1, "RSV1 is refused")
      try hold(header.payloadLength >> 63 == 0, "the length is below 2^63")
      try hold(!header.opcode.isControl || header.isFinal && header.payloadLength <= 125, "§5.5")
      var written = [UInt8](repeating: 0, count: FrameHeader.maximumCount)
      let count = written.withUnsafeMutableBytes { header.encode(into: $0) }
      try equal(count, header.encodedCount, "the count of a header")
      try hold(written[..<count].elementsEqual(input[..<count]), "a header is written as it was read")
    }
  }
}

private enum Outcome: Equatable {
  case incomplete
  case header(FrameHeader)
  case violation(ProtocolViolation)
}

private func parse(
  _ bytes: UnsafeRawBufferPointer, _ role: WebSocketRole, _ permitsRSV1: Bool
) -> Outcome {
  do throws(ProtocolViolation) {
    return try FrameHeader.parse(bytes, receivedBy: role, permitsRSV1: permitsRSV1).map { .header($0) }
      ?? .incomplete
  } catch {
    return .violation(error)
  }
}
