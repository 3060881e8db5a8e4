import HTTPCore
import Realtime
import Synchronization

/// Centrifugo's server API over HTTP: `POST <prefix>/<method>` with a JSON body, opened by a key.
///
/// 401 without a known key (and always when there are no keys), 404 for an unknown method, 405 for another
/// verb than POST, 413 for a body over 1 MiB (`stream` has other limits), 400 for one that is not JSON; else 200 with `{"result":…}` or
/// `{"error":…}`.
public final class HTTPAPI: Sendable {
  let hub: Hub
  let node: NodeIdentity
  let uptimeSeconds: @Sendable () -> UInt64
  let moreMetrics: @Sendable () -> [(name: String, value: UInt64)]
  let revocations: TokenRevocations?
  let now: @Sendable () -> UInt64
  let log: ServerLog?
  let backend: any SessionBackend
  private let keys: Mutex<APIKeys>
  let prefix: String

  /// Makes the service.
  ///
  /// - Parameters:
  ///   - hub: What the calls are made on; the service runs on its loops.
  ///   - keys: The keys that open it; empty ones do not count. With none it is closed.
  ///   - node: What `info` says of this process.
  ///   - uptimeSeconds: How long the process has been running.
  ///   - moreMetrics: What `info` counts beside what the hub counts.
  ///   - revocations: What the verifier of tokens looks at; nil where nothing can be revoked.
  ///   - now: Seconds since 1970.
  ///   - backend: The application, which answers `rpc`.
  ///   - log: Where requests with a wrong key are noted; nil: nowhere.
  ///   - isOpen: Whether it may be called without a key, by anything but web pages.
  ///   - prefix: The path before the method, without a slash at its end.
  public init(
    hub: Hub, keys: [String], node: NodeIdentity, uptimeSeconds: @escaping @Sendable () -> UInt64,
    moreMetrics: @escaping @Sendable () -> [(name: String, value: UInt64)] = { [] },
    revocations: TokenRevocations? = nil, now: @escaping @Sendable () -> UInt64 = { 0 },
    backend: any SessionBackend = NoBackend(), log: ServerLog? = nil, isOpen: Bool = false,
    prefix: String = "/api"
  ) {
    self.log = log
    self.backend = backend
    self.revocations = revocations
    self.now = now
    self.hub = hub
    self.node = node
    self.uptimeSeconds = uptimeSeconds
    self.moreMetrics = moreMetrics
    self.keys = Mutex(APIKeys(keys, isOpen: isOpen))
    self.prefix = prefix
  }

  /// Opens the API by these keys from now on, and by no others; without one, too, if it `isOpen`. Any thread.
  public func use(keys: [String], isOpen: Bool = false) {
    self.keys.withLock { $0 = APIKeys(keys, isOpen: isOpen) }
  }

  /// What to do about a request.
  enum Call {
    /// The request is not for this service, or cannot be read: a status and no more.
    case refuse(HTTPStatus, HTTPFields, String = "")
    /// It was read, and lacks something.
    case fail(APIError)
    case perform(APIRequest)
    /// Publications, one a line.
    case stream(summarized: Bool)
  }

  /// A function of the request alone, so that it is tested without a socket.
  func call(_ head: HTTPRequestHead, body: UnsafeRawBufferPointer) -> Call {
    let keys = keys.withLock { $0 }
    guard keys.admit(head.fields) else {
      let hint =
        keys.isEmpty ? "The server has no api.keys." : "Send a key of the server's api.keys as X-API-Key."
      return .refuse(.unauthorized, HTTPFields(), hint)
    }
    let name = methodName(of: head)
    let isStream = name == Self.stream
    guard let method = isStream ? APIMethod.publish : name.flatMap(APIMethod.init(rawValue:)) else {
      let names = (APIMethod.allCases.map(\.rawValue) + [Self.stream]).joined(separator: ", ")
      return .refuse(.notFound, HTTPFields(), "The methods are \(names).")
    }
    guard head.method == .post else {
      return .refuse(.methodNotAllowed, ["Allow": "POST"], "Methods are called by POST.")
    }
    guard body.count <= APILimits.maximumBodyBytes else { return .refuse(.contentTooLarge, HTTPFields()) }
    if isStream {
      let items = head.query.map(PercentEncoding.queryItems) ?? []
      return .stream(summarized: items.contains { $0.name == "summary" && $0.value == "1" })
    }
    do {
      return switch try APIRequest.decode(method, body) {
      case .success(let request): .perform(request)
      case .failure(let error): .fail(error)
      }
    } catch {
      return .refuse(.badRequest, HTTPFields(), "The body does not fit the method. \(error)")
    }
  }

  /// The method beside Centrifugo's.
  static let stream = "stream"

  /// What the path says behind the prefix.
  func methodName(of head: HTTPRequestHead) -> String? {
    let path = head.path
    let name = path.utf8.dropFirst(prefix.utf8.count)
    guard path.utf8.starts(with: prefix.utf8), name.first == UInt8(ascii: "/") else { return nil }
    return String(Substring(name.dropFirst()))
  }
}
