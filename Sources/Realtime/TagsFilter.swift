/// One node of a filter as a client sends it (`FilterNode` in client.proto). Nothing is checked yet.
public struct TagsFilterNode: Sendable {
  /// `and`, `or`, `not`; empty for a comparison.
  public var op = ""
  /// The tag's name.
  public var key = ""
  /// `eq`, `neq`, `in`, `nin`, `ex`, `nex`, `sw`, `ew`, `ct`, `lt`, `lte`, `gt`, `gte`.
  public var cmp = ""
  /// What most comparisons compare with.
  public var val = ""
  /// What `in` and `nin` compare with.
  public var vals: [String] = []
  /// What `and`, `or` and `not` join.
  public var nodes: [TagsFilterNode] = []

  /// Makes an empty node.
  public init() {}
}

/// Which publications a subscriber wants, by their tags. Made once for a subscription, and asked for each publication,
/// without allocation.
public struct TagsFilter: Sendable {
  /// The most nodes.
  public static let maximumNodeCount = 64
  /// The most nodes from the first one down to the last.
  public static let maximumDepth = 8
  /// The most bytes of names and values.
  public static let maximumByteCount = 4_096

  enum Comparison: String {
    case eq, neq, `in`, nin, ex, nex, sw, ew, ct, lt, lte, gt, gte

    var isNumeric: Bool {
      switch self {
      case .lt, .lte, .gt, .gte: true
      default: false
      }
    }
  }

  private indirect enum Rule: Sendable {
    case compare(key: String, Comparison, values: [String])
    case search(key: String, SearchedText)
    case all([Rule])
    case any([Rule])
    case none(Rule)
  }

  private let rule: Rule

  /// Checks and compiles a filter; nil for what is none: an unknown operator, a missing or superfluous value or name,
  /// `gt` and its like with what is not a number, or more than the limits allow.
  public init?(_ node: TagsFilterNode) {
    var budget = Budget()
    guard let rule = Self.compile(node, depth: 1, &budget) else { return nil }
    self.rule = rule
  }

  /// Whether the tags fit.
  public func matches(_ tags: [(name: String, value: String)]) -> Bool { Self.holds(rule, tags) }

  // MARK: Compiling

  private struct Budget {
    var nodes = TagsFilter.maximumNodeCount
    var bytes = TagsFilter.maximumByteCount
  }

  private static func compile(_ node: TagsFilterNode, depth: Int, _ budget: inout Budget) -> Rule? {
    budget.nodes -= 1
    guard depth <= maximumDepth, budget.nodes >= 0 else { return nil }
    switch node.op {
    case "": return comparison(node, &budget)
    case "and", "or":
      guard !node.nodes.isEmpty else { return nil }
      var rules: [Rule] = []
      for child in node.nodes {
        guard let rule = compile(child, depth: depth + 1, &budget) else { return nil }
        rules.append(rule)
      }
      return node.op == "and" ? .all(rules) : .any(rules)
    case "not":
      guard node.nodes.count == 1 else { return nil }
      return compile(node.nodes[0], depth: depth + 1, &budget).map { .none($0) }
    default: return nil
    }
  }

  private static func comparison(_ node: TagsFilterNode, _ budget: inout Budget) -> Rule? {
    guard node.nodes.isEmpty, let comparison = Comparison(rawValue: node.cmp) else { return nil }
    budget.bytes -= node.vals.reduce(node.key.utf8.count + node.val.utf8.count) { $0 + $1.utf8.count + 1 }
    guard budget.bytes >= 0, !node.key.isEmpty else { return nil }
    switch comparison {
    case .ex, .nex:
      guard node.val.isEmpty, node.vals.isEmpty else { return nil }
      return .compare(key: node.key, comparison, values: [])
    case .in, .nin:
      guard node.val.isEmpty, !node.vals.isEmpty else { return nil }
      return .compare(key: node.key, comparison, values: node.vals)
    default:
      guard !node.val.isEmpty, node.vals.isEmpty else { return nil }
      // A number that is none would fit nothing, ever: rather say so at once.
      if comparison.isNumeric, DecimalText.order(node.val, node.val) == nil { return nil }
      if comparison == .ct { return .search(key: node.key, SearchedText(node.val)) }
      return .compare(key: node.key, comparison, values: [node.val])
    }
  }

  // MARK: Asking

  private static func holds(_ rule: Rule, _ tags: [(name: String, value: String)]) -> Bool {
    switch rule {
    case .all(let rules):
      for rule in rules where !holds(rule, tags) { return false }
      return true
    case .any(let rules):
      for rule in rules where holds(rule, tags) { return true }
      return false
    case .none(let rule): return !holds(rule, tags)
    case .search(let key, let part):
      for index in tags.indices where isSame(tags[index].name, key) {
        return withBytes(tags[index].value) { part.isIn($0) }
      }
      return false
    case .compare(let key, let comparison, let values):
      for index in tags.indices where isSame(tags[index].name, key) {
        return holds(comparison, tags[index].value, values)
      }
      // No such tag: only what is said of its absence is true.
      return comparison == .nex || comparison == .neq || comparison == .nin
    }
  }

  private static func holds(_ comparison: Comparison, _ value: String, _ values: [String]) -> Bool {
    switch comparison {
    case .ex: return true
    case .nex: return false
    case .in: return isOne(value, of: values)
    case .nin: return !isOne(value, of: values)
    default: break
    }
    let other = values[0]
    switch comparison {
    case .eq: return isSame(value, other)
    case .neq: return !isSame(value, other)
    case .sw: return withBytes(value, other) { starts($0, with: $1) }
    case .ew: return withBytes(value, other) { ends($0, with: $1) }
    case .lt: return DecimalText.order(value, other).map { $0 < 0 } ?? false
    case .lte: return DecimalText.order(value, other).map { $0 <= 0 } ?? false
    case .gt: return DecimalText.order(value, other).map { $0 > 0 } ?? false
    case .gte: return DecimalText.order(value, other).map { $0 >= 0 } ?? false
    default: return false
    }
  }

  private static func isOne(_ value: String, of values: [String]) -> Bool {
    for index in values.indices where isSame(value, values[index]) { return true }
    return false
  }
}
