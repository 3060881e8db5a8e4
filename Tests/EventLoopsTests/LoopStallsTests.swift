import Glibc
import Testing

@testable import EventLoops

@Suite struct LoopStallsTests {
  @Test func turnsFromTheThresholdOnCount() {
    let stalls = LoopStalls()
    stalls.ended(after: 9)
    #expect(stalls.count == 0 && stalls.longestMilliseconds == 0)
    stalls.ended(after: 10)
    stalls.ended(after: 40)
    stalls.ended(after: 12)
    #expect(stalls.count == 3 && stalls.longestMilliseconds == 40)
  }

  @Test(arguments: RealDriver.kinds)
  func aLoopNoticesWorkThatHoldsItUp(kind: EventLoopDriver) async {
    let group = EventLoopGroup(loops: 1, driver: kind)
    defer { group.shutdown() }
    let loop = group.loops[0]
    await onLoop(loop) { _ = usleep(15_000) }
    // The turn of the work has ended when the next one begins.
    await onLoop(loop) {}
    #expect(loop.stalls.count >= 1 && loop.stalls.longestMilliseconds >= 14)
  }
}
