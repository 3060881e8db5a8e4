import HTTPCore

/// Patterns as a tree of path segments. A literal goes before a parameter, a parameter before a tail; where the better
/// one leads nowhere, the next is tried.
struct RouteTree<Endpoint: Sendable>: Sendable {
  private struct Node: Sendable {
    var literals: [String: Int] = [:]
    var parameter: Int?
    var tail: Int?
    var endpoint: Endpoint?
    /// The names of the pattern's parameters, in order.
    var names: [String] = []
  }

  /// What was found: the endpoint, and what the path says in the places of the parameters.
  struct Match {
    var endpoint: Endpoint
    var parameters: [String: String]
  }

  /// The root is the first.
  private var nodes = [Node()]

  /// The endpoint of a pattern, nil if it has none yet.
  subscript(pattern: PathPattern) -> Endpoint? {
    mutating get { nodes[node(of: pattern)].endpoint }
    set {
      let index = node(of: pattern)
      let names = pattern.parts.compactMap(\.name)
      precondition(
        nodes[index].endpoint == nil || nodes[index].names == names,
        "Two routes of one shape have different parameter names: \(nodes[index].names) and \(names).")
      nodes[index].endpoint = newValue
      nodes[index].names = names
    }
  }

  private mutating func node(of pattern: PathPattern) -> Int {
    var at = 0
    for part in pattern.parts {
      let next: Int?
      switch part {
      case .literal(let text): next = nodes[at].literals[text]
      case .parameter: next = nodes[at].parameter
      case .tail: next = nodes[at].tail
      }
      if let next {
        at = next
        continue
      }
      nodes.append(Node())
      let made = nodes.count - 1
      switch part {
      case .literal(let text): nodes[at].literals[text] = made
      case .parameter: nodes[at].parameter = made
      case .tail: nodes[at].tail = made
      }
      at = made
    }
    return at
  }

  /// Finds a path's endpoint. Segments are decoded one by one, so that `%2F` never separates.
  ///
  /// - Throws: ``BadPath`` for broken percent-encoding or what is not UTF-8.
  func match(_ path: String) throws(BadPath) -> Match? {
    // `*` and an authority are targets without a path (RFC 9112 §3.2).
    guard path.utf8.first == UInt8(ascii: "/") else { return nil }
    var segments: [String] = []
    for segment in PathPattern.segments(of: path) {
      guard let decoded = PercentEncoding.decode(segment) else { throw BadPath() }
      segments.append(decoded)
    }
    var values: [String] = []
    guard let node = find(segments[...], from: 0, &values), let endpoint = nodes[node].endpoint else {
      return nil
    }
    let parameters = Dictionary(zip(nodes[node].names, values)) { first, _ in first }
    return Match(endpoint: endpoint, parameters: parameters)
  }

  /// Visits each node once at most, however the path is made: its depth is given by its place in the path.
  private func find(_ path: ArraySlice<String>, from at: Int, _ values: inout [String]) -> Int? {
    guard let first = path.first else { return nodes[at].endpoint == nil ? nil : at }
    if let next = nodes[at].literals[first], let found = find(path.dropFirst(), from: next, &values) {
      return found
    }
    if let next = nodes[at].parameter, !first.isEmpty {
      values.append(first)
      if let found = find(path.dropFirst(), from: next, &values) { return found }
      values.removeLast()
    }
    if let next = nodes[at].tail {
      values.append(path.joined(separator: "/"))
      return next
    }
    return nil
  }
}

/// A path that cannot be decoded.
struct BadPath: Error {}
