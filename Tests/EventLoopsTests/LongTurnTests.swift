import CLinux
import Testing

@testable import EventLoops

/// What the kernel reports at a time is handed out over several turns where it takes long.
@Suite struct LongTurnTests {
  @Test(arguments: RealDriver.available)
  func writingAndJobsDoNotWaitForAllThatIsReadable(kind: RealDriver) throws {
    let streams = try Streams(kind)
    let pairs = try (0..<40).map { _ in try streams.pair() }
    var heard = 0
    var heardBeforeJob = 0
    nonisolated(unsafe) let job = { if heardBeforeJob == 0 { heardBeforeJob = heard } }
    for (near, far) in pairs {
      near.send([1])
      far.onReceive = {
        heard += 1
        if heard == 1 { streams.loop.execute { job() } }
        spin(milliseconds: 1)
      }
    }
    #expect(streams.turn { heard == pairs.count })
    // One in eight looks at the clock; the short rings hand out less by themselves.
    #expect((1...16).contains(heardBeforeJob), "\(heardBeforeJob) of 40")
    #expect(pairs.allSatisfy { $0.1.received == [1] })
    streams.close(pairs)
  }

  @Test func aLongTurnAcceptsFewConnections() throws {
    let streams = try Streams(.epoll)
    let address = try #require(streams.driver.localAddress(of: streams.listener))
    let connector = Streams.Connector()
    var ids: [RegistrationID] = []
    for _ in 0..<20 { ids.append(try streams.driver.connect(to: address, target: connector)) }
    let slow = SlowAcceptor()
    streams.driver.setTarget(slow, of: streams.listener)
    var largest = 0
    #expect(
      streams.turn {
        largest = max(largest, slow.acceptedInTurn)
        slow.acceptedInTurn = 0
        return slow.accepted.count == 20
      })
    #expect(largest == EpollDriver.leastAcceptBatch)
    for id in ids + slow.accepted + [streams.listener] { streams.driver.close(id, reset: false) }
    streams.polls(2)
  }
}

private final class SlowAcceptor: IOTarget {
  var accepted: [RegistrationID] = []
  var acceptedInTurn = 0

  override func accepted(_ id: RegistrationID, from peer: SocketAddress) {
    accepted.append(id)
    acceptedInTurn += 1
    spin(milliseconds: 1)
  }
}

/// Takes time, as work does.
private func spin(milliseconds: UInt64) {
  let end = clinux_monotonic_ms() + milliseconds
  while clinux_monotonic_ms() < end {}
}
