import Glibc

/// A blocking client on plain system calls. What it allocates is not of the loop's thread.
final class Peer {
  private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  private var buffer = [UInt8](repeating: 0, count: 1 << 16)

  /// Connects and does the opening handshake.
  init(port: UInt16, path: String = "/", fields: String = "") {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    precondition(status == 0, "no connection")
    var noDelay: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &noDelay, socklen_t(MemoryLayout<Int32>.size))
    send(
      Array(
        ("GET \(path) HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(fields)\r\n").utf8)
    )
    var head: [UInt8] = []
    while !head.suffix(4).elementsEqual("\r\n\r\n".utf8) { head += receive(1) }
    precondition(head.starts(with: "HTTP/1.1 101 ".utf8), "no WebSocket")
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    precondition(count == bytes.count, "the server takes no more")
  }

  @discardableResult
  func receive(_ count: Int) -> ArraySlice<UInt8> {
    var received = 0
    while received < count {
      let new = buffer.withUnsafeMutableBytes {
        recv(descriptor, $0.baseAddress?.advanced(by: received), count - received, 0)
      }
      precondition(new > 0, "the server has ended")
      received += new
    }
    return buffer[..<count]
  }

  /// Sends frames and waits for the answer, so many times.
  func exchange(_ frames: [UInt8], answer count: Int, times: Int) {
    for _ in 0..<times {
      send(frames)
      receive(count)
    }
  }
}

/// A client's frame; a key of zeros changes nothing.
func clientFrame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
  let length = UInt16(payload.count)
  let head: [UInt8] =
    payload.count < 126
    ? [first, 0x80 | UInt8(length)] : [first, 0x80 | 126, UInt8(length >> 8), UInt8(length & 255)]
  return head + [0, 0, 0, 0] + payload
}
