import HTTPCore
import Realtime

/// Centrifugo's server API over HTTP: `POST <prefix>/<method>` with a JSON body, opened by a key.
///
/// 401 without a known key (and always when there are no keys), 404 for an unknown method, 405 for another
/// verb than POST, 413 for a body over 1 MiB, 400 for one that is not JSON; else 200 with `{"result":…}` or
/// `{"error":…}`.
public final class HTTPAPI: Sendable {
  let hub: Hub
  let node: NodeIdentity
  let uptimeSeconds: @Sendable () -> UInt64
  let moreMetrics: @Sendable () -> [(name: String, value: UInt64)]
  private let keys: APIKeys
  private let prefix: String

  /// Makes the service.
  ///
  /// - Parameters:
  ///   - hub: What the calls are made on; the service runs on its loops.
  ///   - keys: The keys that open it; empty ones do not count. With none it is closed.
  ///   - node: What `info` says of this process.
  ///   - uptimeSeconds: How long the process has been running.
  ///   - moreMetrics: What `info` counts beside what the hub counts.
  ///   - prefix: The path before the method, without a slash at its end.
  public init(
    hub: Hub, keys: [String], node: NodeIdentity, uptimeSeconds: @escaping @Sendable () -> UInt64,
    moreMetrics: @escaping @Sendable () -> [(name: String, value: UInt64)] = { [] }, prefix: String = "/api"
  ) {
    self.hub = hub
    self.node = node
    self.uptimeSeconds = uptimeSeconds
    self.moreMetrics = moreMetrics
    self.keys = APIKeys(keys)
    self.prefix = prefix
  }

  /// What to do about a request.
  enum Call {
    /// The request is not for this service, or cannot be read: a status and no more.
    case refuse(HTTPStatus, HTTPFields)
    /// It was read, and lacks something.
    case fail(APIError)
    case perform(APIRequest)
  }

  /// A function of the request alone, so that it is tested without a socket.
  func call(_ head: HTTPRequestHead, body: UnsafeRawBufferPointer) -> Call {
    guard keys.admit(head.fields) else { return .refuse(.unauthorized, HTTPFields()) }
    guard let method = method(of: head.path) else { return .refuse(.notFound, HTTPFields()) }
    guard head.method == .post else { return .refuse(.methodNotAllowed, ["Allow": "POST"]) }
    guard body.count <= APILimits.maximumBodyBytes else { return .refuse(.contentTooLarge, HTTPFields()) }
    do {
      return switch try APIRequest.decode(method, body) {
      case .success(let request): .perform(request)
      case .failure(let error): .fail(error)
      }
    } catch {
      return .refuse(.badRequest, HTTPFields())
    }
  }

  private func method(of path: String) -> APIMethod? {
    guard path.hasPrefix(prefix + "/") else { return nil }
    return APIMethod(rawValue: String(path.dropFirst(prefix.count + 1)))
  }
}
