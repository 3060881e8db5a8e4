import CLinux
import EventLoops
import Testing

@testable import Transport

private final class Outcome {
  var results: [Result<Connection, TransportError>] = []
  var code: TransportError.Code? {
    if case .failure(let error) = results.first { error.code } else { nil }
  }
}

@Suite struct ConnectorTests {
  let network = SimulatedNetwork()
  let address = SocketAddress.loopback(port: 7)

  private func connect(_ loop: EventLoop, timeout: UInt64 = 10_000) -> (Outcome, ConnectionAttempt) {
    let outcome = Outcome()
    let attempt = Connector.connect(
      loop: loop, to: address, timeoutMilliseconds: timeout, handler: ScriptedHandler()
    ) { outcome.results.append($0) }
    return (outcome, attempt)
  }

  @Test func aSilentAddressTimesOut() {
    let loop = network.makeLoop()
    network.connectScripts[address] = .silent
    let (outcome, _) = connect(loop, timeout: 300)
    network.advance(milliseconds: 299)
    #expect(outcome.results.isEmpty)
    network.advance(milliseconds: 1)
    #expect(outcome.results.count == 1 && outcome.code == .timedOut)
  }

  @Test func refusedUnreachableAndCancelled() {
    let loop = network.makeLoop()
    let (refused, _) = connect(loop)
    network.runUntilIdle()
    #expect(refused.code == .refused)
    network.connectScripts[address] = .fails(EHOSTUNREACH)
    let (unreachable, _) = connect(loop)
    network.runUntilIdle()
    #expect(unreachable.code == .unreachable)
    network.connectScripts[address] = .silent
    let (cancelled, attempt) = connect(loop)
    network.runUntilIdle()
    attempt.cancel()
    network.advance(milliseconds: 20_000)
    #expect(cancelled.results.count == 1 && cancelled.code == .cancelled)
  }

  @Test func theServerSeesWhereAConnectionComesFrom() throws {
    let loop = network.makeLoop()
    nonisolated(unsafe) let handler = ScriptedHandler()
    var peers: [SocketAddress] = []
    handler.onConnected = { peers.append($0.peerAddress.with(port: 0)) }
    let listener = try LoopListener.start(loop, address) { _ in handler }.get()
    listener.resume()
    let source = SocketAddress.ipv4(0x7F00_0002, port: 0)
    let client = network.makeLoop()
    Connector.connect(loop: client, to: address, from: source, handler: ScriptedHandler()) { _ in }
    network.runUntilIdle()
    #expect(peers == [source])
  }

  @Test(
    arguments: [
      ("", EADDRNOTAVAIL, .addressNotAvailable, "no address or port of this machine is free for it"),
      (
        "127.0.0.2", EADDRNOTAVAIL, .addressNotAvailable,
        "from 127.0.0.2: this machine does not have that address"
      ),
      ("::1", ECONNREFUSED, .invalidAddress, "from ::1: one is an IPv4 address and the other is not"),
    ] as [(String, Int32, TransportError.Code, String)])
  func whatIsWrongWithASourceIsSaid(
    host: String, errno: Int32, code: TransportError.Code, message: String
  ) throws {
    let source = SocketAddress(literal: host, port: 0)
    network.connectScripts[address] = .fails(errno)
    let outcome = Outcome()
    Connector.connect(loop: network.makeLoop(), to: address, from: source, handler: ScriptedHandler()) {
      outcome.results.append($0)
    }
    network.runUntilIdle()
    #expect(outcome.code == code)
    guard case .failure(let error) = outcome.results.first else { return }
    #expect(error.message.contains(message), "\(error)")
  }

  @Test func twoSimulatedLoopsTalk() throws {
    let (server, client) = (network.makeLoop(), network.makeLoop())
    let listener = try LoopListener.start(server, address) { _ in echo() }.get()
    listener.resume()
    let handler = ScriptedHandler()
    handler.onConnected = { $0.write([1, 2, 3]) }
    Connector.connect(loop: client, to: address, handler: handler) { _ in }
    network.runUntilIdle()
    #expect(handler.bytes == [1, 2, 3])
  }

  @Test func literalAddresses() {
    #expect(SocketAddress(literal: "127.0.0.1", port: 1) == .loopback(port: 1))
    #expect(SocketAddress(literal: "[::1]", port: 2) == .ipv6(0, 1, scope: 0, port: 2))
    #expect(SocketAddress(literal: "::1", port: 2) == .ipv6(0, 1, scope: 0, port: 2))
    #expect(SocketAddress(literal: "example.org", port: 2) == nil)
    #expect(SocketAddress(literal: "127.0.0.01.", port: 2) == nil)
  }
}
