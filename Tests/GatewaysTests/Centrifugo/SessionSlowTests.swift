import Realtime
import Testing

@testable import Gateways

/// What the hub asks a session of its connection, and is told.
@Suite struct SessionSlowTests {
  @Test func publicationsWaitUntilTheConnectionHasDrained() {
    let world = SessionWorld()
    let client = world.connected()
    _ = client.call(#"{"id":2,"subscribe":{"channel":"slow:x"}}"#)
    client.output.backlog = 65_537
    for number in 1...3 { world.publish("\(number)", to: "slow:x") }
    #expect(client.take() == [])
    // Others do not wait for it.
    #expect(client.call(#"{"id":3,"ping":{}}"#) == [#"{"id":3,"ping":{}}"#])
    client.output.backlog = 65_536
    world.run { client.session?.drained() }
    #expect(client.take() == [#"{"push":{"channel":"slow:x","pub":{"data":3}}}"#])
    world.publish("4", to: "slow:x")
    #expect(client.take().count == 1)
  }
}
