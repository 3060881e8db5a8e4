import CLinux

/// Where a stream socket is, or whom it talks to: an IPv4 or IPv6 address with a port, or a Unix socket's path.
public enum SocketAddress: Sendable, Hashable {
  /// Address and port in host byte order: 127.0.0.1 is 0x7F00_0001.
  case ipv4(UInt32, port: UInt16)
  /// The address's first and last eight bytes in host byte order, and the scope of a link-local address.
  case ipv6(UInt64, UInt64, scope: UInt32, port: UInt16)
  /// A path of 1...107 bytes; empty for the unnamed end of a Unix connection.
  case unix(String)

  /// 127.0.0.1 with `port`.
  public static func loopback(port: UInt16) -> SocketAddress { .ipv4(0x7F00_0001, port: port) }

  /// The port, or nil for a Unix socket.
  public var port: UInt16? {
    switch self {
    case .ipv4(_, let port), .ipv6(_, _, _, let port): port
    case .unix: nil
    }
  }

  /// The address without its port: `127.0.0.1`, `::1`, or the path of a Unix socket.
  public var host: String {
    switch self {
    case .ipv4(let bits, _):
      return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
    case .ipv6(let high, let low, let scope, _):
      var address = in6_addr()
      withUnsafeMutableBytes(of: &address) {
        $0.storeBytes(of: high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
        inet_ntop(AF_INET6, &address, buffer.baseAddress, 64).map { String(cString: $0) } ?? "::"
      }
      return scope == 0 ? text : "\(text)%\(scope)"
    case .unix(let path):
      return path
    }
  }

  /// The same address with another port; a Unix socket stays what it is.
  public func with(port: UInt16) -> SocketAddress {
    switch self {
    case .ipv4(let bits, _): .ipv4(bits, port: port)
    case .ipv6(let high, let low, let scope, _): .ipv6(high, low, scope: scope, port: port)
    case .unix: self
    }
  }
}

extension SocketAddress: CustomStringConvertible {
  /// `127.0.0.1:80`, `[::1]:80` or `unix:/path`.
  public var description: String {
    switch self {
    case .ipv4(_, let port): "\(host):\(port)"
    case .ipv6(_, _, _, let port): "[\(host)]:\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

extension SocketAddress {
  var family: Int32 {
    switch self {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }

  /// The longest path that fits `sun_path` with its final zero.
  package static var maximumUnixPathByteCount: Int { 107 }

  /// Reads what the kernel or the resolver wrote; nil for families we do not speak.
  package init?(_ storage: UnsafeRawBufferPointer) {
    guard storage.count >= MemoryLayout<sa_family_t>.size else { return nil }
    switch Int32(storage.loadUnaligned(as: sa_family_t.self)) {
    case AF_INET where storage.count >= MemoryLayout<sockaddr_in>.size:
      let address = storage.loadUnaligned(as: sockaddr_in.self)
      self = .ipv4(UInt32(bigEndian: address.sin_addr.s_addr), port: UInt16(bigEndian: address.sin_port))
    case AF_INET6 where storage.count >= MemoryLayout<sockaddr_in6>.size:
      let address = storage.loadUnaligned(as: sockaddr_in6.self)
      let offset = MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr) ?? 8
      let high = storage.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
      let low = storage.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
      self = .ipv6(
        UInt64(bigEndian: high), UInt64(bigEndian: low), scope: address.sin6_scope_id,
        port: UInt16(bigEndian: address.sin6_port))
    case AF_UNIX:
      let path = storage.dropFirst(MemoryLayout<sa_family_t>.size).prefix { $0 != 0 }
      self = .unix(String(decoding: path, as: UTF8.self))
    default:
      return nil
    }
  }

  /// Calls `body` with the address as the kernel wants it; nil if a Unix path is too long or holds a NUL.
  package func withSockaddr<R>(_ body: (UnsafeRawPointer, UInt32) -> R) -> R? {
    switch self {
    case .ipv4(let bits, let port):
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = port.bigEndian
      address.sin_addr.s_addr = bits.bigEndian
      return body(&address, UInt32(MemoryLayout<sockaddr_in>.size))
    case .ipv6(let high, let low, let scope, let port):
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      address.sin6_port = port.bigEndian
      address.sin6_scope_id = scope
      withUnsafeMutableBytes(of: &address.sin6_addr) {
        $0.storeBytes(of: high.bigEndian, as: UInt64.self)
        $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
      }
      return body(&address, UInt32(MemoryLayout<sockaddr_in6>.size))
    case .unix(let path):
      let bytes = Array(path.utf8)
      guard !bytes.isEmpty, bytes.count <= Self.maximumUnixPathByteCount, !bytes.contains(0) else {
        return nil
      }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
      return body(&address, UInt32(MemoryLayout<sockaddr_un>.size))
    }
  }
}
