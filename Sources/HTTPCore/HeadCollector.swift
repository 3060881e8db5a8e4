/// Collects lines up to an empty one, in pieces, looking at each byte once; refuses bare CR and LF, NUL, and what is
/// too long before it is stored.
struct HeadCollector {
  /// The lines with their CRLFs, without the empty one.
  private(set) var bytes: [UInt8] = []
  private var lineLength = 0
  private(set) var lineCount = 0
  private var lastWasCR = false
  /// Empty lines before the first one that are passed over (RFC 9112 §2.2 for requests); trailers may be empty.
  private var mayBeEmpty: Bool
  private var hasSkippedLine = false

  init(mayBeEmpty: Bool = false) {
    self.mayBeEmpty = mayBeEmpty
  }

  var isIdle: Bool { bytes.isEmpty && !lastWasCR }

  /// Takes bytes from the front of the input; true when the empty line has been seen.
  mutating func collect(
    _ input: inout UnsafeRawBufferPointer, _ limits: HTTPLimits
  ) throws(HTTPDecodingError) -> Bool {
    var index = 0
    var kept = 0
    while index < input.count {
      let byte = input[index]
      index += 1
      if byte > ASCII.cr, !lastWasCR {
        // Most bytes are of such runs.
        let start = index
        index = Self.endOfRun(input, index)
        lineLength += 1 + index - start
        guard index + 1 < input.count, input[index] == ASCII.cr, input[index + 1] == ASCII.lf else {
          try checkLengths(bytes.count + index - kept, limits)
          continue
        }
        // The line is here whole. Its CR counts at once, as where it comes in pieces.
        try checkLengths(bytes.count + index + 1 - kept, limits)
        index += 2
        lineCount += 1
        lineLength = 0
        continue
      }
      if byte == ASCII.lf {
        guard lastWasCR else { throw .bad("A line ends with LF alone.") }
        lastWasCR = false
        if lineLength == 0 {
          if lineCount > 0 || mayBeEmpty {
            // The last LF counts, too.
            guard bytes.count + index - kept <= limits.maximumHeadBytes else {
              throw HTTPDecodingError(.headerFieldsTooLarge, "The head is too large.")
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[kept..<index]))
            bytes.removeLast(2)
            input = UnsafeRawBufferPointer(rebasing: input[index...])
            return true
          }
          guard !hasSkippedLine else { throw .bad("The request begins with empty lines.") }
          hasSkippedLine = true
          bytes.removeAll()
          kept = index
        } else {
          lineCount += 1
          lineLength = 0
        }
        continue
      }
      guard !lastWasCR else { throw .bad("A CR is not followed by LF.") }
      guard byte != 0 else { throw .bad("The head has a NUL.") }
      if byte == ASCII.cr { lastWasCR = true } else { lineLength += 1 }
      try checkLengths(bytes.count + index - kept, limits)
    }
    bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: input[kept...]))
    input = UnsafeRawBufferPointer(start: nil, count: 0)
    return false
  }

  /// The index of the first byte from `start` on that is not above CR; eight bytes at a time.
  private static func endOfRun(_ input: UnsafeRawBufferPointer, _ start: Int) -> Int {
    let (ones, highest) = (UInt64(0x0101_0101_0101_0101), UInt64(0x8080_8080_8080_8080))
    var index = start
    while index + 8 <= input.count {
      let word = input.loadUnaligned(fromByteOffset: index, as: UInt64.self)
      // A byte's highest bit is set if it is below 14 itself, or if a byte before it, which is lower in the word, is.
      let found = (word &- ones &* UInt64(ASCII.cr + 1)) & ~word & highest
      if found != 0 { return index + found.trailingZeroBitCount / 8 }
      index += 8
    }
    while index < input.count, input[index] > ASCII.cr { index += 1 }
    return index
  }

  private func checkLengths(_ byteCount: Int, _ limits: HTTPLimits) throws(HTTPDecodingError) {
    // A line beyond both limits, too, is told by the lower one, which it would reach first if it came in pieces.
    if lineCount == 0, !mayBeEmpty, lineLength > limits.maximumStartLineBytes,
      limits.maximumStartLineBytes <= limits.maximumHeadBytes
    {
      throw HTTPDecodingError(.uriTooLong, "The request line is too long.")
    }
    if byteCount > limits.maximumHeadBytes {
      throw HTTPDecodingError(.headerFieldsTooLarge, "The head is too large.")
    }
  }
}
