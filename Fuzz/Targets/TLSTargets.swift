import TestCertificates

@testable import EventLoops
@testable import Transport

let tlsTargets = [
  FuzzTarget("tls-records") { try checkRecords(Pieces($0)) },
  FuzzTarget("tls-stream") { try checkStream(Pieces($0)) },
]

/// Made anew for each run of the program: no private key is kept in the repository.
private let context = {
  let own = TestCertificate("server", ["DNS:server.example"])
  let options = TLSServerOptions(certificates: [TLSCertificate(chain: own.certificate, key: own.key)])
  guard let context = try? TLSServerContext(options) else { fatalError("a certificate that was just made") }
  return context
}()

private let trusting = {
  guard let context = try? TLSClientContext(TLSClientOptions(verification: .none)) else {
    fatalError("the default options")
  }
  return context
}()

/// Bytes that are no TLS, before the handshake or behind it: nothing of them reaches the handler, and the connection
/// is gone when its peer is.
private func checkRecords(_ input: Pieces) throws {
  guard let choice = input.stream.first else { return }
  let house = try SecuredPair()
  if choice & 1 == 1 { try house.makeClient() } else { try house.makeRawPeer() }
  for piece in input.cutting(Array(input.stream.dropFirst())) {
    house.socket?.send(piece)
    house.network.runUntilIdle()
  }
  try hold(house.server.bytes.isEmpty, "what was not encrypted is not delivered")
  house.socket?.end()
  house.network.advance(milliseconds: 200_000)
  try equal(house.server.connected, house.server.closed, "whoever heard of a connection hears of its end")
  try equal(house.loop.timers.count, 0, "timers that are left")
}

/// What one side writes, in whatever pieces, the other gets, both ways, however the network cuts the records.
private func checkStream(_ input: Pieces) throws {
  guard input.stream.count >= 2 else { return }
  let house = try SecuredPair()
  try house.makeClient()
  guard let socket = house.socket, let client = house.connection, let server = house.serverConnection else {
    throw BrokenProperty(description: "a handshake of our own")
  }
  for (end, size) in zip([socket, socket.other], input.stream) {
    end?.readPieceByteCount = 8 + Int(size) * 16
    end?.writePieceByteCount = 16 + Int(size) * 64
  }
  for connection in [client, server] { connection.maximumQueuedBytes = .max }
  var sent: [[UInt8]] = [[], []]
  for (index, piece) in input.cutting(Array(input.stream.dropFirst(2).prefix(200))).enumerated() {
    // Long runs of each byte make records of every size.
    let bytes = piece.flatMap { [UInt8](repeating: $0, count: 1 + Int($0) * Int($0 & 7)) }
    let from = index & 1 == 0 ? client : server
    sent[index & 1] += bytes
    house.loop.execute { bytes.withUnsafeBytes { from.write($0) } }
    if piece.count & 1 == 1 { house.network.runUntilIdle() }
  }
  house.network.runUntilIdle()
  try hold(house.server.bytes == sent[0], "what the client wrote")
  try hold(house.client.bytes == sent[1], "what the server wrote")
  house.loop.execute { client.close() }
  house.network.advance(milliseconds: 200_000)
  try equal(house.server.closed, 1, "the server's handler hears of the end")
  try equal(house.client.closed, 1, "the client's handler hears of the end")
  try equal(house.loop.timers.count, 0, "timers that are left")
}

/// A server with TLS on a simulated loop, and a client of it.
private final class SecuredPair {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let server = Recorder()
  let client = Recorder()
  private(set) var connection: Connection?
  private(set) var socket: SimulatedSocket?
  private let listener: LoopListener

  var serverConnection: Connection? { server.connection }

  init() throws {
    loop = network.makeLoop()
    let server = server
    listener = try LoopListener.start(loop, .loopback(port: 443)) { _ in
      TLSAcceptor(server: context, counters: TLSCounters(), next: server)
    }.get()
    listener.resume()
  }

  deinit {
    listener.close()
    network.runUntilIdle()
  }

  /// A peer that speaks no TLS by itself.
  func makeRawPeer() throws {
    socket = network.connect(to: listener.address)
    network.runUntilIdle()
  }

  /// A client whose handshake is done.
  func makeClient() throws {
    var isSecured = false
    Connector.connect(loop: loop, to: listener.address, handler: client) { [unowned self] result in
      guard case .success(let made) = result else { return }
      connection = made
      made.startTLS(client: trusting, host: "server.example", port: 443) { result in
        if case .success = result { isSecured = true }
      }
    }
    network.runUntilIdle()
    try hold(isSecured, "a handshake of our own succeeds")
    socket = connection.flatMap { (loop.driver as? SimulatedDriver)?.socket(of: $0.id) }
  }
}

private final class Recorder: ConnectionHandler, @unchecked Sendable {
  var connection: Connection?
  var bytes: [UInt8] = []
  var connected = 0
  var closed = 0

  override func connected(_ connection: Connection) {
    self.connection = connection
    connected += 1
  }

  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    self.bytes += bytes
  }

  override func receivedEnd(on connection: Connection) { connection.close() }

  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    self.connection = nil
    closed += 1
  }
}
