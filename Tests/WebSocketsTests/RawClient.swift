import Glibc

/// A blocking TCP client on plain system calls: a peer that shares no code with what is tested.
final class RawClient {
  let descriptor: Int32

  init?(port: UInt16) {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var deadline = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &deadline, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
    }
    if result != 0 { return nil }
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8]) {
    var offset = 0
    while offset < bytes.count {
      let count = bytes[offset...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { return }
      offset += count
    }
  }

  func send(_ text: String) { send(Array(text.utf8)) }

  /// Reads until the stream ends, or what came ends with the given bytes.
  func receive(until end: [UInt8]? = nil) -> [UInt8] {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      if let end, received.count >= end.count, received.suffix(end.count).elementsEqual(end) {
        return received
      }
      let count = recv(descriptor, &buffer, buffer.count, 0)
      // A ring of io_uring that a test drives on this thread interrupts what the thread waits for.
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return received }
      received.append(contentsOf: buffer[..<count])
    }
  }

  func receive(untilText end: String) -> String {
    String(decoding: receive(until: Array(end.utf8)), as: UTF8.self)
  }

  func receiveText() -> String { String(decoding: receive(), as: UTF8.self) }
}
