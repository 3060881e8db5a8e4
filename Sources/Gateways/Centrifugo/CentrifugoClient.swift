import Bytes
import JSON
import Realtime

/// The session's place in the hub.
final class CentrifugoClient: Subscriber, @unchecked Sendable {
  weak var owner: CentrifugoSession?

  init(session: CentrifugoSession, info: ClientInfo) {
    owner = session
    super.init(loop: session.loop, info: info, encoding: session.encoding)
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    owner?.push(
      ReplyEncoder.push(channel, "subscribe") { json in
        json.beginObject()
        json.members(of: result, secondsLeft: nil)
        if let data { json.member("data", data) }
        json.endObject()
      })
  }

  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    owner?.tellUnsubscribed(channel, code, reason)
  }

  override func disconnect(code: UInt32, reason: String) {
    owner?.close(Disconnect(known: UInt16(clamping: code), reason))
  }

  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    if isExpired { owner?.close(.expired) } else { owner?.tellRefreshed(until: expiresAt) }
  }
}
