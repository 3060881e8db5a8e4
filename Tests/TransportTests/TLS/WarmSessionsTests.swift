import EventLoops
import Testing

@testable import Transport

@Suite struct WarmSessionsTests {
  private let loop = LoopTLS()
  private let context: TLSServerContext

  init() throws { context = try TLSServerContext(TLSServerOptions(certificates: [Authority.server.tls])) }

  private func makeSession() throws -> TLSSession {
    let snapshot = context.now.snapshot
    return try #require(TLSSession(.server, context: snapshot.first, owner: snapshot, shared: loop))
  }

  private func read(_ session: TLSSession, times: Int = Int(WarmSessions.readsPerRequest)) {
    for _ in 0..<times { loop.warmSessions.hasRead(session) }
  }

  @Test(arguments: [TLSVersion.v12, .v13])
  func aBusySessionIsSeatedAndGoesOnWithoutItsSeat(version: TLSVersion) throws {
    let house = try TLSHouse()
    try house.connect(TLSClientOptions.only(version))
    let session = try #require(house.serverConnection?.tls)
    var sent: [UInt8] = []
    for index in 1...20 {
      #expect((session.seat != nil) == (index > WarmSessions.readsPerRequest))
      sent += Array(repeating: UInt8(index), count: 1_000 * index)
      house.connection?.write(sent.suffix(1_000 * index))
      house.network.runUntilIdle()
    }
    #expect(house.server.bytes == sent)
    session.shared.warmSessions.leave(session)
    #expect(session.seat == nil)
    session.releaseBuffers()
    house.connection?.write([1])
    house.network.runUntilIdle()
    #expect(house.server.bytes == sent + [1])
    house.connection?.close()
    house.network.runUntilIdle()
    #expect(house.server.reason == .ended)
  }

  @Test func whoReadsLittleHasNoSeat() throws {
    let session = try makeSession()
    read(session, times: Int(WarmSessions.readsPerRequest) - 1)
    #expect(session.seat == nil)
    read(session, times: 1)
    #expect(session.seat == 0)
  }

  @Test func theSeatsAreBoundedAndGoToThoseWhoReadLast() throws {
    let sessions = try (0..<WarmSessions.seatCount).map { _ in try makeSession() }
    for session in sessions { read(session) }
    #expect(sessions.map(\.seat) == Array(0..<WarmSessions.seatCount))

    // Each of them has read since it was seated: who comes now is refused once at every seat.
    let newcomer = try makeSession()
    for _ in sessions { read(newcomer) }
    #expect(newcomer.seat == nil && sessions.allSatisfy { $0.seat != nil })

    read(sessions[0], times: 1)
    read(newcomer)
    #expect(newcomer.seat == nil && sessions[0].seat == 0)
    read(newcomer)
    #expect(newcomer.seat == 1)
    #expect(sessions[1].seat == nil)
  }

  @Test func anEndedSessionLeavesItsSeat() throws {
    var session: TLSSession? = try makeSession()
    read(try #require(session))
    #expect(session?.seat == 0)
    session = nil
    let others = try (0..<WarmSessions.seatCount).map { _ in try makeSession() }
    for other in others { read(other) }
    #expect(others.map(\.seat) == Array(1..<WarmSessions.seatCount) + [0])
  }
}
