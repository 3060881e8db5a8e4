import Realtime

/// An error inside an answer: HTTP status 200, `{"error":{"code":…,"message":…}}`. The numbers are
/// Centrifugo's.
struct APIError: Error, Sendable, Hashable {
  let code: Int
  let message: String

  /// Errors compare by their code: the message is for people.
  static func == (a: APIError, b: APIError) -> Bool { a.code == b.code }

  func hash(into hasher: inout Hasher) { hasher.combine(code) }

  static let internalError = APIError(code: 100, message: "internal server error")
  static let unknownChannel = APIError(code: 102, message: "unknown channel")
  static let permissionDenied = APIError(code: 103, message: "permission denied")
  static let methodNotFound = APIError(code: 104, message: "method not found")
  static let limitExceeded = APIError(code: 106, message: "limit exceeded")
  static let badRequest = badRequest("bad request")

  /// 107, with what is wrong about it.
  static func badRequest(_ what: String) -> APIError { APIError(code: 107, message: what) }
  static let notAvailable = APIError(code: 108, message: "not available")
  static let noMethods = APIError(
    code: 108, message: "not available: no application answers calls (backend.rpc_url)")
  static let tooManyRevocations = APIError(
    code: 106, message: "limit exceeded: too many revocations; let them end earlier (expire_at)")
  static let tooManyLines = APIError(
    code: 106,
    message:
      "limit exceeded: the lines from here on were not read; at most \(APILimits.maximumStreamLines) are"
      + " answered one by one, any number with ?summary=1")
  static let unrecoverablePosition = APIError(code: 112, message: "unrecoverable position")
}

extension APIError {
  /// What the hub refused, in this protocol's words.
  init(_ error: HubError) {
    self =
      switch error {
      case .unknownChannel: .unknownChannel
      case .permissionDenied: .permissionDenied
      case .limitExceeded: .limitExceeded
      case .badRequest: .badRequest
      case .notAvailable: .notAvailable
      case .unrecoverablePosition: .unrecoverablePosition
      default: .internalError
      }
  }
}
