import Glibc
import Testing

/// A blocking TCP client on plain system calls.
final class LoopbackClient {
  private let descriptor: Int32

  init(port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var deadline = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(status == 0)
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) throws {
    try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
  }

  func send(_ text: String) throws { try send(Array(text.utf8)) }

  /// Sends a masked text frame with a key that changes nothing.
  func send(frame text: String) throws {
    precondition(text.utf8.count < 126)
    try send([0x81, 0x80 | UInt8(text.utf8.count), 0, 0, 0, 0] + Array(text.utf8))
  }

  /// What comes until the stream ends, or until it ends with `end`.
  func receive(until end: String? = nil) -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while end.map({ !received.suffix($0.utf8.count).elementsEqual($0.utf8) }) ?? true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      // A ring of io_uring that a test drives on this thread interrupts what the thread waits for.
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      received += buffer[..<count]
    }
    return received
  }

  /// One frame of at most 64 KiB.
  func receiveFrame() -> [UInt8] {
    var frame: [UInt8] = []
    func read(_ count: Int) -> Bool {
      let end = frame.count + count
      var buffer = [UInt8](repeating: 0, count: count)
      while frame.count < end {
        let received = recv(descriptor, &buffer, end - frame.count, 0)
        if received < 0, errno == EINTR { continue }
        guard received > 0 else { return false }
        frame += buffer[..<received]
      }
      return true
    }
    guard read(2) else { return frame }
    if frame[1] == 126, read(2) {
      _ = read(Int(frame[2]) << 8 | Int(frame[3]))
    } else if frame[1] > 0 {
      _ = read(Int(frame[1]))
    }
    return frame
  }

  func receiveText(until end: String? = nil) -> String {
    String(decoding: receive(until: end), as: UTF8.self)
  }
}
