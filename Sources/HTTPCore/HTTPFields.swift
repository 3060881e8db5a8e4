/// Header fields in the order in which they came; names compare without regard to case (RFC 9110 §5.1).
///
/// All names and values lie in one buffer.
public struct HTTPFields: Sendable {
  private struct Entry: Sendable {
    let nameStart: Int32
    let nameCount: Int32
    let valueStart: Int32
    let valueCount: Int32

    init?(_ name: Range<Int>, _ value: Range<Int>) {
      guard let nameStart = Int32(exactly: name.lowerBound), let nameCount = Int32(exactly: name.count),
        let valueStart = Int32(exactly: value.lowerBound), let valueCount = Int32(exactly: value.count)
      else { return nil }
      (self.nameStart, self.nameCount, self.valueStart, self.valueCount) = (
        nameStart, nameCount, valueStart, valueCount
      )
    }

    var name: Range<Int> { Int(nameStart)..<(Int(nameStart) + Int(nameCount)) }
    var value: Range<Int> { Int(valueStart)..<(Int(valueStart) + Int(valueCount)) }
  }

  private var storage: [UInt8] = []
  private var entries: [Entry] = []

  /// Makes an empty list.
  public init() {}

  /// Makes an empty list whose fields will lie in bytes that are there already.
  init(in bytes: [UInt8], fieldCount: Int) {
    storage = bytes
    entries.reserveCapacity(fieldCount)
  }

  /// How many fields there are.
  public var count: Int { entries.count }

  /// Whether there are none.
  public var isEmpty: Bool { entries.isEmpty }

  /// Adds a field at the end, beside others of the same name. Nothing is checked here; see ``HTTPEncoder``.
  public mutating func append(_ name: String, _ value: String) {
    let start = storage.count
    name.utf8Span.span.withUnsafeBufferPointer { storage.append(contentsOf: $0) }
    let middle = storage.count
    value.utf8Span.span.withUnsafeBufferPointer { storage.append(contentsOf: $0) }
    append(name: start..<middle, value: middle..<storage.count)
  }

  /// Adds a field whose name and value lie in the buffer.
  mutating func append(name: Range<Int>, value: Range<Int>) {
    guard let entry = Entry(name, value) else { return }
    entries.append(entry)
  }

  /// Removes all fields of a name and adds one.
  public mutating func set(_ name: String, _ value: String) {
    remove(name)
    append(name, value)
  }

  /// Removes all fields of a name.
  public mutating func remove(_ name: String) {
    while let index = index(of: name, from: 0) { entries.remove(at: index) }
  }

  /// The value of the first field of a name.
  public subscript(name: String) -> String? {
    index(of: name, from: 0).map { String(decoding: storage[entries[$0].value], as: UTF8.self) }
  }

  /// The value of the field of a name; nil if there is none, or more than one.
  package func only(_ name: StaticString) -> String? {
    onlyBytes(of: name).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Whether there is one field of a name, and it has just this value.
  package func has(_ name: StaticString, only value: StaticString) -> Bool {
    onlyBytes(of: name).map { $0.elementsEqual(value.bytes) } ?? false
  }

  private func onlyBytes(of name: StaticString) -> ArraySlice<UInt8>? {
    first(name).flatMap { $0.isRepeated ? nil : $0.value }
  }

  /// The value of the first field of a name, and whether there is another one.
  func first(_ name: StaticString) -> (value: ArraySlice<UInt8>, isRepeated: Bool)? {
    let name = name.bytes
    guard let first = index(of: name, from: 0) else { return nil }
    return (storage[entries[first].value], index(of: name, from: first + 1) != nil)
  }

  /// Whether a comma-separated list has a token, compared without regard to case.
  package func has(_ name: StaticString, token: StaticString) -> Bool {
    containsToken(name.bytes, token.bytes)
  }

  /// Whether there is a field of a name.
  func contains(_ name: StaticString) -> Bool { index(of: name.bytes, from: 0) != nil }

  /// The values of all fields of a name.
  public func values(of name: String) -> [String] {
    var values: [String] = []
    var start = 0
    while let index = index(of: name, from: start) {
      values.append(String(decoding: storage[entries[index].value], as: UTF8.self))
      start = index + 1
    }
    return values
  }

  /// The members of a comma-separated list (RFC 9110 §5.6.1), over all fields of a name, without white space around
  /// them and without empty ones. Commas inside quoted strings are not understood.
  public func list(_ name: String) -> [String] {
    values(of: name).flatMap { value in
      value.utf8.split(separator: UInt8(ascii: ","))
        .map { String(decoding: ASCII.trimmed($0), as: UTF8.self) }.filter { !$0.isEmpty }
    }
  }

  /// Whether a comma-separated list has a token, compared without regard to case.
  public func containsToken(_ name: String, _ token: String) -> Bool {
    var (name, token) = (name, token)
    return name.withUTF8 { name in token.withUTF8 { containsToken(name, $0) } }
  }

  private func containsToken(_ name: UnsafeBufferPointer<UInt8>, _ token: UnsafeBufferPointer<UInt8>) -> Bool
  {
    var start = 0
    while let index = index(of: name, from: start) {
      if list(entries[index].value, contains: token.span) { return true }
      start = index + 1
    }
    return false
  }

  private func list(_ list: Range<Int>, contains token: Span<UInt8>) -> Bool {
    let bytes = storage.span
    var start = list.lowerBound
    while start < list.upperBound {
      var end = start
      while end < list.upperBound, bytes[end] != UInt8(ascii: ",") { end += 1 }
      let next = end + 1
      while start < end, ASCII.isBlank(bytes[start]) { start += 1 }
      while start < end, ASCII.isBlank(bytes[end - 1]) { end -= 1 }
      if ASCII.equalIgnoringCase(bytes.extracting(start..<end), token) { return !token.isEmpty }
      start = next
    }
    return false
  }

  /// The place of the first field of a name from `start` on. Every request looks for a dozen names, most of which it
  /// does not have.
  private func index(of name: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    let storage = storage.span
    let entries = entries.span
    for index in start..<entries.count where Int(entries[index].nameCount) == name.count {
      if ASCII.equalIgnoringCase(storage.extracting(entries[index].name), name.span) { return index }
    }
    return nil
  }

  private func index(of name: String, from start: Int) -> Int? {
    var name = name
    return name.withUTF8 { index(of: $0, from: start) }
  }

  /// Calls `body` with the bytes of each name and value, which are valid for that long.
  func forEachBytes<Failure: Error>(
    _ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    try storage.withUnsafeBufferPointer { (storage) throws(Failure) in
      for entry in entries {
        try body(
          UnsafeBufferPointer(rebasing: storage[entry.name]),
          UnsafeBufferPointer(rebasing: storage[entry.value]))
      }
    }
  }
}

extension HTTPFields: Sequence {
  /// Iterates over names and values.
  public func makeIterator() -> some IteratorProtocol<(name: String, value: String)> {
    entries.lazy.map {
      (
        name: String(decoding: storage[$0.name], as: UTF8.self),
        value: String(decoding: storage[$0.value], as: UTF8.self)
      )
    }.makeIterator()
  }
}

extension HTTPFields: Equatable, ExpressibleByDictionaryLiteral {
  /// Makes a list from a literal.
  public init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { append(name, value) }
  }

  /// Whether both have the same fields in the same order; names compare without regard to case.
  public static func == (a: HTTPFields, b: HTTPFields) -> Bool {
    a.count == b.count
      && zip(a, b).allSatisfy {
        ASCII.equalIgnoringCase($0.name.utf8Span.span, $1.name.utf8Span.span) && $0.value == $1.value
      }
  }
}

extension StaticString {
  fileprivate var bytes: UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(start: utf8Start, count: utf8CodeUnitCount)
  }
}
