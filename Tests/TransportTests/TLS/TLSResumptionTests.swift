import EventLoops
import TestCertificates
import Testing

@testable import Transport

private let trusting = TLSClientOptions(verification: .authorities(file: Authority.file))

/// A client's context, used again and again with one server.
private struct Rounds {
  let house: TLSHouse
  let client: TLSClientContext

  init(_ options: TLSClientOptions = trusting, issuesTickets: Bool = true) throws {
    var server = TLSServerOptions(certificates: [Authority.server.tls])
    server.issuesTickets = issuesTickets
    house = try TLSHouse(server)
    client = try TLSClientContext(options)
  }

  /// One connection, which stays open: the server's end, and whether it was resumed.
  func open(host: String = "server.example") throws -> (end: Connection?, isResumed: Bool) {
    try house.connect(client, host: host)
    return (house.serverConnection, try #require(house.connection?.tlsDescription).isResumed)
  }

  /// One connection after the other; whether it was resumed.
  func connect(host: String = "server.example") throws -> Bool {
    let (end, isResumed) = try open(host: host)
    // Something arrives, and with it the ticket.
    end?.write([1])
    house.network.runUntilIdle()
    house.connection?.close()
    house.network.runUntilIdle()
    return isResumed
  }
}

@Suite struct TLSResumptionTests {
  @Test(arguments: [TLSVersion.v12, .v13])
  func theNextConnectionIsResumed(version: TLSVersion) throws {
    var options = trusting
    options.maximumVersion = version
    let rounds = try Rounds(options)
    #expect(try [rounds.connect(), rounds.connect(), rounds.connect()] == [false, true, true])
    #expect(rounds.house.count("tls_handshakes") == 3 && rounds.house.count("tls_resumed") == 2)
    // By host and port.
    #expect(try !rounds.connect(host: "127.0.0.1"))
  }

  /// By TLS 1.3 with a ticket each, of which the latest few are kept.
  @Test(arguments: [(TLSVersion.v12, 0), (.v13, 1)])
  func connectionsThatComeBackTogetherAreResumed(version: TLSVersion, wholeHandshakes: Int) throws {
    var options = trusting
    options.maximumVersion = version
    let rounds = try Rounds(options)
    let count = TLSSessionCache.maximumCountForHost + 1
    let ends = try (0..<count).map { _ in try rounds.open().end }
    for end in ends { end?.write([1]) }
    rounds.house.network.runUntilIdle()
    let resumed = try (0..<count).map { _ in try rounds.open().isResumed }
    #expect(
      resumed == Array(repeating: true, count: count - wholeHandshakes)
        + Array(repeating: false, count: wholeHandshakes))
  }

  @Test func notWithoutTicketsOrWhenTheClientWillNot() throws {
    let server = try Rounds(issuesTickets: false)
    #expect(try [server.connect(), server.connect()] == [false, false])
    var options = trusting
    options.resumesSessions = false
    let client = try Rounds(options)
    #expect(try [client.connect(), client.connect()] == [false, false])
  }

  @Test func reloadEndsOldTickets() throws {
    let rounds = try Rounds()
    #expect(try [rounds.connect(), rounds.connect()] == [false, true])
    try rounds.house.context.reload()
    #expect(try [rounds.connect(), rounds.connect()] == [false, true])
  }

  @Test func theCacheIsBounded() throws {
    let rounds = try Rounds(TLSClientOptions(verification: .none))
    let count = TLSSessionCache.maximumCount
    for index in 0...count { _ = try rounds.connect(host: "h\(index).example") }
    // The first was forgotten, the second and the last were not; asking for the first forgets the oldest again.
    #expect(try rounds.connect(host: "h1.example"))
    #expect(try rounds.connect(host: "h\(count).example"))
    #expect(try !rounds.connect(host: "h0.example"))
  }
}
