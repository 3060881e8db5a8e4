import JSON
import Realtime
import Testing

@testable import Gateways

@Suite struct CommandDecoderTests {
  private func decode(_ text: String) throws -> CentrifugoCommand {
    try Array(text.utf8).withUnsafeBytes { try CommandDecoder.decode($0) }
  }

  @Test func emptyCommand() throws {
    let command = try decode(" { } ")
    #expect(command.id == 0 && command.request == nil)
  }

  @Test func everyMemberOfSubscribe() throws {
    let command = try decode(
      #"{"subscribe":{"channel":"c","token":"t","recover":true,"epoch":"e","offset":18446744073709551615,"#
        + #""positioned":true,"join_leave":true,"flag":3,"delta":"x","tf":{}},"id":4294967295}"#)
    guard case .subscribe(let request) = command.request else {
      Issue.record("not a subscribe")
      return
    }
    #expect(command.id == .max)
    #expect(request.channel == "c" && request.token == "t")
    #expect(request.position == StreamPosition(epoch: "e", offset: .max))
    #expect(request.wantsPosition && request.wantsJoinLeave && request.requiresRecovery)
    #expect(request.delta == "x" && request.filter != nil && !request.wantsRecovery)
  }

  @Test func anOffsetAloneRecoversNothing() throws {
    guard case .subscribe(let request) = try decode(#"{"id":1,"subscribe":{"epoch":"e","offset":5}}"#).request
    else {
      Issue.record("not a subscribe")
      return
    }
    #expect(request.position == nil && !request.wantsRecovery && !request.requiresRecovery)
  }

  @Test func history() throws {
    guard
      case .history(let channel, let query) = try decode(
        #"{"id":1,"history":{"channel":"c","limit":9223372036854775807,"reverse":true,"#
          + #""since":{"offset":3,"epoch":"e"}}}"#
      ).request
    else {
      Issue.record("not a history")
      return
    }
    #expect(channel == "c" && query.limit == .max && query.reverse)
    #expect(query.since == StreamPosition(epoch: "e", offset: 3))
  }

  @Test func dataIsKeptWithoutWhiteSpace() throws {
    guard
      case .publish(_, let data) = try decode(
        "{\"id\":1,\"publish\":{\"channel\":\"c\",\"data\": { \"a\" : [ 1.10 , \"\\u0041 \" ] } }}"
      ).request
    else {
      Issue.record("not a publish")
      return
    }
    #expect(data?.array == Array(#"{"a":[1.10,"\u0041 "]}"#.utf8))
  }

  @Test func nullCountsAsAbsent() throws {
    guard
      case .subscribe(let request) = try decode(
        #"{"id":1,"subscribe":{"channel":"c","token":null,"recover":null,"epoch":null,"offset":null,"flag":null}}"#
      ).request,
      case .connect(let connect) = try decode(#"{"id":1,"connect":{"token":null,"data":null,"subs":null}}"#)
        .request,
      case .history(_, let query) = try decode(
        #"{"id":1,"history":{"channel":"c","limit":null,"since":null,"reverse":null}}"#
      ).request,
      case .publish(_, let data) = try decode(#"{"id":1,"publish":{"channel":null,"data":null}}"#).request
    else {
      Issue.record("not the commands that were sent")
      return
    }
    #expect(request.channel == "c" && request.token.isEmpty && request.position == nil && request.flags == 0)
    #expect(connect.token.isEmpty && connect.userOfData == nil && connect.positions.isEmpty)
    #expect(query.limit == 0 && query.since == nil && !query.reverse)
    #expect(data?.array == Array("null".utf8))
  }

  @Test func theFirstMethodCounts() throws {
    guard case .ping = try decode(#"{"x":[],"ping":{},"rpc":{},"id":1}"#).request else {
      Issue.record("not a ping")
      return
    }
  }

  @Test(arguments: [
    "", "{", "[]", "1", "{}1", "{\"id\":\"1\"}", #"{"id":1,"subscribe":5}"#,
    #"{"subscribe":{"channel":5}}"#, #"{"subscribe":{"offset":-1}}"#, #"{"subscribe":{"recover":1}}"#,
    #"{"subscribe":{"offset":18446744073709551616}}"#, #"{"history":{"limit":9223372036854775808}}"#,
    #"{"history":{"since":[]}}"#, #"{"publish":{"data":}}"#, #"{"connect":{"subs":[]}}"#,
    #"{"connect":{"token":"\ud800"}}"#, "{\"connect\":{\"token\":\"\n\"}}", #"{"unknown":tru}"#,
  ])
  func refused(text: String) {
    #expect(throws: JSONError.self) { try decode(text) }
  }
}
