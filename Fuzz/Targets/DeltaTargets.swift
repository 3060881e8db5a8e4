import Bytes
import JSON
import Realtime
import TestDeltas

let deltaTargets = [FuzzTarget("fossil-delta", checkDelta), FuzzTarget("tags-filter", checkFilter)]

/// A difference is smaller than what it makes, makes just that, and is a text where the others are.
///
/// The source and the target are separated by the first zero byte.
private func checkDelta(_ input: UnsafeRawBufferPointer) throws {
  let parts = input.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
  guard parts.count == 2 else { return }
  let (source, target) = (
    UnsafeRawBufferPointer(rebasing: parts[0]), UnsafeRawBufferPointer(rebasing: parts[1])
  )
  guard let delta = FossilDelta.encode(from: source, to: target) else { return }
  try hold(delta.count < target.count, "a difference is smaller")
  try equal(FossilReader.apply(delta, to: Array(source)), Array(target), "what a difference makes")
  let isText = { (bytes: UnsafeRawBufferPointer) in String(validating: bytes, as: UTF8.self) != nil }
  guard isText(source), isText(target) else { return }
  try hold(delta.withUnsafeBytes(isText), "the difference of texts is a text")
}

/// Any filter is refused or answers, the same each time; what it denies, its opposite grants.
private func checkFilter(_ input: UnsafeRawBufferPointer) throws {
  guard let json = try? JSONValue(parsing: Array(input), maximumDepth: 40) else { return }
  let node = filterNode(json["filter"] ?? json)
  let tags = (json["tags"]?.objectValue ?? []).map { (name: $0.name, value: $0.value.stringValue ?? "") }
  guard let filter = TagsFilter(node) else { return }
  var opposite = TagsFilterNode()
  (opposite.op, opposite.nodes) = ("not", [node])
  let answer = filter.matches(tags)
  try equal(filter.matches(tags), answer, "the same again")
  if let opposite = TagsFilter(opposite) { try equal(opposite.matches(tags), !answer, "the opposite") }
}

private func filterNode(_ json: JSONValue) -> TagsFilterNode {
  var node = TagsFilterNode()
  let text = { (name: String) in json[name]?.stringValue ?? "" }
  (node.op, node.key, node.cmp, node.val) = (text("op"), text("key"), text("cmp"), text("val"))
  node.vals = (json["vals"]?.arrayValue ?? []).compactMap(\.stringValue)
  node.nodes = (json["nodes"]?.arrayValue ?? []).map(filterNode)
  return node
}
