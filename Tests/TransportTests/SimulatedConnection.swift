import EventLoops
import Testing

@testable import Transport

/// A handler made of closures, which writes down what happens.
final class ScriptedHandler: ConnectionHandler {
  var events: [String] = []
  var bytes: [UInt8] = []
  var reason: ConnectionCloseReason?
  var onConnected: ((Connection) -> Void)?
  var onReceived: ((UnsafeMutableRawBufferPointer, Connection) -> Void)?
  var onEnd: ((Connection) -> Void)?
  var onDrained: ((Connection) -> Void)?
  var onClosed: ((Connection) -> Void)?

  override func connected(_ connection: Connection) {
    events.append("connected")
    onConnected?(connection)
  }
  override func received(_ bytes: UnsafeMutableRawBufferPointer, on connection: Connection) {
    if events.last != "received" { events.append("received") }
    self.bytes += bytes
    onReceived?(bytes, connection)
  }
  override func receivedEnd(on connection: Connection) {
    events.append("end")
    if let onEnd { onEnd(connection) } else { connection.close() }
  }
  override func drained(_ connection: Connection) {
    events.append("drained")
    onDrained?(connection)
  }
  override func closed(_ connection: Connection, _ reason: ConnectionCloseReason) {
    events.append("closed")
    self.reason = reason
    onClosed?(connection)
  }
}

/// A connection on a simulated loop, its handler, and both ends of its socket.
struct SimulatedConnection {
  let network = SimulatedNetwork()
  let loop: EventLoop
  let handler: ScriptedHandler
  let connection: Connection
  /// The test's end.
  let peer: SimulatedSocket
  /// The connection's end, for scripts.
  let socket: SimulatedSocket

  init(_ handler: ScriptedHandler = ScriptedHandler()) throws {
    loop = network.makeLoop()
    self.handler = handler
    let address = SocketAddress.loopback(port: 9)
    nonisolated(unsafe) let shared = handler
    let listener = try LoopListener.start(loop, address) { _ in shared }.get()
    listener.resume()
    peer = try #require(network.connect(to: address))
    var made: Connection?
    let outer = handler.onConnected
    handler.onConnected = {
      made = $0
      outer?($0)
    }
    network.runUntilIdle()
    handler.onConnected = nil
    connection = try #require(made)
    socket = try #require(peer.other)
  }
}

extension Connection {
  func write(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0) } }
}

/// A handler that sends back what it gets.
func echo() -> ScriptedHandler {
  let handler = ScriptedHandler()
  handler.onReceived = { $1.write(UnsafeRawBufferPointer($0)) }
  return handler
}
