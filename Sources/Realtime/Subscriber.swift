import Bytes
import EventLoops

/// One client of the hub: a gateway's session derives from this. It lives on one loop; every call to it and
/// from it is made there. `Hub.add` makes it known, `Hub.remove` ends all it has; both are called once.
///
/// The hub never calls a subscriber, or one of its completions, while it is already calling one on the same
/// loop: what a call sets off is done after it returns. So a subscriber may publish, subscribe or leave from
/// inside these methods.
open class Subscriber {
  /// The loop that this subscriber lives on.
  public let loop: EventLoop
  // There may be a million: the order leaves nothing between the small ones.
  final var subscriptions = SubscriptionList()
  private final var credentials: Credentials?
  private final var identity: Identity
  final var isOpen = false
  private let encodingIndex: UInt16
  /// The place among the user's subscribers on this loop.
  final var userSlot: UInt32 = 0

  /// Makes a subscriber. `info.client` is unique in the hub; `info.user` is empty for an anonymous client.
  public init(
    loop: EventLoop, info: ClientInfo, session: String = "", encoding: Int = 0,
    capabilities: Capabilities = Capabilities()
  ) {
    self.loop = loop
    identity = Identity(info)
    encodingIndex = UInt16(encoding)
    self.session = session
    self.capabilities = capabilities
  }

  /// Who the client is, as others see it; until `Hub.add` it may be somebody else.
  public package(set) final var info: ClientInfo {
    get {
      switch identity {
      case .described(let info): return info
      case .named(let name):
        // Kept: who is shown to others once is shown to them again.
        let made = ClientInfo(name)
        identity = .described(made)
        return made
      }
    }
    set { identity = Identity(newValue) }
  }

  /// The connection's identifier.
  package final var client: String { name.text }

  /// The user's identifier; empty for an anonymous client.
  package final var user: String { if case .described(let info) = identity { info.user } else { "" } }

  final var name: ClientName {
    switch identity {
    case .named(let name): name
    case .described(let info): info.name
    }
  }

  /// Which of the hub's encodings its frames are in: an index into `Hub.encodings`.
  public final var encoding: Int { Int(encodingIndex) }

  /// The channels it is subscribed to now, in no order; those whose reply has not come yet are left out.
  public final var channels: [String] {
    subscriptions.compactMap { $0.isActive ? $0.channel.name : nil }
  }

  /// A publication of a channel it is subscribed to. `frame` is spelled by this subscriber's encoding.
  open func received(_ publication: Publication, frame: SharedBytes, on channel: String) {}

  /// Whether more than so many bytes wait for the client to take them. One that says so calls `Hub.drained` when they are
  /// gone. Never, where it is not known.
  open func isBackedUp(beyond byteCount: Int) -> Bool { false }

  /// Somebody subscribed to a channel whose joins and leaves this subscriber gets; itself included.
  open func joined(_ info: ClientInfo, frame: SharedBytes, on channel: String) {}

  /// Somebody left a channel whose joins and leaves this subscriber gets.
  open func left(_ info: ClientInfo, frame: SharedBytes, on channel: String) {}

  /// The server subscribed this client to a channel (`Hub.subscribe(user:…)`): tell the client.
  open func subscribed(to channel: String, _ result: SubscribeResult, data: SharedBytes?) {}

  /// The server has something to say to this client alone (`Hub.send`), in the client's own encoding.
  open func received(message: SharedBytes) {}

  /// The server ended a subscription; it is gone already: tell the client.
  open func unsubscribed(from channel: String, code: UInt32, reason: String) {}

  /// The server wants the client gone: say so to it, close the connection, and call `Hub.remove` when it is
  /// closed.
  open func disconnect(code: UInt32, reason: String) {}

  /// The server changed how long the client may stay: until `expiresAt` (seconds since 1970; nil for ever),
  /// or no longer when `isExpired`.
  open func refreshed(isExpired: Bool, expiresAt: UInt64?) {}
}

/// What the few clients have that are known by more than their names.
private final class Credentials {
  var session = ""
  var capabilities = Capabilities()
  var token = TokenOrigin()
}

/// Most clients of a server that everybody may listen to have a name and nothing else, and nobody asks for that.
private enum Identity {
  case named(ClientName)
  case described(ClientInfo)

  init(_ info: ClientInfo) { self = info.isNameOnly ? .named(info.name) : .described(info) }
}

extension Subscriber: Named {
  /// A second name of this connection that only the client itself and the server know; may be empty.
  public package(set) var session: String {
    get { credentials?.session ?? "" }
    set { if credentials != nil || !newValue.isEmpty { makeCredentials().session = newValue } }
  }
  /// What the connection's token allows it.
  public var capabilities: Capabilities {
    get { credentials?.capabilities ?? Capabilities() }
    set { if credentials != nil || !newValue.isEmpty { makeCredentials().capabilities = newValue } }
  }
  /// Where its connection's token comes from.
  public var token: TokenOrigin {
    get { credentials?.token ?? TokenOrigin() }
    set { if credentials != nil || newValue != TokenOrigin() { makeCredentials().token = newValue } }
  }

  private func makeCredentials() -> Credentials {
    if let credentials { return credentials }
    let made = Credentials()
    credentials = made
    return made
  }
}

/// What a client asks for when it subscribes, and what its token grants.
public struct SubscribeOptions: Sendable {
  /// Send what was published after this place.
  public var recoverSince: StreamPosition?
  /// Fail with `.unrecoverablePosition` when not all of it can be sent.
  public var requiresRecovery = false
  /// Ask for a position and for later recovery, where the namespace allows it.
  public var wantsRecovery = false
  /// Ask to be told of what is missed, where the namespace allows it.
  public var wantsPosition = false
  /// Take publications as differences, where the namespace allows it.
  public var wantsDelta = false
  /// Only publications whose tags fit; `.badRequest` where the namespace does not allow that.
  public var filter: TagsFilter?
  /// The server makes the subscription, so the client cannot make it anew.
  public var isServerSide = false
  /// Acknowledge publications under this name, with `Hub.acknowledge`; what is not is sent again to the next
  /// subscription of the same user with the same name, which ends this one with 2000. Nil: do not. Errors: `.notAvailable` where the namespace does
  /// not allow it, `.permissionDenied` to anonymous clients, `.badRequest` (more than 255 bytes, or none),
  /// `.limitExceeded` (consumers of the channel).
  public var consumerName: String?
  /// Ask for joins and leaves, where the namespace emits them.
  public var wantsJoinLeave = false
  /// Whether a verified token, or the server, grants this channel.
  public var isGranted = false
  /// What the token allows in this channel besides.
  public var allowances: Allowances = []
  /// What the token says of the user in this channel; opaque to the hub.
  public var channelInfo: SharedBytes?
  /// What is different from the namespace's options.
  public var overrides = SubscriptionOverrides()
  /// Whether the client may read the history as a subscriber: the hub finds out.
  var mayReadHistory = false

  /// Makes options that ask for nothing.
  public init() {}
}

/// What the server, or a token, sets for one subscription against its namespace's options; nil leaves an option as it
/// is.
public struct SubscriptionOverrides: Sendable, Hashable {
  /// Whether the client appears in the channel's presence.
  public var keepsPresence: Bool?
  /// Whether the channel's subscribers are told that the client joins and leaves.
  public var emitsJoinLeave: Bool?
  /// Whether the subscription is recoverable, asked for or not.
  public var forcesRecovery: Bool?
  /// Whether the subscription has positions, asked for or not.
  public var forcesPositioning: Bool?
  /// Whether joins and leaves are sent to this client, asked for or not.
  public var forcesJoinLeave: Bool?

  /// Makes overrides that change nothing.
  public init() {}
}

/// What a subscription began with. The first publication delivered comes right after `position`.
public struct SubscribeResult: Sendable {
  /// Whether the client may recover from `position` later.
  public let isRecoverable: Bool
  /// Whether the subscription ends when something was missed.
  public let isPositioned: Bool
  /// Whether publications come as differences where that is possible; then all of them are spelled as
  /// `WireEncoding.publication(_:delta:channel:)` does.
  public let usesDelta: Bool
  /// The channel's place when the subscription began; empty epoch where no history is kept. For a client that
  /// acknowledges, the place of the last of `publications`, if there are more than it may leave unacknowledged.
  public let position: StreamPosition
  /// What was missed, oldest first, without what the filter holds back; empty unless `recovered`. In cache mode the
  /// last publication alone.
  public let publications: [Publication]
  /// Whether recovery was asked for.
  public let wasRecovering: Bool
  /// Whether `publications` is all that was missed. When false after `wasRecovering`, the client must reload
  /// its state.
  public let recovered: Bool
  /// The channel's last offset; beyond `position` where not all is in `publications`.
  let top: UInt64
  /// Whether a client that acknowledges is to come again for the rest.
  let isBehind: Bool
  /// Which publication of the channel is the last of `publications`; 0 where that is not its last one.
  let lastSerial: UInt64
}
