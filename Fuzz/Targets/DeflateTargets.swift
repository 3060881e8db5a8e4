import HTTPCore

@testable import WebSocketCore

let deflateTargets = [
  FuzzTarget("deflate-parameters", checkParameters),
  FuzzTarget("deflate-frames") { try checkFrames(Pieces($0)) },
  FuzzTarget("deflate-messages") { try checkMessages(Pieces($0)) },
]

private let everyOption = [
  DeflateOptions.standard, DeflateOptions(sendsWithContext: true, receivesWithContext: true),
  DeflateOptions(sendsWithContext: true, sendWindowBits: 9, receiveWindowBits: 10),
]

/// What a server agrees to is what its answer says, and never more than the client has offered.
private func checkParameters(_ input: UnsafeRawBufferPointer) throws {
  let fields: HTTPFields = ["Sec-WebSocket-Extensions": String(decoding: input, as: UTF8.self)]
  for options in everyOption {
    if let (agreement, response) = DeflateNegotiation.accept(fields, options) {
      try checkRange(agreement)
      let answered: HTTPFields = ["Sec-WebSocket-Extensions": response]
      let answers = ExtensionOffer.all(in: answered)
      try equal(answers?.count, 1, "extensions of the answer")
      let parameters = answers?.first.flatMap { DeflateParameters($0, isOffer: false) }
      try equal(parameters?.text, response, "the answer, read")
      // A client that has context and windows of any size takes the answer.
      let open = DeflateOptions(sendsWithContext: true, receivesWithContext: true)
      let mirrored = try DeflateNegotiation.check(answered, offered: open)
      try equal(mirrored?.sendsWithContext, agreement.receivesWithContext, "context to the server")
      try equal(mirrored?.receivesWithContext, agreement.sendsWithContext, "context to the client")
      try hold(agreement.sendsWithContext == false || options.sendsWithContext, "context only where wanted")
      try hold(agreement.sendWindowBits <= options.sendWindowBits, "the window is not beyond ours")
    }
    guard let agreement = try? DeflateNegotiation.check(fields, offered: options) else { continue }
    try checkRange(agreement)
    try hold(agreement.receiveWindowBits <= options.receiveWindowBits, "the window is not beyond ours")
  }
}

private func checkRange(_ agreement: DeflateAgreement) throws {
  try hold((8...15).contains(agreement.sendWindowBits), "8...15")
  try hold((8...15).contains(agreement.receiveWindowBits), "8...15")
}

private let limits = WebSocketLimits(maximumMessageBytes: 2_048, maximumFragmentCount: 6)

private func compression(_ choice: UInt8) -> MessageCompression {
  let hasContext = choice & 1 == 1
  let bits = 8 + Int(choice >> 1) % 8
  return CompressionPool().compression(
    DeflateAgreement(
      sendsWithContext: hasContext, receivesWithContext: hasContext, sendWindowBits: bits,
      receiveWindowBits: bits),
    DeflateOptions(level: 1 + Int(choice >> 4) % 9, minimumBytes: 0))
}

/// Compressed payloads that nobody has compressed: the same in pieces and whole, and never beyond the limit.
private func checkFrames(_ input: Pieces) throws {
  guard let choice = input.stream.first else { return }
  let stream = Array(input.stream.dropFirst())
  let whole = try InflatedMessages([stream[...]], choice, .whole)
  try equal(try InflatedMessages(input.cutting(stream), choice, .whole), whole, "in pieces and whole")
  // As fragments, a message has no limit but that of each piece.
  let fragments = try InflatedMessages(input.cutting(stream), choice, .fragments)
  if whole.violation == nil { try equal(fragments, whole, "fragments and messages") }
  // The same bytes as the payload of one compressed message, which reaches zlib.
  var frame = [UInt8](repeating: 0, count: stream.count + FrameHeader.maximumCount)
  let header = FrameHeader(rsv1: true, opcode: .binary, payloadLength: UInt64(stream.count))
  let count = frame.withUnsafeMutableBytes { header.encode(into: $0) }
  frame = Array(frame[..<count]) + stream
  let one = try InflatedMessages([frame[...]], choice, .whole)
  try equal(try InflatedMessages(input.cutting(frame), choice, .whole), one, "a payload in pieces and whole")
}

/// What is compressed comes back, with and without context, whole and in fragments.
private func checkMessages(_ input: Pieces) throws {
  guard let choice = input.stream.first else { return }
  let messages = input.cutting(Array(input.stream.dropFirst().prefix(2_000)))
  let sending = compression(choice)
  var stream: [UInt8] = []
  for (index, message) in messages.enumerated() {
    message.withUnsafeBytes { bytes in
      if index % 3 == 2 {
        let compressor = FragmentCompressor(sending)
        let half = UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)])
        compressor.compress(half, isFinal: false) {
          stream += frame($0, opcode: .binary, rsv1: true, isFinal: false)
        }
        let rest = UnsafeRawBufferPointer(rebasing: bytes[(bytes.count / 2)...])
        compressor.compress(rest, isFinal: true) {
          stream += frame($0, opcode: .continuation, rsv1: false, isFinal: true)
        }
      } else if sending.compress(
        bytes,
        {
          stream += frame($0, opcode: .binary, rsv1: true, isFinal: true)
        }) == nil
      {
        let copy = UnsafeMutableRawBufferPointer(mutating: bytes)
        stream += frame(copy, opcode: .binary, rsv1: false, isFinal: true)
      }
    }
  }
  let received = try InflatedMessages(input.cutting(stream), choice, .whole)
  try equal(received.violation, nil, "what is compressed is valid")
  try equal(received.messages, messages.map(Array.init), "what was compressed")
}

private func frame(
  _ payload: UnsafeMutableRawBufferPointer, opcode: Opcode, rsv1: Bool, isFinal: Bool
) -> [UInt8] {
  var bytes = [UInt8](repeating: 0, count: FrameHeader.maximumCount)
  let header = FrameHeader(isFinal: isFinal, rsv1: rsv1, opcode: opcode, payloadLength: UInt64(payload.count))
  let count = bytes.withUnsafeMutableBytes { header.encode(into: $0) }
  return Array(bytes[..<count]) + payload
}

/// What a client's decoder made of a compressed stream.
private struct InflatedMessages: Equatable {
  var messages: [[UInt8]] = []
  var controls = 0
  var violation: ProtocolViolation?

  /// What is neither deflate data nor UTF-8 is refused for what is seen first, with the same code.
  static func == (a: InflatedMessages, b: InflatedMessages) -> Bool {
    a.messages == b.messages && a.controls == b.controls && a.violation?.closeCode == b.violation?.closeCode
  }

  init(_ pieces: [ArraySlice<UInt8>], _ choice: UInt8, _ delivery: MessageDelivery) throws(BrokenProperty) {
    var decoder = MessageDecoder(
      role: .client, limits: limits, delivery: delivery, compression: compression(choice))
    var open: [UInt8] = []
    violation = try decode(pieces, &decoder, holdingAtMost: 2 * limits.maximumMessageBytes + 65_536) {
      (event) throws(BrokenProperty) in
      switch event {
      case .message(_, let message):
        try hold(message.count <= limits.maximumMessageBytes, "no message is beyond the limit")
        messages.append(Array(message))
      case .fragment(_, let piece, _, let isFinal):
        open += piece
        if isFinal {
          messages.append(open)
          open = []
        }
        // Of what deflate makes of a few bytes a thousand times as much may follow.
        try hold(open.count < 8 << 20, "what one input becomes is bounded")
      default: controls += 1
      }
    }
  }
}
