import HTTPCore

@testable import WebSockets

let clientTargets = [
  FuzzTarget("proxy-http") { input in
    try checkDialogue(Pieces(input)) {
      HTTPTunnel(to: ProxyDestination(host: "example.org", port: 443), credentials: nil)
    }
  },
  FuzzTarget("proxy-socks") { input in
    try checkDialogue(Pieces(input)) {
      SOCKS5Dialogue(to: ProxyDestination(host: "example.org", port: 443), credentials: ("user", "password"))
    }
  },
  FuzzTarget("http-date", checkDate),
  FuzzTarget("url-reference", checkReference),
]

/// Whatever a proxy answers, in whatever pieces: the same steps, and what stands behind the last answer is left.
private func checkDialogue<Dialogue: ProxyDialogue & ~Copyable>(
  _ input: Pieces, _ make: () -> Dialogue
) throws {
  let whole = try run(make(), [input.stream[...]])
  let inPieces = try run(make(), input.cut)
  try equal(inPieces.steps, whole.steps, "steps")
  try equal(inPieces.complaint, whole.complaint, "complaint")
  try equal(inPieces.rest, whole.rest, "bytes behind")
  try hold(whole.rest.isEmpty || whole.isEstablished, "only what was established leaves bytes")
  try hold(input.stream.suffix(whole.rest.count).elementsEqual(whole.rest), "the rest is the end")
}

private struct Course {
  var steps: [ProxyStep] = []
  var complaint: String?
  var rest: [UInt8] = []
  var isEstablished: Bool { steps.last == .established }
}

private func run<Dialogue: ProxyDialogue & ~Copyable>(
  _ dialogue: consuming Dialogue, _ pieces: [ArraySlice<UInt8>]
) throws -> Course {
  var course = Course()
  for piece in [[][...]] + pieces {
    if course.isEstablished {
      course.rest += piece
      continue
    }
    guard course.complaint == nil else { break }
    try piece.withUnsafeBytes { bytes in
      var input = bytes
      do throws(ProxyRefusal) {
        while !course.isEstablished, let step = try dialogue.next(&input) {
          course.steps.append(step)
          guard course.steps.count <= 4 else { break }
        }
      } catch {
        course.complaint = error.complaint
        return
      }
      try hold(course.steps.count <= 4, "a proxy is told three things at most")
      try hold(course.isEstablished || input.isEmpty, "who wants more has taken all")
      course.rest += input
    }
  }
  return course
}

/// A date that is read is written as one that reads the same.
private func checkDate(_ input: UnsafeRawBufferPointer) throws {
  let now: Int64 = 1_767_225_600
  guard let seconds = HTTPDate.parse(String(decoding: input, as: UTF8.self), now: now) else { return }
  try hold((-62_167_219_200...253_402_300_800).contains(seconds), "years have four digits")
  // The writer does not fill years up with zeros.
  guard seconds >= -30_610_224_000, seconds < 253_402_300_800 else { return }
  try equal(
    HTTPDate.parse(HTTPDate.format(secondsSinceEpoch: seconds), now: now), seconds, "the same again")
}

/// What a redirect leads to is a URL that can be asked for, and resolving it again changes nothing.
private func checkReference(_ input: UnsafeRawBufferPointer) throws {
  let base = try WebURL("wss://user@example.org/a/b/c?d")
  let reference = String(decoding: input, as: UTF8.self)
  guard let url = try? base.resolving(reference) else { return }
  try hold(url.target.hasPrefix("/") && !url.target.contains("#"), "the target is a path")
  let path = url.target.prefix { $0 != "?" }
  let isPath = !reference.hasPrefix("//") && !reference.contains(":")
  try hold(!isPath || !path.split(separator: "/").contains(".."), "no way up is left")
  try equal(try base.resolving(url.description).description, url.description, "the same again")
}
