import CLinux
import EventLoops
import Synchronization

/// Listens for connections on every loop of a group.
///
/// A TCP address is bound once a loop (SO_REUSEPORT), and the kernel spreads the connections; a Unix socket has one
/// owner, the group's first loop, which then also has its connections.
public final class Listener: Sendable {
  /// The default length of the queue of connections that wait to be accepted.
  public static let defaultBacklog: Int32 = 4_096

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
    group: EventLoopGroup, host: String? = nil, port: UInt16, backlog: Int32 = defaultBacklog,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Listener {
    let wanted = try await addresses(host: host, port: port, loop: group.loops[0])
    var port = port
    var bound: [SocketAddress] = []
    var parts: [LoopListener] = []
    var failure: TransportError?
    for address in wanted {
      do throws(TransportError) {
        let made = try await listen(group.loops, on: address.with(port: port), backlog, makeHandler)
        parts += made.parts
        bound.append(made.address)
        port = made.address.port ?? port
      } catch {
        failure = error
        // No IPv6 on this machine is no reason to refuse IPv4; a port in use is.
        if error.errno != EAFNOSUPPORT, error.errno != EADDRNOTAVAIL || wanted.count == 1 { break }
        failure = bound.isEmpty ? error : nil
      }
    }
    let listener = Listener(addresses: bound, parts: parts)
    if bound.isEmpty || failure.map({ $0.errno != EAFNOSUPPORT && $0.errno != EADDRNOTAVAIL }) == true {
      listener.close()
      throw failure ?? .listening(on: host ?? "*", errno: EADDRNOTAVAIL)
    }
    return listener
  }

  /// Listens on a Unix socket. A socket file left by a program that has ended is replaced; any other file is not.
  public static func bind(
    group: EventLoopGroup, unixPath: String, backlog: Int32 = defaultBacklog,
    makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) async throws(TransportError) -> Listener {
    let address = SocketAddress.unix(unixPath)
    if isStaleSocket(address, path: unixPath) { _ = clinux_unlink(unixPath) }
    let made = try await listen([group.loops[0]], on: address, backlog, makeHandler)
    return Listener(addresses: [address], parts: made.parts, unixPath: unixPath)
  }

  /// Accepts no more; connections that exist are not touched. Any thread. A connect that comes later is refused.
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
    _ loops: [EventLoop], on address: SocketAddress, _ backlog: Int32,
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
            returning: LoopListener.start(loop, place, backlog, sharesPort: shares, makeHandler))
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
    _ loop: EventLoop, _ address: SocketAddress, _ backlog: Int32 = Listener.defaultBacklog,
    sharesPort: Bool = false,
    _ makeHandler: @escaping @Sendable (EventLoop) -> ConnectionHandler
  ) -> Result<LoopListener, IOError> {
    let part = LoopListener(loop, address, makeHandler)
    do throws(IOError) {
      part.id = try loop.driver.listen(on: address, backlog: backlog, sharesPort: sharesPort, target: part)
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
