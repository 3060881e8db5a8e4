import Testing

@testable import Realtime

@Suite struct TagsFilterTests {
  private static let tags = [
    (name: "kind", value: "goal"), (name: "minute", value: "90"), (name: "xg", value: "0.80"),
    (name: "empty", value: ""),
  ]

  private func leaf(_ cmp: String, _ key: String, _ val: String = "", _ vals: [String] = []) -> TagsFilterNode
  {
    var node = TagsFilterNode()
    (node.cmp, node.key, node.val, node.vals) = (cmp, key, val, vals)
    return node
  }

  private func join(_ op: String, _ nodes: TagsFilterNode...) -> TagsFilterNode {
    var node = TagsFilterNode()
    (node.op, node.nodes) = (op, nodes)
    return node
  }

  @Test(arguments: [
    ("eq", "kind", "goal", true), ("eq", "kind", "goa", false), ("eq", "none", "goal", false),
    ("neq", "kind", "goal", false), ("neq", "kind", "shot", true), ("neq", "none", "goal", true),
    ("ex", "kind", "", true), ("ex", "none", "", false), ("ex", "empty", "", true),
    ("nex", "kind", "", false), ("nex", "none", "", true),
    ("sw", "kind", "go", true), ("sw", "kind", "oa", false), ("sw", "kind", "goals", false),
    ("sw", "none", "g", false), ("ew", "kind", "al", true), ("ew", "kind", "oa", false),
    ("ew", "kind", "agoal", false), ("ct", "kind", "oa", true), ("ct", "kind", "og", false),
    ("ct", "none", "a", false), ("ct", "empty", "a", false),
    ("lt", "minute", "90.1", true), ("lt", "minute", "90", false), ("lt", "kind", "5", false),
    ("lte", "minute", "90.0", true), ("lte", "minute", "89.999", false), ("lte", "none", "1", false),
    ("gt", "minute", "9", true), ("gt", "minute", "0090", false), ("gt", "minute", "-100", true),
    ("gte", "xg", "0.8", true), ("gte", "xg", ".81", false), ("gte", "empty", "0", false),
  ])
  func comparisons(cmp: String, key: String, val: String, expected: Bool) throws {
    let filter = try #require(TagsFilter(leaf(cmp, key, val)))
    #expect(filter.matches(Self.tags) == expected)
  }

  @Test func sets() throws {
    #expect(try #require(TagsFilter(leaf("in", "kind", "", ["shot", "goal"]))).matches(Self.tags))
    #expect(try #require(TagsFilter(leaf("in", "none", "", ["goal"]))).matches(Self.tags) == false)
    #expect(try #require(TagsFilter(leaf("nin", "kind", "", ["goal"]))).matches(Self.tags) == false)
    #expect(try #require(TagsFilter(leaf("nin", "none", "", ["goal"]))).matches(Self.tags))
  }

  @Test func logic() throws {
    let (yes, no) = (leaf("ex", "kind"), leaf("ex", "none"))
    let rows: [(TagsFilterNode, Bool)] = [
      (join("and", yes, yes), true), (join("and", yes, no), false), (join("or", no, yes), true),
      (join("or", no, no), false), (join("not", no), true), (join("not", yes), false),
      (join("and", yes, join("or", no, join("not", no))), true),
    ]
    for (node, expected) in rows { #expect(try #require(TagsFilter(node)).matches(Self.tags) == expected) }
  }

  @Test func whatIsNoFilter() {
    var both = leaf("eq", "a", "b")
    both.nodes = [leaf("ex", "a")]
    let bad = [
      TagsFilterNode(), leaf("like", "a", "b"), leaf("eq", "", "b"), leaf("eq", "a"),
      leaf("eq", "a", "b", ["c"]),
      leaf("in", "a"), leaf("in", "a", "b", ["c"]), leaf("ex", "a", "b"), leaf("nex", "a", "", ["b"]),
      leaf("ex", ""), leaf("gt", "a", "b"), leaf("gt", "a", "1e3"), leaf("gt", "a", "."),
      leaf("gt", "a", "-"),
      join("xor", leaf("ex", "a")), join("and"), join("or"), join("not"),
      join("not", leaf("ex", "a"), leaf("ex", "b")), join("and", leaf("ex", "a"), TagsFilterNode()), both,
    ]
    for node in bad { #expect(TagsFilter(node) == nil, "\(node)") }
  }

  @Test(arguments: [(7, true), (8, false)])
  func depthIsBounded(nots: Int, isWithin: Bool) {
    var node = leaf("ex", "a")
    for _ in 0..<nots { node = join("not", node) }
    #expect((TagsFilter(node) != nil) == isWithin)
  }

  @Test(arguments: [(63, true), (64, false)])
  func nodesAreBounded(leaves: Int, isWithin: Bool) {
    var node = join("or")
    node.nodes = Array(repeating: leaf("ex", "a"), count: leaves)
    #expect((TagsFilter(node) != nil) == isWithin)
  }

  @Test(arguments: [(4_095, true), (4_096, false)])
  func bytesAreBounded(count: Int, isWithin: Bool) {
    #expect((TagsFilter(leaf("eq", "a", String(repeating: "b", count: count))) != nil) == isWithin)
  }

  @Test func searchingIsExact() throws {
    for part in ["aab", "aaab", "b", "aaaa", "abaa", "ba"] {
      let filter = try #require(TagsFilter(leaf("ct", "t", part)))
      for text in ["aaab", "aabaaab", "ab", "", "aaa", "abaabaa"] {
        #expect(filter.matches([(name: "t", value: text)]) == text.contains(part), "\(part) in \(text)")
      }
    }
  }

  @Test func numbersAreExact() {
    let numbers = [
      "-12", "-1.5", "-0.25", "0", "0.1", "0.10000000000000000000001", "1", "2", "10",
      "123456789012345678901",
    ]
    for (i, a) in numbers.enumerated() {
      for (j, b) in numbers.enumerated() {
        #expect(DecimalText.order(a, b)?.signum() == (i - j).signum(), "\(a) \(b)")
      }
    }
    #expect(DecimalText.order("-0.0", "0") == 0 && DecimalText.order("0", "-1") == 1)
    #expect(DecimalText.order("-1", "0") == -1 && DecimalText.order("+1.50", "01.5") == 0)
  }
}
