import EventLoops

@testable import Transport
@testable import WebSockets

let proxyTargets = [
  FuzzTarget("proxy-header", checkHeader),
  FuzzTarget("proxy-exceptions", checkExceptions),
  FuzzTarget("forwarded", checkForwarded),
]

/// A header is the same however much of it has arrived, and what is incomplete is bounded.
private func checkHeader(_ input: UnsafeRawBufferPointer) throws {
  let whole = Result { () throws(ProxyHeaderError) in try ProxyHeaderDecoder.decode(input) }
  let most = 16 + ProxyHeaderDecoder.maximumBinaryByteCount
  switch whole {
  case .success(.incomplete): try hold(input.count < most, "a header is bounded")
  case .success(.complete(let header, let count)):
    try hold(count <= input.count && count <= most, "a header lies in what has arrived")
    try equal(header.source == nil, header.destination == nil, "both addresses or none")
  default: break
  }
  for count in 0..<input.count where count < 300 || count % 64 == 0 {
    let beginning = UnsafeRawBufferPointer(rebasing: input[..<count])
    let part = Result { () throws(ProxyHeaderError) in try ProxyHeaderDecoder.decode(beginning) }
    if part != .success(.incomplete) { try equal(part, whole, "\(count) bytes of a header") }
  }
}

private func checkExceptions(_ input: UnsafeRawBufferPointer) throws {
  let text = String(decoding: input, as: UTF8.self)
  let exceptions = ProxyExceptions(text)
  for host in ["example.org", "a.example.org", "::1", "10.1.2.3", text] {
    _ = exceptions.contains(host: host, port: 80)
    _ = ProxyExceptions.isLoopback(host)
  }
  guard let range = AddressRange(text) else { return }
  try equal(AddressRange(range.description), range, "a range, written and read")
  guard
    let address = text.split(separator: "/").first.flatMap({ SocketAddress(literal: String($0), port: 0) })
  else { return }
  // An address of IPv4 within IPv6 is never compared as the latter, which a range wider than these is of.
  let isMapped = address.unmapped != address && range.description.contains(":")
  try hold(isMapped || range.contains(address), "a range has its own address")
}

/// What a proxy appends to a client's own field is its last element, or the whole cannot be read.
private func checkForwarded(_ input: UnsafeRawBufferPointer) throws {
  let client = String(decoding: input, as: UTF8.self)
  for (appended, address) in [
    ("for=192.0.2.7", "192.0.2.7"), ("for=\"[2001:db8::1]:80\"", "[2001:db8::1]:80"),
  ] {
    guard let last = ForwardedElement.elements(of: "\(client), \(appended)").last else {
      throw BrokenProperty(description: "there is an element")
    }
    try hold(last == nil || last == ["for": address], "\(last ?? [:]) is not what the proxy has appended")
  }
  _ = SocketAddress(forwardedNode: client)
}
