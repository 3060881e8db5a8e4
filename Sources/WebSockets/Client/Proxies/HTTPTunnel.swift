import Bytes
import HTTPCore

/// Asks an HTTP proxy for a tunnel: CONNECT (RFC 9110 §9.3.6).
struct HTTPTunnel: ProxyDialogue, ~Copyable {
  /// Interim responses (1xx) that are passed over.
  private static let maximumInterimResponses = 8

  private let destination: ProxyDestination
  private let credentials: BasicCredentials?
  private var decoder = HTTPResponseDecoder(limits: HTTPLimits())
  private var isAsked = false
  private var interimResponses = 0

  init(to destination: ProxyDestination, credentials: BasicCredentials?) {
    self.destination = destination
    self.credentials = credentials
  }

  mutating func next(_ input: inout UnsafeRawBufferPointer) throws(ProxyRefusal) -> ProxyStep? {
    if !isAsked { return .send(try request()) }
    while let head = try responseHead(&input) {
      // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior to a final response".
      if head.status.code < 200, head.status.code != 101 {
        interimResponses += 1
        guard interimResponses <= Self.maximumInterimResponses else {
          throw ProxyRefusal("sends interim responses without end.")
        }
        continue
      }
      // §9.3.6: "Any 2xx (Successful) response indicates that the sender … will switch to tunnel mode".
      guard head.status.code / 100 == 2 else { throw refusal(head) }
      return .established
    }
    return nil
  }

  private mutating func request() throws(ProxyRefusal) -> [UInt8] {
    isAsked = true
    decoder.expect(.connect)
    var fields: HTTPFields = ["Host": destination.authority]
    if let credentials { fields.append("Proxy-Authorization", credentials.fieldValue) }
    var writer = ByteWriter()
    do {
      try HTTPEncoder.encode(
        HTTPRequestHead(method: .connect, target: destination.authority, fields: fields), into: &writer)
    } catch {
      throw ProxyRefusal("cannot be asked for \(destination.authority): \(error.description)")
    }
    return writer.bytes
  }

  private mutating func responseHead(
    _ input: inout UnsafeRawBufferPointer
  ) throws(ProxyRefusal) -> HTTPResponseHead? {
    do {
      guard case .head(let head)? = try decoder.next(&input) else { return nil }
      return head
    } catch {
      throw ProxyRefusal("does not speak HTTP: \(error.description)")
    }
  }

  private func refusal(_ head: HTTPResponseHead) -> ProxyRefusal {
    let place = destination.authority
    let complaint =
      switch head.status.code {
      case 300..<400: "answers with a redirect (\(head.status)), which a tunnel cannot have."
      case 401 where credentials == nil: "refuses \(place): \(head.status)."
      case 403: "does not allow connections to \(place): \(head.status)."
      case 405, 501: "does not make tunnels (CONNECT): \(head.status)."
      case 407 where credentials == nil:
        "wants a user name and a password: \(head.status). Write them as http://user:password@proxy:port."
      // tinyproxy answers 401 to a wrong password, and 407 only where none was sent.
      case 401, 407: "does not take this user name and password: \(head.status)."
      case 429: "gets too many requests: \(head.status)."
      case 404, 502, 503: "could not reach \(place): \(head.status)."
      case 504: "got no answer from \(place) in time: \(head.status)."
      default: "refuses a tunnel to \(place): \(head.status)."
      }
    return ProxyRefusal(complaint, status: head.status, fields: head.fields)
  }
}
