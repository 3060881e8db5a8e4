/// A JSON value as a tree, where speed does not matter: configuration, tokens, command lines.
public enum JSONValue: Sendable, Equatable {
  /// `null`.
  case null
  /// `true` or `false`.
  case bool(Bool)
  /// A number written without fraction and exponent that fits.
  case int(Int64)
  /// Any other number.
  case double(Double)
  /// A string.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object; of members with the same name the last one is kept, in its first one's place.
  case object([Member])

  /// A member of an object.
  public struct Member: Sendable, Equatable {
    /// The name.
    public var name: String
    /// The value.
    public var value: JSONValue

    /// Makes a member.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// Parses a text that is one value.
  ///
  /// - Throws: what is wrong, and where.
  public init(parsing text: [UInt8], maximumDepth: Int = 128) throws(JSONError) {
    var result: Result<JSONValue, JSONError> = .success(.null)
    text.withUnsafeBytes { bytes in
      result = Result { () throws(JSONError) -> JSONValue in
        var reader = JSONReader(bytes, maximumDepth: maximumDepth)
        let value = try JSONValue(reading: &reader)
        try reader.finish()
        return value
      }
    }
    self = try result.get()
  }

  /// Reads the next value.
  ///
  /// - Throws: what is wrong, and where.
  public init(reading reader: inout JSONReader) throws(JSONError) {
    switch try reader.peekKind() {
    case .null:
      _ = try reader.readNull()
      self = .null
    case .bool: self = .bool(try reader.readBool())
    case .string: self = .string(try reader.readString())
    case .number: self = try Self.number(&reader)
    case .array:
      var elements: [JSONValue] = []
      try reader.readArray { (reader) throws(JSONError) in elements.append(try JSONValue(reading: &reader)) }
      self = .array(elements)
    case .object:
      var members: [Member] = []
      var places: [String: Int] = [:]
      try reader.readObject { (reader, key) throws(JSONError) in
        let member = Member(key.string, try JSONValue(reading: &reader))
        if let place = places[member.name] {
          members[place] = member
        } else {
          places[member.name] = members.count
          members.append(member)
        }
      }
      self = .object(members)
    }
  }

  private static func number(_ reader: inout JSONReader) throws(JSONError) -> JSONValue {
    var copy = reader
    let literal = String(decoding: try copy.readRaw(), as: UTF8.self)
    if let whole = Int64(literal) {
      reader = copy
      return .int(whole)
    }
    return .double(try reader.readDouble())
  }

  /// The value of an object's member.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }

  /// The string, if it is one.
  public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
  /// The number, if it is a whole one that fits.
  public var intValue: Int64? {
    switch self {
    case .int(let value): value
    case .double(let value): Int64(exactly: value)
    default: nil
    }
  }
  /// The number, if it is one.
  public var doubleValue: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
  /// The truth value, if it is one.
  public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The elements, if it is an array.
  public var arrayValue: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The members, if it is an object.
  public var objectValue: [Member]? { if case .object(let value) = self { value } else { nil } }

  /// The value as compact JSON.
  public var encoded: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }

  /// Writes the value.
  public func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .bool(let value): writer.bool(value)
    case .int(let value): writer.number(value)
    case .double(let value): writer.number(value)
    case .string(let value): writer.string(value)
    case .array(let elements):
      writer.beginArray()
      for element in elements { element.write(to: &writer) }
      writer.endArray()
    case .object(let members):
      writer.beginObject()
      for member in members {
        writer.key(member.name)
        member.value.write(to: &writer)
      }
      writer.endObject()
    }
  }
}
