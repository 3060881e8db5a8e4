import CLinux
import EventLoops
import Testing

@testable import Transport

/// Several addresses of one host.
@Suite struct ConnectionAttemptTests {
  private final class Outcome {
    var results: [Result<Connection, TransportError>] = []
    var peers: [UInt16: SimulatedSocket] = [:]
    var handler = echo()
    var error: TransportError? {
      if case .failure(let error)? = results.first { error } else { nil }
    }
    var connectedPort: UInt16? {
      if case .success(let connection)? = results.first { connection.peerAddress.port } else { nil }
    }
  }

  private let network = SimulatedNetwork()
  private let loop: EventLoop
  private let outcome = Outcome()

  init() { loop = network.makeLoop() }

  private func address(_ port: UInt16) -> SocketAddress { .loopback(port: port) }

  private func connects(_ port: UInt16) {
    let outcome = outcome
    network.connectScripts[address(port)] = .succeeds { outcome.peers[port] = $0 }
  }

  @discardableResult
  private func start(_ ports: ClosedRange<UInt16>, timeout: UInt64 = 10_000) -> ConnectionAttempt {
    let outcome = outcome
    let attempt = ConnectionAttempt(
      loop: loop, place: "many", timeoutMilliseconds: timeout, handler: outcome.handler
    ) { outcome.results.append($0) }
    attempt.resolved(.success(ports.map(address)))
    return attempt
  }

  @Test func aSilentAddressCostsItsDelayOnly() {
    network.connectScripts[address(1)] = .silent
    connects(2)
    start(1...2)
    network.advance(milliseconds: 249)
    #expect(outcome.results.isEmpty)
    network.advance(milliseconds: 1)
    #expect(outcome.connectedPort == 2 && outcome.results.count == 1)
    outcome.peers[2]?.send([1, 2])
    network.runUntilIdle()
    #expect(outcome.peers[2]?.takeReceived() == [1, 2])
  }

  @Test func aRefusalCostsNothing() {
    network.connectScripts[address(1)] = .fails(ECONNREFUSED)
    network.connectScripts[address(2)] = .fails(ECONNREFUSED)
    connects(3)
    start(1...3)
    network.runUntilIdle()
    #expect(outcome.connectedPort == 3)
  }

  /// The first address answers while the second is being tried: it wins, and the second is closed.
  @Test func theFirstToConnectWins() {
    network.connectScripts[address(1)] = .silent
    network.connectScripts[address(2)] = .silent
    connects(3)
    start(1...4)
    network.advance(milliseconds: 499)
    #expect(outcome.results.isEmpty && (loop.driver as? SimulatedDriver)?.registrationCount == 2)
    network.advance(milliseconds: 1)
    #expect(outcome.connectedPort == 3)
    #expect((loop.driver as? SimulatedDriver)?.registrationCount == 1)
    network.advance(milliseconds: 20_000)
    #expect(outcome.results.count == 1)
  }

  @Test func bothAtOnce() {
    connects(1)
    connects(2)
    start(1...2)
    network.advance(milliseconds: 1_000)
    #expect(outcome.connectedPort == 1 && outcome.peers[2] == nil)
  }

  @Test func theDeadlineIsForAll() {
    for port in 1...3 as ClosedRange<UInt16> { network.connectScripts[address(port)] = .silent }
    start(1...3, timeout: 600)
    network.advance(milliseconds: 599)
    #expect(outcome.results.isEmpty)
    network.advance(milliseconds: 1)
    #expect(outcome.error?.code == .timedOut)
    #expect((loop.driver as? SimulatedDriver)?.registrationCount == 0)
    network.advance(milliseconds: 10_000)
    #expect(outcome.results.count == 1)
  }

  /// The message is of the address that says most, whichever was last.
  @Test(
    arguments: [
      ([ECONNREFUSED, ENETUNREACH], .refused), ([ENETUNREACH, ECONNREFUSED], .refused),
      ([EHOSTUNREACH, ENETUNREACH], .unreachable), ([ETIMEDOUT, ENETUNREACH], .timedOut),
    ] as [([Int32], TransportError.Code)])
  func whichErrorIsTold(_ errors: [Int32], _ code: TransportError.Code) {
    for (index, error) in errors.enumerated() {
      network.connectScripts[address(UInt16(index + 1))] = .fails(error)
    }
    start(1...UInt16(errors.count))
    network.runUntilIdle()
    #expect(outcome.error?.code == code && outcome.results.count == 1)
  }

  @Test func cancelledWithSeveralUnderWay() {
    network.connectScripts[address(1)] = .silent
    network.connectScripts[address(2)] = .silent
    let attempt = start(1...2)
    network.advance(milliseconds: 300)
    attempt.cancel()
    network.advance(milliseconds: 20_000)
    #expect(outcome.error?.code == .cancelled && outcome.results.count == 1)
    #expect((loop.driver as? SimulatedDriver)?.registrationCount == 0)
  }

  @Test func familiesTakeTurns() {
    let six = (1...3).map { SocketAddress.ipv6(0, $0, scope: 0, port: 1) }
    let four = (1...2).map { SocketAddress.ipv4($0, port: 1) }
    #expect(
      ConnectionAttempt.interleaved(six + four) == [six[0], four[0], six[1], four[1], six[2]])
    #expect(ConnectionAttempt.interleaved([four[0], six[0], six[1]]) == [four[0], six[0], six[1]])
    #expect(ConnectionAttempt.interleaved([]).isEmpty && ConnectionAttempt.interleaved(four) == four)
  }
}
