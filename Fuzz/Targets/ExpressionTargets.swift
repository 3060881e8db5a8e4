import EventLoops
import Synchronization
import WebSockets

@testable import Gateways
@testable import Realtime

let expressionTargets = [
  FuzzTarget("regular-expression", checkExpression),
  FuzzTarget("publication-lines") { try checkLines(Pieces($0)) },
]

/// An expression on the first line, a name on the second. Whatever is taken is small, and means the same in other words.
private func checkExpression(_ input: UnsafeRawBufferPointer) throws {
  let lines = Array(input).split(
    separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
  let text = String(decoding: lines[0], as: UTF8.self)
  let name = String(decoding: lines.dropFirst().joined().prefix(255), as: UTF8.self)
  guard let expression = try? RegularExpression(text) else { return }
  try hold(expression.instructionCount <= 1_024, "the program is small")
  try hold(
    (try? RegularExpression(text, maximumInstructions: expression.instructionCount)) != nil
      && (try? RegularExpression(text, maximumInstructions: expression.instructionCount - 1)) == nil,
    "the size is what it is")
  let isMatch = expression.matches(name)
  for (other, expected) in [
    ("(?:\(text))", isMatch), ("(?:\(text)){1}", isMatch), ("(?:\(text))|(?:\(text))", isMatch),
    ("(?:\(text))?", true), (".*(?:\(text))", isMatch), ("(?:\(text))(?:x*)", isMatch),
  ] {
    // A name with a line feed has places that “.*” does not reach.
    guard !(other.hasPrefix(".*") && name.unicodeScalars.contains("\n")),
      let same = try? RegularExpression(other, maximumInstructions: 4_096)
    else { continue }
    try equal(same.matches(name), expected, "\(other) in \(name)")
  }
  if let whole = try? RegularExpression("^(?:\(text))$"), whole.matches(name) {
    try hold(isMatch, "what fits the whole name fits in it")
  }
}

/// However a stream is cut, its answers are the same; and there is one for each line that is not empty.
private func checkLines(_ input: Pieces) throws {
  for isSummarized in [false, true] {
    let whole = answer([input.stream[...]], isSummarized)
    try equal(answer(input.cut, isSummarized), whole, "the answer to a stream in pieces")
    let lines = input.stream.split(separator: UInt8(ascii: "\n")).filter { $0 != [0x0D] }
    guard !isSummarized else { continue }
    try equal(whole.count { $0 == UInt8(ascii: "\n") }, lines.count, "answers to lines")
  }
}

private func answer(_ pieces: [ArraySlice<UInt8>], _ isSummarized: Bool) -> [UInt8] {
  let network = SimulatedNetwork()
  let loop = network.makeLoop()
  let hub = Hub(
    loops: [loop], namespaces: Namespaces(default: NamespaceOptions()), encodings: [], wallClock: { 0 },
    randomBits: { 35 })
  let api = HTTPAPI(
    hub: hub, keys: [], node: NodeIdentity(uid: "", name: "", version: ""), uptimeSeconds: { 0 })
  let result = Mutex<[UInt8]>([])
  loop.execute {
    let lines = PublicationLines(api, StreamAnswers(isSummarized: isSummarized)) { response in
      result.withLock { $0 = response.body?.array ?? [] }
    }
    for piece in pieces { piece.withUnsafeBytes { lines.take($0) } }
    lines.end()
  }
  network.runUntilIdle()
  return result.withLock { $0 }
}
