import EventLoops
import Realtime
import Testing

/// A client that stops reading, down to its socket.
@Suite struct SlowClientTests {
  @Test func whereOnlyTheLastCountsItIsShownTheLast() {
    let world = FaultWorld(loops: 1, seed: 1)
    let client = FaultClient(world)
    let settle = {
      world.network.runUntilIdle()
      client.read()
      world.network.runUntilIdle()
    }
    client.connect()
    settle()
    client.subscribe(to: "slow:a")
    settle()
    client.stall(after: 0)
    for number in 1...500 {
      world.publish("t\(number)", to: "slow:a")
      world.network.runUntilIdle()
    }
    client.readOn()
    for _ in 0..<3 { settle() }
    let shown = world.trail.compactMap { event in
      if case .shown(let shown) = event.kind { shown.text } else { nil }
    }
    #expect(client.isConnected && shown.last == "t500" && shown.count < 20)
    let counters = world.counters
    #expect((counters?.conflated ?? 0) + UInt64(shown.count) == 500)
    // It reads again, so nothing is left out.
    for number in 501...510 {
      world.publish("t\(number)", to: "slow:a")
      settle()
    }
    #expect(world.counters?.conflated == counters?.conflated)
    client.lose()
    world.network.runUntilIdle()
  }
}
