import CLinux
import Testing

@testable import EventLoops

private final class Recorder: IOTarget {
  var accepted: [RegistrationID] = []
  var peers: [SocketAddress] = []
  var errors: [Int32] = []
  var bytes: [UInt8] = []
  var connects: [Int32] = []
  var ends = 0
  var onAccept: ((RegistrationID) -> Void)?

  override func accepted(_ id: RegistrationID, from peer: SocketAddress) {
    accepted.append(id)
    peers.append(peer)
    onAccept?(id)
  }
  override func acceptFailed(_ error: Int32) { errors.append(error) }
  override func connectCompleted(_ error: Int32) { connects.append(error) }
  override func received(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes += bytes }
  override func receivedEnd() { ends += 1 }
  override func failed(_ error: Int32) { errors.append(error) }
}

@Suite struct DriverTests {
  @Test(arguments: RealDriver.available)
  func aStaleRegistrationIsIgnored(kind: RealDriver) throws {
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let target = Recorder()
    let first = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: target)
    driver.close(first, reset: false)
    let second = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: target)
    #expect(first.index == second.index && first != second)
    #expect(!driver.isRegistered(first))
    driver.close(first, reset: true)
    #expect(driver.isRegistered(second))
    #expect(driver.localAddress(of: first) == nil)
    let data: [UInt8] = [1]
    #expect(data.withUnsafeBytes { driver.write($0, to: first) } == .failed(EBADF))
    driver.close(second, reset: false)
    loop.turn(mayWait: false)
  }

  @Test(arguments: RealDriver.available)
  func anEventOfARegistrationClosedInTheSameTurnIsDropped(kind: RealDriver) throws {
    // Two connections become ready in one wait; the first one's handler closes the second.
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let server = Recorder()
    let listener = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: server)
    driver.resumeAccepting(listener)
    let address = try #require(driver.localAddress(of: listener))
    let client = Recorder()
    let ends = try (0..<2).map { _ in try driver.connect(to: address, target: client) }
    while server.accepted.count < 2 || client.connects.count < 2 { loop.turn() }
    let targets = [Closing(driver), Closing(driver)]
    for (index, id) in server.accepted.enumerated() {
      targets[index].victim = server.accepted[1 - index]
      driver.setTarget(targets[index], of: id)
      driver.resumeReceiving(id)
    }
    let data: [UInt8] = [7]
    for id in ends { #expect(data.withUnsafeBytes { driver.write($0, to: id) } == .wrote(1)) }
    loop.turn()
    loop.turn(mayWait: false)
    #expect(targets.map(\.count).reduce(0, +) == 1)
    for id in ends + server.accepted + [listener] { driver.close(id, reset: false) }
  }

  @Test(arguments: RealDriver.available)
  func aConnectionComesFromWhereItIsTold(kind: RealDriver) throws {
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let (server, client) = (Recorder(), Recorder())
    let listener = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: server)
    driver.resumeAccepting(listener)
    let address = try #require(driver.localAddress(of: listener))
    let source = SocketAddress.ipv4(0x7F00_0002, port: 0)
    let ends = try (0..<2).map { _ in try driver.connect(to: address, from: source, target: client) }
    while server.accepted.count < 2 || client.connects.count < 2 { loop.turn() }
    #expect(server.peers.map { $0.with(port: 0) } == [source, source])
    #expect(Set(server.peers) == Set(ends.compactMap { driver.localAddress(of: $0) }))
    // Who has a port takes that one; no other connection to the server can have it as well.
    let taken = try #require(driver.localAddress(of: ends[0]))
    #expect(throws: IOError(errno: EADDRINUSE)) {
      try driver.connect(to: address, from: taken, target: client)
    }
    let foreign = SocketAddress.ipv4(0xC000_0201, port: 0)
    #expect(throws: IOError(errno: EADDRNOTAVAIL)) {
      try driver.connect(to: address, from: foreign, target: client)
    }
    let other = SocketAddress.ipv6(0, 1, scope: 0, port: 0)
    #expect(throws: IOError(errno: EAFNOSUPPORT)) {
      try driver.connect(to: address, from: other, target: client)
    }
    for id in ends + server.accepted + [listener] { driver.close(id, reset: false) }
    loop.turn(mayWait: false)
  }

  @Test(arguments: RealDriver.available)
  func aHangUpWhileReadingIsPausedDoesNotSpin(kind: RealDriver) throws {
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let (server, client) = (Recorder(), Recorder())
    let listener = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: server)
    driver.resumeAccepting(listener)
    let end = try driver.connect(to: try #require(driver.localAddress(of: listener)), target: client)
    while server.accepted.isEmpty || client.connects.isEmpty { loop.turn() }
    let id = server.accepted[0]
    driver.setTarget(server, of: id)
    driver.resumeReceiving(id)
    driver.pauseReceiving(id)
    let data: [UInt8] = [1, 2, 3]
    #expect(data.withUnsafeBytes { driver.write($0, to: end) } == .wrote(3))
    driver.shutdownWrite(end)
    driver.shutdownWrite(id)
    // epoll reports the hang-up; were it to report it again and again, there would be thousands of turns until the timer.
    for _ in 0..<4 { loop.turn(mayWait: false) }
    var isOver = false
    loop.schedule(after: 20) { isOver = true }
    var turns = 0
    while !isOver {
      loop.turn()
      turns += 1
    }
    #expect(turns < 50 && server.bytes == [] && server.ends == 0)
    driver.resumeReceiving(id)
    while server.ends == 0 { loop.turn() }
    #expect(server.bytes == data && server.errors == [])
    for id in [id, end, listener] { driver.close(id, reset: false) }
  }

  @Test func runningOutOfDescriptorsPausesAcceptingAndTriesAgain() throws {
    let network = SimulatedNetwork()
    let loop = network.makeLoop()
    let target = Recorder()
    let address = SocketAddress.loopback(port: 80)
    let id = try loop.driver.listen(on: address, ListenSettings(backlog: 4), target: target)
    loop.driver.resumeAccepting(id)
    network.acceptErrors = [EMFILE, ENFILE, EMFILE]
    let peers = [network.connect(to: address), network.connect(to: address)]
    network.runUntilIdle()
    #expect(target.errors == [EMFILE] && loop.driver.acceptsRefusedCount == 1)
    network.advance(milliseconds: 99)
    #expect(target.errors.count == 1)
    network.advance(milliseconds: 1)
    #expect(target.errors == [EMFILE, ENFILE] && target.accepted.isEmpty)
    // Closing anything on the loop gives a descriptor back: no need to wait for the timer.
    let other = try loop.driver.listen(on: .loopback(port: 81), ListenSettings(backlog: 4), target: target)
    loop.driver.close(other, reset: false)
    network.runUntilIdle()
    #expect(target.errors.count == 3 && target.accepted.isEmpty)
    network.advance(milliseconds: 100)
    #expect(target.accepted.count == peers.count)
    #expect(loop.driver.acceptsRefusedCount == 3)
  }

  @Test(arguments: RealDriver.available)
  func realDescriptorsRunOutAndComeBack(kind: RealDriver) throws {
    // The limit is not lowered, for other tests run in this process: only the pause itself is shown.
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let target = Recorder()
    let listener = try driver.listen(on: .loopback(port: 0), ListenSettings(backlog: 4), target: target)
    driver.resumeAccepting(listener)
    driver.starve(listener)
    let address = try #require(driver.localAddress(of: listener))
    let client = try driver.connect(to: address, target: Recorder())
    loop.turn(mayWait: false)
    loop.turn(mayWait: false)
    #expect(target.accepted.isEmpty)
    while target.accepted.isEmpty { loop.turn() }
    #expect(driver.acceptsRefusedCount == 1)
    for id in target.accepted + [client, listener] { driver.close(id, reset: false) }
  }

  @Test(arguments: [
    (SocketAddress.ipv4(0x0102_0304, port: 80), "1.2.3.4:80"),
    (.ipv6(0, 1, scope: 0, port: 443), "[::1]:443"),
    (.unix("/tmp/a"), "unix:/tmp/a"),
  ])
  func addressesSurviveTheKernelsForm(address: SocketAddress, text: String) {
    #expect(address.description == text)
    let again = address.withSockaddr { SocketAddress(UnsafeRawBufferPointer(start: $0, count: Int($1))) }
    #expect(again == address)
  }

  @Test func aUnixPathTooLongIsRefused() {
    let long = SocketAddress.unix(String(repeating: "a", count: 108))
    #expect(long.withSockaddr { _, _ in true } == nil)
    #expect(SocketAddress.unix("a\0b").withSockaddr { _, _ in true } == nil)
  }
}

private final class Closing: IOTarget {
  let driver: Driver
  var victim = RegistrationID.none
  var count = 0

  init(_ driver: Driver) { self.driver = driver }

  override func received(_ bytes: UnsafeMutableRawBufferPointer) {
    count += 1
    driver.close(victim, reset: false)
  }
}
