import Glibc
import EventLoops
import Synchronization
import TestCertificates
import Testing

@testable import Transport

/// The authority of the tests, and certificates that it has issued.
enum Authority {
  static let root = TestCertificate("Test Authority", isAuthority: true)
  static let server = TestCertificate(
    "server", ["DNS:server.example", "IP:127.0.0.1"], issuer: root)
  static let file = temporaryFile(root.certificate)
}

extension TestCertificate {
  var tls: TLSCertificate { TLSCertificate(chain: certificate, key: key) }
}

extension TLSClientOptions {
  /// Options of a client that speaks one version only, and trusts the authority.
  static func only(_ version: TLSVersion) -> TLSClientOptions {
    var options = TLSClientOptions(verification: .authorities(file: Authority.file))
    options.minimumVersion = version
    options.maximumVersion = version
    return options
  }
}

/// A server and a client with TLS on one simulated loop, which they share with everything that loops share.
final class TLSHouse {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let counters = TLSCounters()
  let context: TLSServerContext
  let client = ScriptedHandler()
  private(set) var server = ScriptedHandler()
  private(set) var serverConnection: Connection?
  private(set) var connection: Connection?
  private(set) var results: [Result<Void, TransportError>] = []
  let address: SocketAddress
  /// Sizes of reads and writes of the sockets that come.
  var readPiece = Int.max
  var writePiece = Int.max

  init(_ options: TLSServerOptions = TLSServerOptions(certificates: [Authority.server.tls])) throws {
    loop = network.makeLoop()
    context = try TLSServerContext(options)
    address = .loopback(port: 443)
    nonisolated(unsafe) weak var house: TLSHouse?
    let (context, counters) = (context, counters)
    let listener = try LoopListener.start(loop, address) { _ in
      let handler = house?.makeServer() ?? ScriptedHandler()
      return TLSAcceptor(server: context, counters: counters, next: handler)
    }.get()
    listener.resume()
    house = self
  }

  private func makeServer() -> ScriptedHandler {
    let handler = server.events.isEmpty ? server : ScriptedHandler()
    server = handler
    let outer = handler.onConnected
    handler.onConnected = { [unowned self] in
      serverConnection = $0
      outer?($0)
    }
    return handler
  }

  /// Connects; the handshake is over when it returns, unless something holds it up.
  func connect(
    _ options: TLSClientOptions = TLSClientOptions(verification: .authorities(file: Authority.file)),
    host: String = "server.example"
  ) throws {
    try connect(TLSClientContext(options), host: host)
  }

  func connect(_ context: TLSClientContext, host: String = "server.example") throws {
    start(context, host: host)
    network.runUntilIdle()
  }

  func start(_ context: TLSClientContext, host: String = "server.example") {
    Connector.connect(loop: loop, to: address, handler: client) { [unowned self] result in
      guard case .success(let made) = result else { return }
      connection = made
      made.startTLS(client: context, host: host, port: 443) { [unowned self] in
        results.append($0)
        client.events.append("secured")
      }
      for socket in [socket, socket?.other] {
        socket?.readPieceByteCount = readPiece
        socket?.writePieceByteCount = writePiece
      }
    }
  }

  /// The client's end.
  var socket: SimulatedSocket? {
    connection.flatMap { (loop.driver as? SimulatedDriver)?.socket(of: $0.id) }
  }

  var error: TransportError? {
    if case .failure(let error)? = results.first { error } else { nil }
  }

  func count(_ name: String) -> UInt64? { counters.values.first { $0.name == name }?.value }
}

/// A file that lasts as long as the test's process.
func temporaryFile(_ bytes: [UInt8]) -> String {
  var path = Array("/tmp/martlet-test-XXXXXX".utf8CString)
  let descriptor = mkstemp(&path)
  _ = write(descriptor, bytes, bytes.count)
  close(descriptor)
  let name = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  temporaryFiles.withLock { $0.append(name) }
  atexit { temporaryFiles.withLock { $0.forEach { unlink($0) } } }
  return name
}

private let temporaryFiles = Mutex<[String]>([])
