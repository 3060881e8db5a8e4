import HTTPCore

/// A route's path in parts: `/rooms/{room}/files/{path...}`.
struct PathPattern: Sendable {
  enum Part: Sendable, Equatable {
    case literal(String)
    case parameter(String)
    /// The rest of the path, with its slashes; last only.
    case tail(String)
  }

  let parts: [Part]

  /// A programmer's mistake in a pattern stops the program where it is written.
  init(_ text: String) {
    precondition(text.hasPrefix("/"), "The path \(text) does not begin with a slash.")
    let segments = Self.segments(of: text)
    parts = segments.enumerated().map { index, segment in
      guard segment.hasPrefix("{"), segment.hasSuffix("}") else { return .literal(String(segment)) }
      let name = segment.dropFirst().dropLast()
      guard name.hasSuffix("...") else { return .parameter(String(name)) }
      precondition(index == segments.count - 1, "Only the last part of \(text) may be a tail.")
      return .tail(String(name.dropLast(3)))
    }
    let names = parts.compactMap(\.name)
    precondition(Set(names).count == names.count, "A parameter's name stands twice in \(text).")
  }

  /// What stands between the slashes, percent-encoding left as it is. By bytes: to a Character, a slash belongs to a
  /// combining mark behind it.
  static func segments(of path: String) -> [Substring] {
    path.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
      .map { Substring($0) }
  }
}

extension PathPattern.Part {
  var name: String? {
    switch self {
    case .literal: nil
    case .parameter(let name), .tail(let name): name
    }
  }
}
