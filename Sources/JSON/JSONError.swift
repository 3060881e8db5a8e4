/// Why a text is not the JSON that was expected.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The kind of error.
  public enum Code: Sendable, Hashable {
    /// The text breaks RFC 8259, or is not UTF-8.
    case invalid
    /// The text ends too early.
    case truncated
    /// Arrays and objects are nested beyond the limit.
    case tooDeep
    /// The value is of another kind than was asked for, or does not fit its type.
    case mismatch
  }

  /// The kind of error.
  public let code: Code
  /// Where it was found, in bytes from the start.
  public let offset: Int
  /// What was expected there.
  public let expectation: String

  init(_ code: Code, at offset: Int, _ expectation: String) {
    self.code = code
    self.offset = offset
    self.expectation = expectation
  }

  /// One sentence.
  public var description: String { "\(expectation) (at byte \(offset))" }
}
