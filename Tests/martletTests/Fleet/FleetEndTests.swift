import Testing

@testable import martlet

@Suite("How a fleet ends") struct FleetEndTests {
  @Test("In failure where no device ever connected")
  func never() {
    let refused = SimulatedFleet.Figures(lastProblem: "home-01: connection refused")
    #expect(
      DevicesCommand.problem(refused, at: "ws://h/")
        == .failure("no device could connect to ws://h/: home-01: connection refused"))
    #expect(DevicesCommand.problem(.init(), at: "ws://h/") == .failure("no device could connect to ws://h/"))
  }

  @Test("Well where one did, on any loop, even if it has gone since")
  func once() {
    let figures = SimulatedFleet.Figures() + .init(connected: 1, arrivals: 1) + .init(connected: -1)
    #expect(DevicesCommand.problem(figures, at: "ws://h/") == nil)
  }
}
