import EventLoops
import Testing

@testable import Transport

@Suite struct ListenerOptionsTests {
  @Test func theDefaultsAreThoseOfTheDocumentation() {
    let settings = ListenSettings(ListenerOptions(), sharesPort: true)
    #expect(settings.backlog == 4_096 && settings.sharesPort)
    #expect(settings.keepaliveIdleSeconds == 60)
    #expect(settings.keepaliveIntervalSeconds == 15)
    #expect(settings.keepaliveProbeCount == 4)
    #expect(settings.userTimeoutMilliseconds == 0)
  }

  @Test func keepaliveIsBroughtIntoTheRangeOfTheKernel() {
    var options = ListenerOptions()
    options.tcpKeepalive = TCPKeepalive(idleSeconds: .max, intervalSeconds: 0, probeCount: .max)
    let settings = ListenSettings(options, sharesPort: false)
    #expect(settings.keepaliveIdleSeconds == 32_767)
    #expect(settings.keepaliveIntervalSeconds == 1)
    #expect(settings.keepaliveProbeCount == 127)
    options.tcpKeepalive = nil
    #expect(ListenSettings(options, sharesPort: false).keepaliveIdleSeconds == 0)
  }
}
