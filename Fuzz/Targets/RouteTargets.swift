import HTTPCore

@testable import WebSockets

let routeTargets = [
  FuzzTarget("routes", checkRoutes),
  FuzzTarget("cookies", checkCookies),
]

private let patterns = [
  "/", "/a", "/a/", "/a/b", "/a/{x}", "/a/{x}/c", "/{x}/b", "/{x}/{y}", "/a/b/{rest...}", "/a/{x}/{rest...}",
  "//b", "/c/{rest...}", "/c/{x}/d/{y}/e",
].map { PathPattern($0) }

private let tree = {
  var tree = RouteTree<Int>()
  for (index, pattern) in patterns.enumerated() { tree[pattern] = index }
  return tree
}()

/// The tree finds what a look at every pattern finds, and a path made of what was found leads to the same.
private func checkRoutes(_ input: UnsafeRawBufferPointer) throws {
  let path = "/" + String(decoding: input, as: UTF8.self)
  let match: RouteTree<Int>.Match?
  do { match = try tree.match(path) } catch {
    return try hold(path.contains("%"), "only percent-encoding can be broken")
  }
  let segments = PathPattern.segments(of: path).compactMap { PercentEncoding.decode($0) }
  let candidates = patterns.indices.filter { matches(patterns[$0], segments) }
  // A literal goes before a parameter, that before a tail, from left to right.
  let best = candidates.min { rank(patterns[$0]).lexicographicallyPrecedes(rank(patterns[$1])) }
  try equal(match?.endpoint, best, "the route of \(path)")
  guard let match else { return }
  let again = patterns[match.endpoint].parts.map { part in
    switch part {
    case .literal(let text): encoded(text)
    case .parameter(let name): encoded(match.parameters[name] ?? "")
    case .tail(let name):
      PathPattern.segments(of: "/" + (match.parameters[name] ?? "")).map { encoded(String($0)) }
        .joined(separator: "/")
    }
  }
  let found = try tree.match("/" + again.joined(separator: "/"))
  try equal(found?.parameters, match.parameters, "the parameters of a path made of them")
}

private func matches(_ pattern: PathPattern, _ segments: [String]) -> Bool {
  for (index, part) in pattern.parts.enumerated() {
    switch part {
    case .tail: return index < segments.count
    case .literal(let text): guard index < segments.count, segments[index] == text else { return false }
    case .parameter: guard index < segments.count, !segments[index].isEmpty else { return false }
    }
  }
  return pattern.parts.count == segments.count
}

private func rank(_ pattern: PathPattern) -> [Int] {
  pattern.parts.map { part in
    switch part {
    case .literal: 0
    case .parameter: 1
    case .tail: 2
    }
  }
}

private func encoded(_ segment: String) -> String {
  segment.utf8.map { byte in
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
  }.joined()
}

/// Every cookie comes back when it is written anew, and what a client may send is what a server reads.
private func checkCookies(_ input: UnsafeRawBufferPointer) throws {
  let text = String(decoding: input, as: UTF8.self)
  let cookies = HTTPRequest.cookies(in: ["Cookie": text])
  for (name, value) in cookies {
    try hold(!name.contains("=") && !name.contains(";") && !value.contains(";"), "no separator is left")
  }
  let written = cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
  try equal(HTTPRequest.cookies(in: ["Cookie": written]), cookies, "cookies written anew")
  let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
  guard let name = parts.first, let value = parts.dropFirst().first else { return }
  let options = WebSocketClientOptions(cookies: [("first", "1"), (name, value)])
  let request: ClientRequest
  do {
    request = try ClientRequest(
      to: "ws://127.0.0.1/", options: options, key: "dGhlIHNhbXBsZSBub25jZQ==")
  } catch { return }
  guard name != "first" else { return }
  try equal(
    HTTPRequest.cookies(in: request.head.fields), ["first": "1", name: value], "cookies that were sent")
}
