import Transport

/// Asks a SOCKS 5 proxy for a connection (RFC 1928), with user name and password where there are any (RFC 1929).
/// Names are sent as names: the proxy looks them up.
struct SOCKS5Dialogue: ProxyDialogue {
  private enum State {
    case greeting, method, authentication, reply, established
  }

  private static let version: UInt8 = 5
  private static let noAuthentication: UInt8 = 0
  private static let userAndPassword: UInt8 = 2

  private let destination: ProxyDestination
  private let credentials: (user: String, password: String)?
  private var state = State.greeting
  /// The answer under way: at most 262 bytes.
  private var answer: [UInt8] = []

  init(to destination: ProxyDestination, credentials: (user: String, password: String)?) {
    self.destination = destination
    self.credentials = credentials
  }

  mutating func next(_ input: inout UnsafeRawBufferPointer) throws(ProxyRefusal) -> ProxyStep? {
    switch state {
    case .greeting:
      state = .method
      return .send([Self.version] + (credentials == nil ? [1, 0] : [2, 0, Self.userAndPassword]))
    case .method:
      guard take(2, &input) else { return nil }
      return .send(try afterMethod())
    case .authentication:
      guard take(2, &input) else { return nil }
      return .send(try afterAuthentication())
    case .reply:
      guard try takeReply(&input) else { return nil }
      state = .established
      return .established
    case .established:
      return .established
    }
  }

  /// Collects an answer of `count` bytes; true when it is whole.
  private mutating func take(_ count: Int, _ input: inout UnsafeRawBufferPointer) -> Bool {
    let taken = min(max(0, count - answer.count), input.count)
    answer.append(contentsOf: input[..<taken])
    input = UnsafeRawBufferPointer(rebasing: input[taken...])
    return answer.count >= count
  }

  // MARK: Method and password

  private mutating func afterMethod() throws(ProxyRefusal) -> [UInt8] {
    let (version, method) = (answer[0], answer[1])
    guard version == Self.version else {
      throw ProxyRefusal("does not speak SOCKS 5: its answer begins with the byte \(version).")
    }
    answer = []
    switch (method, credentials) {
    case (Self.noAuthentication, _):
      return try request()
    case (Self.userAndPassword, let credentials?):
      state = .authentication
      return try password(credentials)
    case (0xFF, nil):
      throw ProxyRefusal("wants a user name and a password. Write them as socks5://user:password@proxy:port.")
    case (0xFF, _):
      throw ProxyRefusal("takes no user name and password, and does not go without, either.")
    default:
      throw ProxyRefusal("wants an authentication that was not offered (method \(method)).")
    }
  }

  /// RFC 1929 §2.
  private func password(_ credentials: (user: String, password: String)) throws(ProxyRefusal) -> [UInt8] {
    guard let user = UInt8(exactly: credentials.user.utf8.count),
      let password = UInt8(exactly: credentials.password.utf8.count)
    else { throw ProxyRefusal("cannot take a user name or password of more than 255 bytes.") }
    return [1, user] + Array(credentials.user.utf8) + [password] + Array(credentials.password.utf8)
  }

  private mutating func afterAuthentication() throws(ProxyRefusal) -> [UInt8] {
    guard answer[0] == 1 else {
      throw ProxyRefusal("does not speak SOCKS 5: its answer to the password begins with \(answer[0]).")
    }
    guard answer[1] == 0 else { throw ProxyRefusal("does not take this user name and password.") }
    answer = []
    return try request()
  }

  // MARK: Request and reply

  /// RFC 1928 §4.
  private mutating func request() throws(ProxyRefusal) -> [UInt8] {
    state = .reply
    return [Self.version, 1, 0] + (try address())
      + [UInt8(truncatingIfNeeded: destination.port >> 8), UInt8(truncatingIfNeeded: destination.port)]
  }

  private func address() throws(ProxyRefusal) -> [UInt8] {
    switch SocketAddress(literal: destination.host, port: destination.port) {
    case .ipv4(let bits, _):
      return [1] + Self.bigEndian(bits)
    case .ipv6(let high, let low, _, _):
      return [4] + Self.bigEndian(high) + Self.bigEndian(low)
    case .unix, nil:
      let name = Array(destination.host.utf8)
      guard let count = UInt8(exactly: name.count), count > 0 else {
        throw ProxyRefusal("cannot take a host name of more than 255 bytes.")
      }
      return [3, count] + name
    }
  }

  private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
  }

  /// RFC 1928 §6: `VER REP RSV ATYP BND.ADDR BND.PORT`. A refusal is told by its second byte; what should follow may
  /// never come.
  private mutating func takeReply(_ input: inout UnsafeRawBufferPointer) throws(ProxyRefusal) -> Bool {
    guard take(2, &input) else { return false }
    guard answer[0] == Self.version else {
      throw ProxyRefusal("does not speak SOCKS 5: its reply begins with the byte \(answer[0]).")
    }
    guard answer[1] == 0 else { throw refusal(answer[1]) }
    guard take(5, &input) else { return false }
    switch answer[3] {
    case 1: return take(4 + 4 + 2, &input)
    case 3: return take(4 + 1 + Int(answer[4]) + 2, &input)
    case 4: return take(4 + 16 + 2, &input)
    default: throw ProxyRefusal("does not speak SOCKS 5: its reply has an address of type \(answer[3]).")
    }
  }

  private func refusal(_ code: UInt8) -> ProxyRefusal {
    let place = destination.authority
    let complaint =
      switch code {
      case 1: "could not reach \(place): general failure of the proxy."
      case 2: "does not allow connections to \(place)."
      case 3: "could not reach \(place): network unreachable."
      case 4: "could not reach \(place): host unreachable, or its name is not known."
      case 5: "could not reach \(place): connection refused."
      case 6: "got no answer from \(place) in time (TTL expired)."
      case 7: "does not make connections for others (the command is not supported)."
      case 8: "does not take this kind of address (\(place))."
      default: "could not reach \(place): reply \(code)."
      }
    return ProxyRefusal(complaint)
  }
}
