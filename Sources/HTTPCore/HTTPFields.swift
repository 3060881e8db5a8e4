/// Header fields in the order in which they came; names compare without regard to case (RFC 9110 §5.1).
///
/// All names and values lie in one buffer.
public struct HTTPFields: Sendable {
  private struct Entry: Sendable {
    let start: Int32
    let nameCount: Int32
    let valueCount: Int32
  }

  private var storage: [UInt8] = []
  private var entries: [Entry] = []

  /// Makes an empty list.
  public init() {}

  /// How many fields there are.
  public var count: Int { entries.count }

  /// Whether there are none.
  public var isEmpty: Bool { entries.isEmpty }

  /// Makes room for so many fields with so many bytes in all.
  package mutating func reserve(_ count: Int, byteCount: Int) {
    entries.reserveCapacity(count)
    storage.reserveCapacity(byteCount)
  }

  /// Adds a field at the end, beside others of the same name. Nothing is checked here; see ``HTTPEncoder``.
  public mutating func append(_ name: String, _ value: String) {
    append(name.utf8, value.utf8)
  }

  /// Adds a field from bytes.
  mutating func append(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) {
    guard let start = Int32(exactly: storage.count), let nameCount = Int32(exactly: name.count),
      let valueCount = Int32(exactly: value.count)
    else { return }
    storage.append(contentsOf: name)
    storage.append(contentsOf: value)
    entries.append(Entry(start: start, nameCount: nameCount, valueCount: valueCount))
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
    index(of: name, from: 0).map { String(decoding: value(of: entries[$0]), as: UTF8.self) }
  }

  /// The values of all fields of a name.
  public func values(of name: String) -> [String] {
    var values: [String] = []
    var start = 0
    while let index = index(of: name, from: start) {
      values.append(String(decoding: value(of: entries[index]), as: UTF8.self))
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
    var start = 0
    while let index = index(of: name, from: start) {
      if listContains(token, entries[index]) { return true }
      start = index + 1
    }
    return false
  }

  private func listContains(_ token: String, _ entry: Entry) -> Bool {
    storage.withUnsafeBufferPointer { storage in
      let start = Int(entry.start + entry.nameCount)
      var rest = storage[start..<(start + Int(entry.valueCount))]
      while !rest.isEmpty {
        let member = rest.prefix { $0 != UInt8(ascii: ",") }
        if ASCII.equalIgnoringCase(ASCII.trimmed(member), token.utf8) { return !token.isEmpty }
        rest = rest[member.endIndex...].dropFirst()
      }
      return false
    }
  }

  /// The place of the first field of a name from `start` on. Every request looks for a dozen names, most of which it
  /// does not have.
  private func index(of name: String, from start: Int) -> Int? {
    var name = name
    return name.withUTF8 { name in
      storage.withUnsafeBufferPointer { storage in
        entries[start...].firstIndex { entry in
          guard Int(entry.nameCount) == name.count else { return false }
          let start = Int(entry.start)
          return name.indices.allSatisfy {
            ASCII.lowercased(storage[start + $0]) == ASCII.lowercased(name[$0])
          }
        }
      }
    }
  }

  private func name(of entry: Entry) -> ArraySlice<UInt8> {
    let start = Int(entry.start)
    return storage[start..<(start + Int(entry.nameCount))]
  }

  private func value(of entry: Entry) -> ArraySlice<UInt8> {
    let start = Int(entry.start + entry.nameCount)
    return storage[start..<(start + Int(entry.valueCount))]
  }

  /// Calls `body` with the bytes of each name and value.
  func forEachBytes<Failure: Error>(
    _ body: (ArraySlice<UInt8>, ArraySlice<UInt8>) throws(Failure) -> Void
  ) throws(Failure) {
    for entry in entries { try body(name(of: entry), value(of: entry)) }
  }
}

extension HTTPFields: Sequence {
  /// Iterates over names and values.
  public func makeIterator() -> some IteratorProtocol<(name: String, value: String)> {
    entries.lazy.map {
      (
        name: String(decoding: name(of: $0), as: UTF8.self),
        value: String(decoding: value(of: $0), as: UTF8.self)
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
      && zip(a, b).allSatisfy { ASCII.equalIgnoringCase($0.name.utf8, $1.name.utf8) && $0.value == $1.value }
  }
}
