/// Whole JSON texts.
public enum JSONText {
  /// Says whether a text is one valid value.
  ///
  /// - Throws: what is wrong, and where.
  public static func validate(_ text: UnsafeRawBufferPointer, maximumDepth: Int = 128) throws(JSONError) {
    var reader = JSONReader(text, maximumDepth: maximumDepth)
    _ = try reader.readRaw()
    try reader.finish()
  }

  /// Removes white space outside of strings, so that a line break can separate texts. The text must be valid.
  public static func compact(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var isInString = false
    var isEscaped = false
    for byte in text {
      if isInString {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInString = false
        }
      } else if JSONReader.isSpace(byte) {
        continue
      } else if byte == UInt8(ascii: "\"") {
        isInString = true
      }
      bytes.append(byte)
    }
    return bytes
  }
}
