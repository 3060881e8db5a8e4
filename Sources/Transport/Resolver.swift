import CLinux
import EventLoops

/// Host names to addresses. A literal address is read at once; a name is looked up by the system (files, DNS) on a
/// thread of its own, because getaddrinfo blocks.
enum Resolver {
  typealias Answer = Result<[SocketAddress], TransportError>

  /// Looks `host` up and calls `done` on `loop`, later; for a literal address at once.
  static func resolve(
    _ host: String, port: UInt16, on loop: EventLoop, _ done: @escaping @Sendable (Answer) -> Void
  ) {
    if let address = SocketAddress(literal: host, port: port) { return done(.success([address])) }
    startThread(Lookup(host: host, port: port, loop: loop, done: done))
  }

  fileprivate static func lookUp(_ host: String, port: UInt16) -> Answer {
    var found: UnsafeMutablePointer<addrinfo>?
    let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    let status = clinux_resolve(bare, String(port), 0, &found)
    defer { if found != nil { freeaddrinfo(found) } }
    guard status == 0 else {
      let why = gai_strerror(status).map { String(cString: $0) } ?? "error \(status)"
      return .failure(
        TransportError(
          .nameNotResolved, "Cannot find the address of \(host): \(why). Check the name and DNS."))
    }
    var addresses: [SocketAddress] = []
    var next = found
    while let entry = next?.pointee {
      let bytes = UnsafeRawBufferPointer(start: entry.ai_addr, count: Int(entry.ai_addrlen))
      if let address = SocketAddress(bytes), !addresses.contains(address) { addresses.append(address) }
      next = entry.ai_next
    }
    guard addresses.isEmpty else { return .success(addresses) }
    return .failure(TransportError(.nameNotResolved, "Cannot find the address of \(host): it has none."))
  }
}

private final class Lookup: Sendable {
  let host: String
  let port: UInt16
  let loop: EventLoop
  let done: @Sendable (Resolver.Answer) -> Void

  init(host: String, port: UInt16, loop: EventLoop, done: @escaping @Sendable (Resolver.Answer) -> Void) {
    self.host = host
    self.port = port
    self.loop = loop
    self.done = done
  }

  func run() {
    let answer = Resolver.lookUp(host, port: port)
    loop.execute { [done] in done(answer) }
  }
}

/// Not a closure of some isolated function: the C entry must not inherit an isolation.
private nonisolated func startThread(_ lookup: Lookup) {
  var thread = pthread_t()
  let argument = Unmanaged.passRetained(lookup)
  if pthread_create(&thread, nil, runLookup, argument.toOpaque()) == 0 {
    pthread_detach(thread)
    return
  }
  argument.release()
  lookup.loop.execute {
    lookup.done(
      .failure(TransportError(.outOfResources, "The system gave no thread to look up a host name.")))
  }
}

private nonisolated func runLookup(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  if let argument { Unmanaged<Lookup>.fromOpaque(argument).takeRetainedValue().run() }
  return nil
}

extension SocketAddress {
  /// Reads `127.0.0.1`, `::1` or `[::1]`; nil for names.
  public init?(literal host: String, port: UInt16) {
    var four = in_addr()
    if inet_pton(AF_INET, host, &four) == 1 {
      self = .ipv4(UInt32(bigEndian: four.s_addr), port: port)
      return
    }
    let inner = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    var six = in6_addr()
    guard inet_pton(AF_INET6, inner, &six) == 1 else { return nil }
    self = withUnsafeBytes(of: &six) {
      let high = UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self))
      let low = UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      return .ipv6(high, low, scope: 0, port: port)
    }
  }
}
