import Bytes
import Realtime

/// The session's place in the hub.
final class CentrifugoClient: Subscriber, @unchecked Sendable {
  /// The session takes itself away when it ends: a weak reference would cost memory of its own, and atomic operations for
  /// each delivery.
  unowned(unsafe) var owner: CentrifugoSession?

  init(session: CentrifugoSession, info: ClientInfo, _ admission: Admission) {
    owner = session
    super.init(
      loop: session.loop, info: info, session: session.emulation?.session ?? "", encoding: session.encoding,
      capabilities: admission.capabilities)
    token = admission.token
  }

  override func received(_ publication: Publication, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func isBackedUp(beyond byteCount: Int) -> Bool {
    owner?.output.isBackedUp(beyond: byteCount) ?? false
  }

  override func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) {
    owner?.push(frame)
  }

  override func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {
    owner?.push(.subscribe(channel: channel, result, data: data))
    // The push has no room for what was missed.
    for publication in result.publications {
      owner?.push(.publication(channel: channel, publication))
    }
  }

  override func received(message: SharedBytes) { owner?.push(.message(message)) }

  override func unsubscribed(from channel: String, code: UInt32, reason: String) {
    owner?.tellUnsubscribed(channel, code, reason)
  }

  override func disconnect(code: UInt32, reason: String) {
    owner?.close(Disconnect(code: UInt16(clamping: code), reason: reason))
  }

  override func refreshed(isExpired: Bool, expiresAt: UInt64?) {
    if isExpired { owner?.close(.expired) } else { owner?.tellRefreshed(until: expiresAt) }
  }
}
