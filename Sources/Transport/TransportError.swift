import CLinux
import EventLoops

/// Why listening or connecting failed: a code to act on, and a message that says what to do.
public struct TransportError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What went wrong, in kinds; more may be added.
  public struct Code: Sendable, Hashable, CustomStringConvertible {
    /// The code's name.
    public let description: String

    /// Another socket listens there.
    public static let addressInUse = Code(description: "addressInUse")
    /// This machine does not have the address.
    public static let addressNotAvailable = Code(description: "addressNotAvailable")
    /// The address cannot be used: a bad host, port or path.
    public static let invalidAddress = Code(description: "invalidAddress")
    /// The system does not allow it.
    public static let permissionDenied = Code(description: "permissionDenied")
    /// Nothing listens there.
    public static let refused = Code(description: "refused")
    /// No way to the network or host.
    public static let unreachable = Code(description: "unreachable")
    /// No answer in time.
    public static let timedOut = Code(description: "timedOut")
    /// The host name has no address, or could not be looked up.
    public static let nameNotResolved = Code(description: "nameNotResolved")
    /// Descriptors or memory ran out.
    public static let outOfResources = Code(description: "outOfResources")
    /// The TLS handshake failed, or TLS broke off later.
    public static let tlsFailed = Code(description: "tlsFailed")
    /// The peer's certificate was not accepted: expired, for another host, of an unknown issuer...
    public static let certificateRejected = Code(description: "certificateRejected")
    /// A certificate, key or setting of TLS cannot be used.
    public static let invalidTLSOptions = Code(description: "invalidTLSOptions")
    /// The attempt was cancelled.
    public static let cancelled = Code(description: "cancelled")
    /// Something else; `errno` says what.
    public static let system = Code(description: "system")
  }

  /// The kind of failure.
  public let code: Code
  /// What happened and what can be done, in one line.
  public let message: String
  /// The system's error number, or 0.
  public let errno: Int32

  init(_ code: Code, _ message: String, errno: Int32 = 0) {
    self.code = code
    self.message = message
    self.errno = errno
  }

  /// The message.
  public var description: String { message }
}

extension TransportError {
  /// The name and meaning of an errno: `ECONNRESET (Connection reset by peer)`.
  package static func text(of errno: Int32) -> String {
    let name = clinux_error_name(errno).map { String(cString: $0) } ?? "errno \(errno)"
    let meaning = strerror(errno).map { String(cString: $0) } ?? ""
    return "\(name) (\(meaning))"
  }

  static func listening(on place: String, errno: Int32) -> TransportError {
    let start = "Cannot listen on \(place): "
    switch errno {
    case EADDRINUSE:
      return TransportError(
        .addressInUse, start + "another program listens there. Stop it or choose another port or path.",
        errno: errno)
    case EADDRNOTAVAIL:
      return TransportError(
        .addressNotAvailable, start + "this machine does not have that address. Use 0.0.0.0 or :: for all.",
        errno: errno)
    case EACCES, EPERM, EROFS:
      return TransportError(
        .permissionDenied,
        start + "permission denied. Ports below 1024 and protected folders need rights; choose another.",
        errno: errno)
    case ENAMETOOLONG, ENOENT, ENOTDIR, EINVAL:
      return TransportError(
        .invalidAddress,
        start + "\(text(of: errno)). A Unix socket's path has 1 to 107 bytes and its folder must exist.",
        errno: errno)
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      return TransportError(
        .outOfResources, start + "\(text(of: errno)). Raise the limit of open files (ulimit -n).",
        errno: errno)
    default:
      return TransportError(.system, start + text(of: errno) + ".", errno: errno)
    }
  }

  static func connecting(to place: String, from source: SocketAddress?, errno: Int32) -> TransportError {
    let start = "Cannot connect to \(place)\(source.map { " from \($0.host)" } ?? ""): "
    switch errno {
    case EADDRNOTAVAIL where source != nil:
      return TransportError(
        .addressNotAvailable, start + "this machine does not have that address, or no port of it is free.",
        errno: errno)
    case EADDRNOTAVAIL:
      return TransportError(
        .addressNotAvailable,
        start + "no address or port of this machine is free for it. Connect from several addresses.",
        errno: errno)
    case EAFNOSUPPORT where source != nil:
      return TransportError(
        .invalidAddress, start + "one is an IPv4 address and the other is not.", errno: errno)
    case ECONNREFUSED:
      return TransportError(
        .refused, start + "nothing listens there. Check host and port and that the server runs.", errno: errno
      )
    case ENOENT, ENOTDIR:
      return TransportError(
        .refused, start + "there is no such socket. Check the path and that the server runs.", errno: errno)
    case ETIMEDOUT:
      return TransportError(
        .timedOut, start + "no answer in time. Check the address and firewalls.", errno: errno)
    case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN:
      return TransportError(
        .unreachable, start + "\(text(of: errno)). Check the network.", errno: errno)
    case EACCES, EPERM:
      return TransportError(.permissionDenied, start + "permission denied.", errno: errno)
    case ENAMETOOLONG, EINVAL, EAFNOSUPPORT:
      return TransportError(.invalidAddress, start + text(of: errno) + ".", errno: errno)
    case EMFILE, ENFILE, ENOBUFS, ENOMEM:
      return TransportError(
        .outOfResources, start + "\(text(of: errno)). Raise the limit of open files (ulimit -n).",
        errno: errno)
    default:
      return TransportError(.system, start + text(of: errno) + ".", errno: errno)
    }
  }
}
