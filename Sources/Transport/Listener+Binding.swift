import CLinux
import EventLoops

extension Listener {
  /// Binds all of `wanted` to one port; leaves out a family this machine does not have, unless it is the only one.
  static func bind(
    _ group: EventLoopGroup, _ wanted: [SocketAddress], _ options: ListenerOptions,
    _ makeHandler: @escaping MakeHandler
  ) async throws(TransportError) -> Listener {
    var bound: [SocketAddress] = []
    var parts: [LoopListener] = []
    var missing: TransportError?
    let admission = ConnectionAdmission(options)
    for address in wanted {
      do throws(TransportError) {
        let wished = bound.first?.port.map(address.with(port:)) ?? address
        let made = try await listen(
          group.loops.map { LoopListener($0, wished, options, admission, makeHandler) })
        parts += made
        bound.append(made.first?.address ?? wished)
      } catch {
        guard error.errno == EAFNOSUPPORT || error.errno == EADDRNOTAVAIL else {
          Listener(addresses: bound, parts: parts).close()
          throw error
        }
        missing = error
      }
    }
    if bound.isEmpty { throw missing ?? .listening(on: "no address", errno: EADDRNOTAVAIL) }
    return Listener(addresses: bound, parts: parts)
  }

  static func addresses(
    host: String?, port: UInt16, loop: EventLoop
  ) async throws(TransportError) -> [SocketAddress] {
    guard let host, !host.isEmpty, host != "*" else {
      return [.ipv4(0, port: port), .ipv6(0, 0, scope: 0, port: port)]
    }
    let answer = await withCheckedContinuation {
      (continuation: CheckedContinuation<Resolver.Answer, Never>) in
      Resolver.resolve(host, port: port, on: loop) { continuation.resume(returning: $0) }
    }
    return try answer.get()
  }

  /// Binds the same address on the loop of each part.
  private static func listen(_ parts: [LoopListener]) async throws(TransportError) -> [LoopListener] {
    let settings = ListenSettings(parts[0].options, sharesPort: parts.count > 1)
    var address = parts[0].address
    for (index, part) in parts.enumerated() {
      let place = address
      let result = await onLoop(part) { part in
        part.address = place
        return part.bind(settings, isFirst: index == 0)
      }
      if case .failure(let error) = result {
        for part in parts[..<index] { part.loop.execute { part.close() } }
        throw .listening(on: address.description, errno: error.errno)
      }
      address = part.address
    }
    // Only now, so that no connection is lost in a listener that is closed again.
    for part in parts { part.loop.execute { part.resume() } }
    return parts
  }

  /// Starts to accept on the owner's loop, for all parts in turn.
  static func share(owner: LoopListener, among parts: [LoopListener]) async {
    await onLoop(owner) { owner in
      if parts.count > 1 { owner.recipients = parts }
      owner.resume()
    }
  }

  /// Does something with a part on its loop.
  static func onLoop<T: Sendable>(
    _ part: LoopListener, _ body: @escaping @Sendable (LoopListener) -> T
  ) async -> T {
    await withCheckedContinuation { continuation in
      part.loop.execute { continuation.resume(returning: body(part)) }
    }
  }

  /// A socket file that nobody listens on.
  static func isStaleSocket(_ address: SocketAddress, path: String) -> Bool {
    guard clinux_is_socket(path) != 0 else { return false }
    let fd = clinux_socket(AF_UNIX)
    guard fd >= 0 else { return false }
    defer { clinux_close(fd) }
    return address.withSockaddr { clinux_connect(fd, $0, $1) } == -ECONNREFUSED
  }
}
