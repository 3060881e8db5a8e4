import EventLoops
import Testing

@testable import Gateways
@testable import Realtime

/// What the hub is told of clients without a WebSocket that do not keep up.
@Suite struct SlowTransportTests {
  @Test func aPollQueueIsBackedUpUntilItIsAcknowledged() throws {
    let world = try TransportWorld()
    let connect = quoted(#"{"id":1,"connect":{}}"#)
    let peer = try world.exchange("POST /connection/poll", #"{"data":\#(connect)}"#)
    _ = peer.take()
    let session = try #require(world.sessions.hub.shards[0].clients.values.first as? CentrifugoSession)
    #expect(session.isBackedUp(beyond: 10) && !session.isBackedUp(beyond: 1_000))
    peer.request("POST /connection/poll", #"{"session":"0-c1","ack":1}"#)
    #expect(!session.isBackedUp(beyond: 0))
  }

  @Test func aStreamIsBackedUpUntilItsClientReads() throws {
    let world = try TransportWorld()
    let peer = try world.exchange("POST /connection/http_stream", #"{"id":1,"connect":{}}"#)
    let session = try #require(world.sessions.hub.shards[0].clients.values.first as? CentrifugoSession)
    #expect(!session.isBackedUp(beyond: 0))
    peer.socket.other?.writeWindow = 0
    world.advance(seconds: 25)
    #expect(session.isBackedUp(beyond: 0))
    peer.socket.other?.writeWindow = nil
    world.runUntilIdle()
    #expect(!session.isBackedUp(beyond: 0))
  }
}
