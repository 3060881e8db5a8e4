import CLinux
import EventLoops
import Synchronization

/// Listens for connections on every loop of a group.
///
/// A TCP address is bound once a loop (SO_REUSEPORT), and the kernel spreads the connections; a Unix socket has one
/// owner, the group's first loop, which then also has its connections.
public final class Listener: Sendable {
  /// The addresses listened on, with their real ports.
  public let addresses: [SocketAddress]
  private let parts: Mutex<[LoopListener]>
  private let unixPath: String?

  private init(addresses: [SocketAddress], parts: [LoopListener], unixPath: String? = nil) {
    self.addresses = addresses
    self.parts = Mutex(parts)
    self.unixPath = unixPath
  }

  /// The TCP port, the same for all addresses and loops; nil for a Unix socket.
  public var port: UInt16? { addresses.first?.port }

  /// Listens on TCP. `host` nil means all interfaces, IPv4 and IPv6; a name means all its addresses; `port` 0 lets the
  /// system choose. `makeHandler` runs on the loop of each new connection.
  public static func bind(
    group: EventLoopGroup, host: String? = nil, port: UInt16, options: ListenerOptions = ListenerOptions(),
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Listener {
    let wanted = try await addresses(host: host, port: port, loop: group.loops[0])
    var attempts = 0
    while true {
      attempts += 1
      do throws(TransportError) {
        return try await bind(group, wanted, options, makeHandler)
      } catch {
        // The port that the system chose for the first address may be taken on another: choose again.
        guard port == 0, error.code == .addressInUse, attempts < 8 else { throw error }
      }
    }
  }

  /// Binds all of `wanted` to one port; leaves out a family this machine does not have, unless it is the only one.
  private static func bind(
    _ group: EventLoopGroup, _ wanted: [SocketAddress], _ options: ListenerOptions,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Listener {
    var bound: [SocketAddress] = []
    var parts: [LoopListener] = []
    var missing: TransportError?
    for address in wanted {
      do throws(TransportError) {
        let wished = bound.first?.port.map(address.with(port:)) ?? address
        let made = try await listen(group.loops, on: wished, options, makeHandler)
        parts += made.parts
        bound.append(made.address)
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

  /// Listens on a Unix socket. A socket file left by a program that has ended is replaced; any other file is not.
  public static func bind(
    group: EventLoopGroup, unixPath: String, options: ListenerOptions = ListenerOptions(),
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Listener {
    let address = SocketAddress.unix(unixPath)
    if isStaleSocket(address, path: unixPath) { _ = clinux_unlink(unixPath) }
    let made = try await listen([group.loops[0]], on: address, options, makeHandler)
    return Listener(addresses: [address], parts: made.parts, unixPath: unixPath)
  }

  /// Accepts no more; connections that exist are not touched. Any thread. Connects are refused once each loop has
  /// closed its part, which it does at its next turn.
  public func stopAccepting() {
    let parts = parts.withLock { parts in
      defer { parts = [] }
      return parts
    }
    if !parts.isEmpty, let unixPath { _ = clinux_unlink(unixPath) }
    for part in parts { part.loop.execute { part.close() } }
  }

  /// The same as `stopAccepting`: a listener does not own its connections.
  public func close() { stopAccepting() }

  // MARK: binding

  private static func addresses(
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

  private static func listen(
    _ loops: [EventLoop], on address: SocketAddress, _ options: ListenerOptions,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> (parts: [LoopListener], address: SocketAddress) {
    var parts: [LoopListener] = []
    var address = address
    for loop in loops {
      let place = address
      let shares = loops.count > 1
      let result = await withCheckedContinuation {
        (continuation: CheckedContinuation<Result<LoopListener, IOError>, Never>) in
        loop.execute {
          continuation.resume(
            returning: LoopListener.start(
              loop, place, options, sharesPort: shares, isFirst: loop === loops[0], makeHandler))
        }
      }
      switch result {
      case .success(let part):
        parts.append(part)
        address = part.address
      case .failure(let error):
        for part in parts { part.loop.execute { part.close() } }
        throw .listening(on: address.description, errno: error.errno)
      }
    }
    // Only now, so that no connection is lost in a listener that is closed again.
    for part in parts { part.loop.execute { part.resume() } }
    return (parts, address)
  }

  /// A socket file that nobody listens on.
  private static func isStaleSocket(_ address: SocketAddress, path: String) -> Bool {
    guard clinux_is_socket(path) != 0 else { return false }
    let fd = clinux_socket(AF_UNIX)
    guard fd >= 0 else { return false }
    defer { clinux_close(fd) }
    return address.withSockaddr { clinux_connect(fd, $0, $1) } == -ECONNREFUSED
  }
}

/// The part of a listener on one loop. Loop-confined.
package final class LoopListener: IOTarget, @unchecked Sendable {
  package let loop: EventLoop
  package private(set) var address: SocketAddress
  private var id = RegistrationID.none
  private let makeHandler: @Sendable (EventLoop) -> ConnectionHandler

  private init(
    _ loop: EventLoop, _ address: SocketAddress,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) {
    self.loop = loop
    self.address = address
    self.makeHandler = makeHandler
  }

  /// Binds; accepting starts with `resume`.
  package static func start(
    _ loop: EventLoop, _ address: SocketAddress, _ options: ListenerOptions = ListenerOptions(),
    sharesPort: Bool = false, isFirst: Bool = true,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) -> Result<LoopListener, IOError> {
    let part = LoopListener(loop, address, makeHandler)
    do throws(IOError) {
      // SO_REUSEPORT alone would let a second server of the same user share the port, and half of the connections, in
      // silence. A bind without it first finds that server.
      if sharesPort, isFirst, address.port != 0 {
        let probe = try loop.driver.listen(on: address, ListenSettings(backlog: 1), target: part)
        loop.driver.close(probe, reset: false)
      }
      let settings = ListenSettings(options, sharesPort: sharesPort)
      part.id = try loop.driver.listen(on: address, settings, target: part)
    } catch {
      return .failure(error)
    }
    if address.port != nil { part.address = loop.driver.localAddress(of: part.id) ?? address }
    return .success(part)
  }

  package func resume() { loop.driver.resumeAccepting(id) }

  package func close() { loop.driver.close(id, reset: false) }

  /// For the driver.
  public override func accepted(_ id: RegistrationID, from peer: SocketAddress) {
    Connection(loop: loop, id: id, peer: peer, handler: makeHandler(loop)).start()
  }
}
