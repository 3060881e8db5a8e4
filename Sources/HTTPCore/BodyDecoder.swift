/// Takes a body off the front of the input, piece by piece.
struct BodyDecoder {
  enum Event {
    case bytes(UnsafeRawBufferPointer)
    case end(HTTPFields?)
  }

  private enum State {
    case ended
    case length(UInt64)
    case untilClose
    /// A chunk's size line: the size so far, its digits, whether behind the digits, whether CR was seen.
    case chunkSize(UInt64, digits: Int, extension: Int?, sawCR: Bool)
    case chunk(UInt64)
    case chunkEnd(sawCR: Bool)
    case trailers
  }

  /// Bytes of chunk extensions that are passed over, for each chunk.
  private static let maximumExtensionBytes = 256

  private var state: State
  private var trailers = HeadCollector(mayBeEmpty: true)
  private var total: UInt64 = 0

  init(_ framing: BodyFraming) {
    switch framing {
    case .none: state = .ended
    case .length(let count): state = .length(count)
    case .chunked: state = Self.newChunk
    case .untilClose: state = .untilClose
    }
  }

  private static var newChunk: State { .chunkSize(0, digits: 0, extension: nil, sawCR: false) }

  /// Whether the end of the stream is the end of the body.
  var endsWithStream: Bool {
    if case .untilClose = state { true } else { false }
  }

  mutating func next(
    _ input: inout UnsafeRawBufferPointer, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> Event? {
    while true {
      switch state {
      case .ended:
        return .end(nil)
      case .length(0):
        state = .ended
      case .length(let rest):
        guard let piece = Self.take(&input, rest) else { return nil }
        state = .length(rest - UInt64(piece.count))
        return .bytes(piece)
      case .untilClose:
        guard let piece = Self.take(&input, .max) else { return nil }
        try count(UInt64(piece.count), limits)
        return .bytes(piece)
      case .chunkSize(let size, let digits, let ext, let sawCR):
        guard let byte = input.first else { return nil }
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        try sizeLine(byte, size, digits, ext, sawCR, limits)
      case .chunk(0):
        state = .chunkEnd(sawCR: false)
      case .chunk(let rest):
        guard let piece = Self.take(&input, rest) else { return nil }
        state = .chunk(rest - UInt64(piece.count))
        return .bytes(piece)
      case .chunkEnd(let sawCR):
        guard let byte = input.first else { return nil }
        input = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        guard byte == (sawCR ? ASCII.lf : ASCII.cr) else { throw .bad("A chunk does not end with CRLF.") }
        state = sawCR ? Self.newChunk : .chunkEnd(sawCR: true)
      case .trailers:
        guard try trailers.collect(&input, limits) else { return nil }
        state = .ended
        return .end(try HeadParser.trailers(trailers, limits))
      }
    }
  }

  /// RFC 9112 §7.1: `chunk-size [ chunk-ext ] CRLF`.
  private mutating func sizeLine(
    _ byte: UInt8, _ size: UInt64, _ digits: Int, _ ext: Int?, _ sawCR: Bool, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) {
    if sawCR {
      guard byte == ASCII.lf else { throw .bad("A chunk's size does not end with CRLF.") }
      try count(size, limits)
      state = size == 0 ? .trailers : .chunk(size)
    } else if byte == ASCII.cr {
      guard digits > 0 else { throw .bad("A chunk has no size.") }
      state = .chunkSize(size, digits: digits, extension: ext, sawCR: true)
    } else if let ext {
      guard ASCII.isFieldValue(byte), ext < Self.maximumExtensionBytes else {
        throw .bad("A chunk's extension is not valid or too long.")
      }
      state = .chunkSize(size, digits: digits, extension: ext + 1, sawCR: false)
    } else if let digit = ASCII.hexadecimalValue(byte), digits < 16 {
      state = .chunkSize(size << 4 | UInt64(digit), digits: digits + 1, extension: nil, sawCR: false)
    } else if byte == UInt8(ascii: ";"), digits > 0 {
      state = .chunkSize(size, digits: digits, extension: 1, sawCR: false)
    } else {
      throw .bad("A chunk's size is not valid.")
    }
  }

  private mutating func count(_ bytes: UInt64, _ limits: HTTPLimits) throws(HTTPDecodingError) {
    let (sum, overflow) = total.addingReportingOverflow(bytes)
    guard !overflow, sum <= limits.maximumBodyBytes else {
      throw HTTPDecodingError(.contentTooLarge, "The body is too large.")
    }
    total = sum
  }

  private static func take(_ input: inout UnsafeRawBufferPointer, _ most: UInt64) -> UnsafeRawBufferPointer? {
    guard !input.isEmpty else { return nil }
    let count = Int(min(most, UInt64(input.count)))
    defer { input = UnsafeRawBufferPointer(rebasing: input[count...]) }
    return UnsafeRawBufferPointer(rebasing: input[..<count])
  }
}
