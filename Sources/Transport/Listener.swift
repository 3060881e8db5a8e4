import CLinux
import EventLoops
import Synchronization

/// Listens for connections on every loop of a group.
///
/// A TCP address is bound once a loop (SO_REUSEPORT), and the kernel spreads the connections. A Unix socket, and a
/// socket that was passed to the program, is there once: one loop accepts and deals the connections out, to each loop
/// in turn.
public final class Listener: Sendable {
  /// What makes the handler of a new connection, on the connection's loop.
  public typealias MakeHandler = @Sendable (EventLoop) -> ConnectionHandler

  /// The addresses listened on, with their real ports.
  public let addresses: [SocketAddress]
  private let parts: Mutex<[LoopListener]>
  private let unixPath: String?

  init(addresses: [SocketAddress], parts: [LoopListener], unixPath: String? = nil) {
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
    makeHandler: @escaping MakeHandler
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

  /// Listens on a Unix socket. A socket file left by a program that has ended is replaced; any other file is not. The
  /// file goes when accepting stops.
  ///
  /// - Parameter mode: the file's permissions, e.g. `0o660`: who may connect must be able to write. Nil leaves them to
  ///   the process's umask.
  public static func bind(
    group: EventLoopGroup, unixPath: String, mode: UInt32? = nil,
    options: ListenerOptions = ListenerOptions(),
    makeHandler: @escaping MakeHandler
  ) async throws(TransportError) -> Listener {
    let address = SocketAddress.unix(unixPath)
    if isStaleSocket(address, path: unixPath) { _ = clinux_unlink(unixPath) }
    var settings = ListenSettings(options, sharesPort: false)
    settings.unixMode = mode
    let admission = ConnectionAdmission(options)
    let parts = group.loops.map { LoopListener($0, address, options, admission, makeHandler) }
    let listening = settings
    let result = await onLoop(parts[0]) { $0.bind(listening, isFirst: true) }
    if case .failure(let error) = result { throw .listening(on: address.description, errno: error.errno) }
    await share(owner: parts[0], among: parts)
    return Listener(addresses: [address], parts: parts, unixPath: unixPath)
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
}
