import EventLoops
import Realtime
import Testing

@testable import Gateways

/// Commands are done one after the other, whichever loops they need; what waits is bounded.
@Suite struct SessionOrderTests {
  @Test(arguments: 1...3)
  func severalCommandsInOneMessage(loops: Int) {
    let client = SessionWorld(loops: loops).open()
    let replies = client.call(
      """
      {"id":1,"connect":{}}
      {"id":2,"subscribe":{"channel":"open:x"}}

      {"id":3,"publish":{"channel":"open:x","data":{"a" : 1}}}
      {"id":4,"unsubscribe":{"channel":"open:x"}}
      {"id":5,"ping":{}}

      """)
    #expect(
      replies.filter { !$0.contains("push") } == [
        #"{"id":1,"connect":{"client":"c1","version":"1","ping":25,"pong":true}}"#,
        #"{"id":2,"subscribe":{"epoch":"z"}}"#, #"{"id":3,"publish":{}}"#, #"{"id":4,"unsubscribe":{}}"#,
        #"{"id":5,"ping":{}}"#,
      ])
  }

  @Test func theReplyPrecedesWhatFollowsFromIt() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}\n{\"id\":3,\"ping\":{}}")
    #expect(client.take() == [])
    world.network.runUntilIdle()
    #expect(client.take() == [#"{"id":2,"subscribe":{"epoch":"z"}}"#, #"{"id":3,"ping":{}}"#])
  }

  @Test func tensOfThousandsOfCommandsBehindOne() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}")
    client.begin(
      (3...9_000).map { "{\"id\":\($0),\"presence\":{\"channel\":\"\(far)\"}}" }.joined(separator: "\n"))
    #expect(client.output.isPaused)
    world.network.runUntilIdle()
    let replies = client.take()
    #expect(replies.count == 8_999)
    #expect(replies.last?.hasPrefix(#"{"id":9000,"presence":"#) == true)
    #expect(!client.output.isPaused)
  }

  @Test func readingPausesAndResumes() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}")
    let padding = String(repeating: " ", count: 60_000)
    client.begin("{\"id\":3,\"ping\":{}\(padding)}")
    #expect(!client.output.isPaused)
    client.begin("{\"id\":4,\"ping\":{}\(padding)}")
    #expect(client.output.isPaused)
    world.network.runUntilIdle()
    #expect(client.take().count == 3 && !client.output.isPaused)
  }

  @Test(arguments: [(1_048_576 - 64, true), (1_048_576 - 63, false)])
  func whatWaitsIsBounded(count: Int, isWithin: Bool) {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}")
    let command = "{\"id\":3,\"ping\":{}}"
    client.begin(command + String(repeating: " ", count: count - command.utf8.count))
    #expect(client.take() == (isWithin ? [] : ["close 3501 bad request"]))
    world.network.runUntilIdle()
    #expect(client.take().count == (isWithin ? 2 : 0))
  }

  @Test func emptyCommandsThatWaitAreNotFree() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}")
    client.begin(String(repeating: "{ }\n", count: 20_000))
    #expect(client.take() == ["close 3501 bad request"])
  }

  @Test func pongsDoNotWait() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    world.advance(seconds: 25)
    #expect(client.take() == ["{}"])
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}\n{}")
    #expect(client.session?.isAwaitingPong == false)
    client.begin(String(repeating: "{}\n", count: 20_000))
    world.network.runUntilIdle()
    #expect(client.take() == [#"{"id":2,"subscribe":{"epoch":"z"}}"#])
  }

  @Test func aBadCommandBehindOneUnderWay() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}\nx\n{\"id\":4,\"ping\":{}}")
    world.network.runUntilIdle()
    #expect(client.take() == [#"{"id":2,"subscribe":{"epoch":"z"}}"#, "close 3501 bad request"])
  }

  @Test func theConnectionEndsWhileACommandIsUnderWay() {
    let world = SessionWorld(loops: 2)
    let client = world.connected()
    let far = world.channel(ownedBy: 1)
    client.begin("{\"id\":2,\"subscribe\":{\"channel\":\"\(far)\"}}\n{\"id\":3,\"ping\":{}}")
    world.turn { client.session?.closed() }
    world.network.runUntilIdle()
    #expect(client.take() == [])
    #expect(client.call("{}") == [])
    #expect(world.counters["sessions_opened"] == 1 && world.counters["sessions_closed"] == 1)
    world.advance(seconds: 100)
    #expect(client.take() == [])
  }

  @Test func aConnectionThatTakesNoMoreIsForgotten() {
    let world = SessionWorld()
    let client = world.connected()
    client.send(#"{"id":2,"subscribe":{"channel":"plain:x"}}"#)
    client.output.isFull = true
    world.publish("1", to: "plain:x")
    #expect(client.session?.isClosed == true && client.info == nil)
    client.output.isFull = false
    _ = client.take()
    world.publish("2", to: "plain:x")
    #expect(client.call(#"{"id":3,"ping":{}}"#) == [])
    let other = world.connected()
    other.output.isFull = true
    #expect(other.call(#"{"id":3,"ping":{}}"#) == [] && other.session?.isClosed == true)
  }
}
