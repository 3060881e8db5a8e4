import Bytes
import Testing

@testable import Gateways
@testable import Realtime

/// How publications are spelled for subscriptions with differences.
@Suite struct DeltaEncodingTests {
  private let encoding = CentrifugoJSONEncoding()

  private func text(_ data: String, delta: SharedBytes?) -> String {
    let publication = Publication(data: bytes(data), offset: 7, timestampMilliseconds: 0)
    let frame = encoding.publication(publication, delta: delta, channel: "c").array
    return String(decoding: frame.dropFirst(2), as: UTF8.self)
  }

  @Test func allOfTheDataIsAString() {
    #expect(
      text(#"{"a":"b"}"#, delta: nil)
        == #"{"push":{"channel":"c","pub":{"offset":7,"data":"{\"a\":\"b\"}"}}}"#)
  }

  @Test func aDifferenceIsAString() {
    #expect(
      text("{}", delta: bytes("2\n2:{}xyz;"))
        == #"{"push":{"channel":"c","pub":{"offset":7,"data":"2\n2:{}xyz;","delta":true}}}"#)
  }

  /// JSON has no room for other bytes.
  @Test func aDifferenceThatIsNoTextIsNotSent() {
    let delta = SharedBytes.make(copying: [0x32, 0x0A, 0xC3])
    #expect(text("{}", delta: delta) == #"{"push":{"channel":"c","pub":{"offset":7,"data":"{}"}}}"#)
  }
}
