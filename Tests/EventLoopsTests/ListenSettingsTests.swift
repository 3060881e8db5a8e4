import CLinux
import Testing

@testable import EventLoops

private final class Accepting: IOTarget {
  var accepted: [RegistrationID] = []

  override func accepted(_ id: RegistrationID, from peer: SocketAddress) { accepted.append(id) }
}

/// The options that an accepted connection has without a system call of its own.
@Suite struct ListenSettingsTests {
  /// Listens, accepts one connection, and reads an option of it.
  private func inherited(
    _ kind: RealDriver, _ settings: ListenSettings, _ level: Int32, _ option: Int32
  ) throws -> Int32 {
    let driver = try kind.make()
    let loop = EventLoop(index: 0, driver: driver, drivenByCaller: true)
    let target = Accepting()
    let listener = try driver.listen(on: .loopback(port: 0), settings, target: target)
    driver.resumeAccepting(listener)
    let address = try #require(driver.localAddress(of: listener))
    _ = try driver.connect(to: address, target: IOTarget())
    while target.accepted.isEmpty { loop.turn() }
    let fd = try #require(driver.detach(target.accepted[0])).takeDescriptor()
    defer { clinux_close(fd) }
    return clinux_get_flag(fd, level, option)
  }

  @Test(arguments: RealDriver.available)
  func acceptedConnectionsHaveTheKeepaliveOfTheirListener(kind: RealDriver) throws {
    var settings = ListenSettings(backlog: 4)
    settings.keepaliveIdleSeconds = 61
    settings.keepaliveIntervalSeconds = 17
    settings.keepaliveProbeCount = 5
    #expect(try inherited(kind, settings, SOL_SOCKET, SO_KEEPALIVE) == 1)
    #expect(try inherited(kind, settings, Int32(IPPROTO_TCP), TCP_KEEPIDLE) == 61)
    #expect(try inherited(kind, settings, Int32(IPPROTO_TCP), TCP_KEEPINTVL) == 17)
    #expect(try inherited(kind, settings, Int32(IPPROTO_TCP), TCP_KEEPCNT) == 5)
    #expect(try inherited(kind, settings, Int32(IPPROTO_TCP), TCP_NODELAY) == 1)
  }

  @Test(arguments: RealDriver.available)
  func acceptedConnectionsHaveTheUserTimeoutOfTheirListener(kind: RealDriver) throws {
    var settings = ListenSettings(backlog: 4)
    settings.userTimeoutMilliseconds = 12_345
    #expect(try inherited(kind, settings, Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 12_345)
    #expect(try inherited(kind, settings, SOL_SOCKET, SO_KEEPALIVE) == 0)
  }
}
