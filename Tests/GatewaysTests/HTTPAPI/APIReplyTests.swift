import Bytes
import Realtime
import Testing

@testable import Gateways

/// Replies in, bodies out: the exact bytes.
@Suite struct APIReplyTests {
  private func text(_ reply: APIReply) -> String { String(decoding: reply.encoded(), as: UTF8.self) }

  private func shared(_ text: String) -> SharedBytes { SharedBytes.make(copying: Array(text.utf8)) }

  @Test func emptyAndErrors() {
    #expect(text(.result(.empty)) == #"{"result":{}}"#)
    #expect(text(.error(.badRequest)) == #"{"error":{"code":107,"message":"bad request"}}"#)
  }

  @Test(
    arguments: [
      (.unknownChannel, 102), (.permissionDenied, 103), (.limitExceeded, 106), (.badRequest, 107),
      (.notAvailable, 108),
      (.unrecoverablePosition, 112), (.closed, 100),
    ] as [(HubError, Int)])
  func codesOfTheHubsErrors(_ error: HubError, _ code: Int) {
    #expect(APIError(error).code == code)
  }

  @Test func positions() {
    #expect(text(.result(.position(StreamPosition()))) == #"{"result":{}}"#)
    #expect(
      text(.result(.position(StreamPosition(epoch: "e", offset: .max))))
        == #"{"result":{"offset":18446744073709551615,"epoch":"e"}}"#)
  }

  @Test func aBroadcast() {
    let reply = APIResult.broadcast([
      .success(StreamPosition(epoch: "e", offset: 1)), .failure(.unknownChannel), .success(StreamPosition()),
    ])
    #expect(
      text(.result(reply))
        == #"{"result":{"responses":[{"result":{"offset":1,"epoch":"e"}},"#
        + #"{"error":{"code":102,"message":"unknown channel"}},{"result":{}}]}}"#)
  }

  @Test func presence() {
    let clients = [
      ClientInfo(client: "1", user: "ann \"a\""),
      ClientInfo(client: "2", user: "", connectionInfo: shared(#"{"n":1}"#), channelInfo: shared("[]")),
    ]
    #expect(
      text(.result(.presence(clients)))
        == #"{"result":{"presence":{"1":{"user":"ann \"a\"","client":"1"},"#
        + #""2":{"user":"","client":"2","conn_info":{"n":1},"chan_info":[]}}}}"#)
    #expect(text(.result(.presence([]))) == #"{"result":{"presence":{}}}"#)
  }

  @Test func channels() {
    #expect(text(.result(.channels([]))) == #"{"result":{"channels":{}}}"#)
  }

  @Test func aBatchHasNoResultAroundIt() {
    let replies: [(method: APIMethod, reply: APIReply)] = [
      (.publish, .result(.position(StreamPosition(epoch: "e", offset: 2)))),
      (.presence, .error(.notAvailable)),
      (.removeHistory, .result(.empty)),
    ]
    #expect(
      text(.result(.batch(replies)))
        == #"{"replies":[{"publish":{"offset":2,"epoch":"e"}},"#
        + #"{"error":{"code":108,"message":"not available"}},{"history_remove":{}}]}"#)
  }
}
