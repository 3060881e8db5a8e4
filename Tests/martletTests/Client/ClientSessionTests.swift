import JSON
import Testing

@testable import martlet

@Suite("Client session") struct ClientSessionTests {
  /// A session, and what it has said.
  private struct Talk {
    var session = ClientSession(token: nil, data: nil)
    var sent: [String] = []
    var events: [ClientSession.Event] = []

    mutating func receive(_ text: String) throws {
      var (replies, told): ([[UInt8]], [ClientSession.Event]) = ([], [])
      try Array(text.utf8).withUnsafeBytes { bytes in
        try session.receive(bytes, reply: { replies.append($0) }, tell: { told.append($0) })
      }
      sent = replies.map { String(decoding: $0, as: UTF8.self) }
      events = told
    }

    mutating func connect() throws {
      _ = session.connect()
      try receive(#"{"id":1,"connect":{"client":"c","ping":25,"pong":true}}"#)
    }
  }

  private func publication(_ offset: UInt64) -> ReceivedPublication {
    let text = #"{"data":{"n":\#(offset)},"offset":\#(offset)}"#
    return ReceivedPublication(
      text: Array(text.utf8), data: Array(#"{"n":\#(offset)}"#.utf8), offset: offset)
  }

  private func push(_ offset: UInt64) -> String {
    #"{"push":{"channel":"c","pub":{"data":{"n":\#(offset)},"offset":\#(offset)}}}"#
  }

  @Test("What a recovery has brought is not asked for again", arguments: [3, 5])
  func recoveredPlace(offset: Int) throws {
    var talk = Talk()
    _ = talk.session.subscribe("c", token: nil)
    try talk.connect()
    try talk.receive(#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":3}}"#)
    talk.session.disconnect()
    try talk.connect()
    try talk.receive(
      #"{"id":2,"subscribe":{"recoverable":true,"recovered":true,"epoch":"e","offset":\#(offset),"publications":[{"data":{"n":4},"offset":4},{"data":{"n":5},"offset":5}]}}"#
    )
    #expect(talk.events.suffix(2) == [4, 5].map { .publication(channel: "c", publication($0)) })
    talk.session.disconnect()
    try talk.connect()
    #expect(
      talk.sent == [
        #"{"id":2,"subscribe":{"channel":"c","recoverable":true,"recover":true,"epoch":"e","offset":5}}"#
      ])
  }

  @Test("A consumer acknowledges where the server agrees, and again what was lost")
  func consuming() throws {
    var talk = Talk()
    #expect(talk.session.subscribe("c", token: nil, consumer: "phone") == nil)
    try talk.connect()
    try talk.receive(
      #"{"id":2,"subscribe":{"epoch":"e","offset":5,"consumer":"phone","publications":[{"data":{"n":5},"offset":5}]}}"#
    )
    #expect(
      talk.events == [
        .subscribed(channel: "c", hasGap: false), .publication(channel: "c", publication(5)),
      ])
    let text = talk.session.acknowledge(5, in: "c").map { String(decoding: $0, as: UTF8.self) }
    #expect(text == #"{"ack":{"channel":"c","offset":5}}"#)
    #expect(talk.session.acknowledge(0, in: "c") == nil && talk.session.acknowledge(5, in: "d") == nil)
    talk.session.disconnect()
    #expect(talk.session.acknowledge(5, in: "c") == nil)
    try talk.connect()
    try talk.receive(
      #"{"id":2,"subscribe":{"epoch":"e","offset":6,"recovered":true,"consumer":"phone","publications":[{"data":{"n":5},"offset":5},{"data":{"n":6},"offset":6}]}}"#
    )
    #expect(talk.sent == [#"{"ack":{"channel":"c","offset":5}}"#])
    #expect(
      talk.events == [
        .subscribed(channel: "c", hasGap: false), .publication(channel: "c", publication(6)),
      ])
  }

  @Test("A server that takes no acknowledgements is told of")
  func notConsuming() throws {
    var talk = Talk()
    _ = talk.session.subscribe("c", token: nil, consumer: "phone")
    try talk.connect()
    try talk.receive(#"{"id":2,"subscribe":{"epoch":"e","offset":5,"recoverable":true}}"#)
    #expect(talk.events == [.subscribed(channel: "c", hasGap: false), .notConsuming(channel: "c")])
    #expect(talk.session.acknowledge(5, in: "c") == nil)
  }

  @Test("Commands are written as the protocol spells them")
  func commands() {
    let expected: [(ClientCommand, String)] = [
      (.pong, "{}"),
      (
        .connect(token: nil, data: nil),
        #"{"id":7,"connect":{"name":"martlet","version":"\#(Version.number)"}}"#
      ),
      (
        .connect(token: "t\"", data: ConnectData.user("ann")),
        #"{"id":7,"connect":{"token":"t\"","data":{"user":"ann"},"name":"martlet","version":"\#(Version.number)"}}"#
      ),
      (
        .subscribe(channel: "c", token: nil, recover: nil),
        #"{"id":7,"subscribe":{"channel":"c","recoverable":true}}"#
      ),
      (
        .subscribe(channel: "c", token: "t", recover: .init(epoch: "e", offset: 5)),
        #"{"id":7,"subscribe":{"channel":"c","token":"t","recoverable":true,"recover":true,"epoch":"e","offset":5}}"#
      ),
      (
        .subscribe(channel: "c", token: nil, consumer: "phone", recover: nil),
        #"{"id":7,"subscribe":{"channel":"c","consumer":"phone","recoverable":true}}"#
      ),
      (.acknowledge(channel: "c", offset: 5), #"{"ack":{"channel":"c","offset":5}}"#),
      (
        .publish(channel: "c", data: Array("[1]".utf8)),
        #"{"id":7,"publish":{"channel":"c","data":[1]}}"#
      ),
    ]
    for (command, text) in expected {
      #expect(String(decoding: command.encoded(id: 7), as: UTF8.self) == text)
    }
  }

  @Test("Subscriptions wait for the connection, and pings are answered")
  func connecting() throws {
    var talk = Talk()
    #expect(talk.session.subscribe("c", token: nil) == nil)
    try talk.connect()
    #expect(talk.session.isConnected)
    #expect(talk.events == [.connected(client: "c", pingMilliseconds: 25_000)])
    #expect(talk.sent == [#"{"id":2,"subscribe":{"channel":"c","recoverable":true}}"#])
    try talk.receive("{}")
    #expect(talk.sent == ["{}"])
    #expect(talk.events == [.ping])
  }

  @Test("Several objects in a message are handled in order")
  func batches() throws {
    var talk = Talk()
    try talk.connect()
    _ = talk.session.subscribe("c", token: nil)
    try talk.receive(#"{"id":2,"subscribe":{}}"# + "\n" + push(0) + "\n{}\n")
    #expect(
      talk.events == [
        .subscribed(channel: "c", hasGap: false), .publication(channel: "c", publication(0)), .ping,
      ])
  }

  @Test("Recovery asks from the last offset seen, and what was seen is not told again")
  func recovery() throws {
    var talk = Talk()
    _ = talk.session.subscribe("c", token: nil)
    try talk.connect()
    try talk.receive(#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":5}}"#)
    try talk.receive(push(6))
    try talk.receive(push(6) + "\n" + push(5))
    #expect(talk.events == [])

    talk.session.disconnect()
    #expect(!talk.session.isConnected)
    try talk.connect()
    #expect(
      talk.sent == [
        #"{"id":2,"subscribe":{"channel":"c","recoverable":true,"recover":true,"epoch":"e","offset":6}}"#
      ])
    try talk.receive(
      #"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":8,"was_recovering":true,"recovered":true,"#
        + #""publications":[{"data":{"n":6},"offset":6},{"data":{"n":7},"offset":7},{"data":{"n":8},"offset":8}]}}"#
    )
    #expect(
      talk.events == [
        .subscribed(channel: "c", hasGap: false), .publication(channel: "c", publication(7)),
        .publication(channel: "c", publication(8)),
      ])
    try talk.receive(push(8) + "\n" + push(9))
    #expect(talk.events == [.publication(channel: "c", publication(9))])
  }

  @Test("A gap is told, and a new epoch begins anew")
  func gap() throws {
    var talk = Talk()
    _ = talk.session.subscribe("c", token: nil)
    try talk.connect()
    try talk.receive(#"{"id":2,"subscribe":{"recoverable":true,"epoch":"e","offset":50}}"#)
    try talk.connect()
    try talk.receive(
      #"{"id":2,"subscribe":{"recoverable":true,"epoch":"f","offset":2,"was_recovering":true,"recovered":false}}"#
    )
    #expect(talk.events == [.subscribed(channel: "c", hasGap: true)])
    try talk.receive(push(3))
    #expect(talk.events == [.publication(channel: "c", publication(3))])
  }

  @Test("Errors go to what they answer")
  func errors() throws {
    var talk = Talk()
    let denied = ServerError(code: 103, message: "permission denied", isTemporary: false)
    let error = #""error":{"code":103,"message":"permission denied"}"#
    _ = talk.session.connect()
    try talk.receive("{\"id\":1,\(error)}")
    #expect(talk.events == [.refused(denied)])
    try talk.connect()
    _ = talk.session.subscribe("c", token: nil)
    let (number, _) = talk.session.publish("c", Array("1".utf8))
    try talk.receive("{\"id\":2,\(error)}\n{\"id\":3,\(error)}\n{\"id\":9,\(error)}")
    #expect(talk.events == [.subscribeFailed(channel: "c", denied), .publishFailed(number: number, denied)])
    _ = talk.session.publish("c", Array("1".utf8))
    try talk.receive(#"{"id":4,"publish":{}}"#)
    #expect(talk.events == [.published(number: 2)])
  }

  @Test("Unsubscribe from 2500 up means to subscribe anew")
  func unsubscribe() throws {
    var talk = Talk()
    try talk.connect()
    _ = talk.session.subscribe("c", token: nil)
    try talk.receive(#"{"push":{"channel":"c","unsubscribe":{"code":2500,"reason":"insufficient state"}}}"#)
    #expect(talk.sent == [#"{"id":3,"subscribe":{"channel":"c","recoverable":true}}"#])
    try talk.receive(#"{"push":{"channel":"c","unsubscribe":{"code":2000,"reason":"server"}}}"#)
    #expect(talk.sent == [])
    #expect(talk.events == [.unsubscribed(channel: "c", code: 2_000, reason: "server")])
    try talk.receive(#"{"push":{"disconnect":{"code":3001,"reason":"shutdown"}}}"#)
    #expect(talk.events == [.disconnected(code: 3_001, reason: "shutdown")])
  }

  @Test("What is not JSON is an error, and unknown members are passed over")
  func oddities() throws {
    var talk = Talk()
    try talk.connect()
    #expect(throws: JSONError.self) { try talk.receive("{\"id\":") }
    #expect(throws: JSONError.self) { try talk.receive("[]") }
    try talk.receive(#"{"push":{"channel":"c","join":{"info":{}}},"new":[1,{"a":null}]}"#)
    #expect(talk.events == [])
  }
}
