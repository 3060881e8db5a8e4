import Bytes
import EventLoops
import TestCertificates
import Testing

@testable import Transport

/// A server by TLS, behind a proxy that is spoken to by TLS; all on one simulated loop, which they share with everything
/// that loops share.
private final class NestedHouse {
  let inner: TLSHouse
  let proxyAddress = SocketAddress.loopback(port: 3_128)
  let client = ScriptedHandler()
  private(set) var connection: Connection?
  private(set) var results: [Result<Void, TransportError>] = []
  private(set) var relays: [Relay] = []
  private let proxyContext: TLSServerContext

  init() throws {
    inner = try TLSHouse()
    proxyContext = try TLSServerContext(TLSServerOptions(certificates: [Authority.server.tls]))
    nonisolated(unsafe) weak var house: NestedHouse?
    let (context, address) = (proxyContext, inner.address)
    let listener = try LoopListener.start(inner.loop, proxyAddress) { _ in
      let relay = Relay(to: address)
      house?.relays.append(relay)
      return TLSAcceptor(server: context, counters: TLSCounters(), next: relay)
    }.get()
    listener.resume()
    house = self
  }

  var options = TLSClientOptions(verification: .authorities(file: Authority.file))

  /// TLS to the proxy; when it has said something, TLS to the server through it.
  func connect(
    host: String = "server.example", proxyHost: String = "server.example", piece: Int = .max
  ) throws {
    let context = try TLSClientContext(options)
    client.onReceived = { [unowned self] bytes, connection in
      guard results.isEmpty else { return }
      connection.startTLS(client: context, host: host, port: 443) { [unowned self] in results.append($0) }
      client.bytes = []
    }
    Connector.connect(loop: inner.loop, to: proxyAddress, handler: client) { [unowned self] result in
      guard case .success(let made) = result else { return }
      connection = made
      made.startTLS(client: context, host: proxyHost, port: 3_128) { [unowned self] in
        if case .failure = $0 { results.append($0) }
      }
      let socket = (inner.loop.driver as? SimulatedDriver)?.socket(of: made.id)
      for socket in [socket, socket?.other] {
        socket?.readPieceByteCount = piece
        socket?.writePieceByteCount = piece
      }
    }
    inner.network.runUntilIdle()
  }

  var error: TransportError? {
    if case .failure(let error)? = results.first { error } else { nil }
  }
}

/// Greets, then passes bytes on, both ways.
private final class Relay: ConnectionHandler {
  private let address: SocketAddress
  private var near: Connection?
  private(set) var far: Connection?
  private var waiting: [UInt8] = []
  private let back = ScriptedHandler()
  init(to address: SocketAddress) { self.address = address }

  override func connected(_ connection: Connection) {
    near = connection
    connection.maximumQueuedBytes = .max
    connection.write(Array("ok".utf8))
    back.onReceived = { [unowned self] bytes, _ in near?.write(UnsafeRawBufferPointer(bytes)) }
    back.onEnd = { [unowned self] _ in near?.finish() }
    back.onClosed = { [unowned self] _ in near?.close() }
    Connector.connect(loop: connection.loop, to: address, handler: back) { [self] result in
      guard case .success(let made) = result else { return }
      made.maximumQueuedBytes = .max
      far = made
      made.write(waiting)
    }
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    if let far { far.write(UnsafeRawBufferPointer(bytes)) } else { waiting += bytes }
  }

  override func receivedEnd(on connection: Connection) { far?.finish() }
}

private let message = (0..<40).map { UInt8($0 + 1) }

@Suite struct TLSWithinTLSTests {
  private static let versions: [TLSVersion] = [.v12, .v13]

  @Test(arguments: versions, [1, 3, 100, Int.max])
  func echo(version: TLSVersion, piece: Int) throws {
    let house = try NestedHouse()
    house.options = .only(version)
    house.inner.server.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
    try house.connect(piece: piece)
    #expect(house.results.count == 1 && house.error == nil)
    for _ in 0..<3 { house.connection?.write(message) }
    house.inner.network.runUntilIdle()
    #expect(house.client.bytes == message + message + message)
    #expect(house.connection?.tlsDescription?.version == (version == .v12 ? "TLSv1.2" : "TLSv1.3"))
    house.connection?.close()
    house.inner.network.runUntilIdle()
    #expect(house.inner.server.reason == nil || house.inner.server.reason == .ended)
    #expect(house.inner.serverConnection?.isTruncated == false)
  }

  /// What passes on the wire is neither plaintext nor the inner session's records.
  @Test func bothLayersAreThere() throws {
    let house = try NestedHouse()
    try house.connect()
    let secret = Array("a secret that nobody else reads".utf8)
    let socket = (house.inner.loop.driver as? SimulatedDriver)?.socket(of: try #require(house.connection).id)
    let far = try #require(socket?.other)
    let before = far.writes.count
    house.connection?.write(secret)
    house.inner.network.runUntilIdle()
    #expect(house.inner.server.bytes == secret && far.writes.count == before)
    // A record within a record: header, type and tag twice (RFC 8446 §5.2).
    #expect(socket?.writes.last == secret.count + 2 * 22)
  }

  @Test(arguments: [16_384, 98_305, 300_000])
  func largeMessages(_ size: Int) throws {
    let house = try NestedHouse()
    house.inner.server.onConnected = { $0.maximumQueuedBytes = .max }
    house.inner.server.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
    try house.connect(piece: 5_000)
    house.connection?.maximumQueuedBytes = .max
    let large = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    house.connection?.write(large)
    house.inner.network.runUntilIdle()
    #expect(house.client.bytes == large)
  }

  @Test func pausedReadingLosesNothing() throws {
    let house = try NestedHouse()
    house.inner.server.onConnected = { $0.maximumQueuedBytes = .max }
    try house.connect(piece: 3_000)
    house.connection?.pauseReading()
    let large = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    house.inner.serverConnection?.write(large)
    house.inner.network.runUntilIdle()
    #expect(house.client.bytes.isEmpty)
    house.connection?.resumeReading()
    house.inner.network.runUntilIdle()
    #expect(house.client.bytes == large)
    house.inner.serverConnection?.close()
    house.inner.network.runUntilIdle()
    #expect(house.client.events.contains("end") && house.connection?.isTruncated == false)
  }

  /// The proxy loses the server: its own end is in order, the server's is not.
  @Test func aCutBehindTheProxyIsSeen() throws {
    let house = try NestedHouse()
    try house.connect()
    house.relays.first?.far?.abort()
    var truncated: Bool?
    house.client.onEnd = {
      truncated = $0.isTruncated
      $0.close()
    }
    house.inner.network.runUntilIdle()
    #expect(truncated == true)
  }

  @Test func eachLayerIsVerified() throws {
    let wrongProxy = try NestedHouse()
    try wrongProxy.connect(proxyHost: "other.example")
    #expect(wrongProxy.error?.code == .certificateRejected && wrongProxy.inner.results.isEmpty)
    let wrongServer = try NestedHouse()
    try wrongServer.connect(host: "other.example")
    #expect(wrongServer.error?.code == .certificateRejected)
    #expect(wrongServer.error?.message.contains("other.example") == true)
  }
}
