import Bytes
import Realtime
import Testing

@testable import Gateways

@Suite struct ReplyEncoderTests {
  /// A server's unmasked text frame (RFC 6455 §5.2).
  private func frame(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    return [0x81] + (count < 126 ? [UInt8(count)] : [126, UInt8(count >> 8), UInt8(count & 255)])
      + Array(text.utf8)
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  @Test func publications() {
    let info = ClientInfo(client: "c", user: "u", connectionInfo: bytes("1"), channelInfo: bytes("[2]"))
    let full = Publication(
      data: bytes(#"{"a":"\n"}"#), offset: 3, info: info, tags: [("k", "v\n")], timestampMilliseconds: 9)
    #expect(
      CentrifugoJSONEncoding().publication(full, channel: "x\"").array
        == frame(
          #"{"push":{"channel":"x\"","pub":{"offset":3,"data":{"a":"\n"},"info":{"user":"u","client":"c","#
            + #""conn_info":1,"chan_info":[2]},"tags":{"k":"v\n"}}}}"#))
    let plain = Publication(data: bytes("1"), offset: 0, timestampMilliseconds: 0)
    #expect(
      CentrifugoJSONEncoding().publication(plain, channel: "x").array
        == frame(#"{"push":{"channel":"x","pub":{"data":1}}}"#))
  }

  @Test func joinsAndLeaves() {
    let info = ClientInfo(client: "c", user: "")
    #expect(
      CentrifugoJSONEncoding().joined(info, channel: "x").array
        == frame(#"{"push":{"channel":"x","join":{"info":{"user":"","client":"c"}}}}"#))
    #expect(
      CentrifugoJSONEncoding().left(info, channel: "x").array
        == frame(#"{"push":{"channel":"x","leave":{"info":{"user":"","client":"c"}}}}"#))
  }

  @Test(
    arguments: [
      (HubError.unknownChannel, 102), (.permissionDenied, 103), (.alreadySubscribed, 105),
      (.limitExceeded, 106), (.badRequest, 107), (.notAvailable, 108), (.unrecoverablePosition, 112),
      (.unsubscribed, 103), (.closed, 100),
    ] as [(HubError, UInt32)])
  func errorsOfTheHub(error: HubError, code: UInt32) {
    #expect(CommandError(error).code == code)
  }

  @Test func errors() {
    #expect(
      text(ReplyEncoder.encode(4_294_967_295, .error(.internalError)))
        == #"{"id":4294967295,"error":{"code":100,"message":"internal server error","temporary":true}}"#)
    #expect(
      text(ReplyEncoder.encode(1, .error(.tokenExpired)))
        == #"{"id":1,"error":{"code":109,"message":"token expired"}}"#)
  }

  @Test func whoMayComeBack() {
    for code: UInt16 in [3000, 3012, 3499, 4000, 4499] {
      #expect(Disconnect(code: code, reason: "").allowsReturn)
    }
    for code: UInt16 in [3500, 3999, 4500, 4999] {
      #expect(!Disconnect(code: code, reason: "").allowsReturn)
    }
  }
}
