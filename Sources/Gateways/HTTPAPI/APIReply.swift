import Bytes
import JSON
import Realtime

/// The answer to a call. Encoding it is a pure function of its value.
enum APIReply: Sendable {
  case result(APIResult)
  case error(APIError)

  init<Value>(_ result: Result<Value, HubError>, _ wrap: (Value) -> APIResult) {
    switch result {
    case .success(let value): self = .result(wrap(value))
    case .failure(let error): self = .error(APIError(error))
    }
  }
}

/// What a call gave.
enum APIResult: Sendable {
  case empty
  case position(StreamPosition)
  case broadcast([Result<StreamPosition, HubError>])
  case presence([ClientInfo])
  case presenceStats(PresenceStats)
  case history(HistoryPage)
  case channels([ChannelSummary])
  case channelPage([ChannelSummary], isFull: Bool)
  case connections([ClientSummary], isFull: Bool)
  case info(APINode)
  /// What a method of the application gave.
  case called(SharedBytes?)
  case batch([(method: APIMethod, reply: APIReply)])
}

/// What `info` says of this node.
struct APINode: Sendable {
  let identity: NodeIdentity
  let uptimeSeconds: UInt64
  let counters: HubCounters
  var moreMetrics: [(name: String, value: UInt64)] = []
}

/// How this process calls itself in `info`.
public struct NodeIdentity: Sendable {
  /// Unique for each run of the process.
  public let uid: String
  /// A name that people know it by.
  public let name: String
  /// The program's version.
  public let version: String

  /// Names a node.
  public init(uid: String, name: String, version: String) {
    self.uid = uid
    self.name = name
    self.version = version
  }
}
