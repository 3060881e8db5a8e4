import COpenSSL
import Glibc

/// A blocking TLS client on OpenSSL alone, over a TCP client that may have sent something before.
final class RawTLSClient {
  private let raw: RawClient
  private let context: OpaquePointer?
  private let session: OpaquePointer?

  /// Makes the handshake without a look at the certificate; nil where the server does not complete it.
  init?(over raw: RawClient) {
    self.raw = raw
    context = SSL_CTX_new(TLS_client_method())
    session = SSL_new(context)
    signal(SIGPIPE, SIG_IGN)
    guard SSL_set_fd(session, raw.descriptor) == 1, retried({ SSL_connect(session) }) == 1 else { return nil }
  }

  deinit {
    SSL_free(session)
    SSL_CTX_free(context)
  }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    _ = retried { SSL_write(session, bytes, Int32(bytes.count)) }
  }

  /// Reads until the stream ends.
  func receiveText() -> String {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while case let count = retried({ SSL_read(session, &buffer, Int32(buffer.count)) }), count > 0 {
      received += buffer[..<Int(count)]
    }
    return String(decoding: received, as: UTF8.self)
  }

  /// A ring of io_uring that a test drives on this thread interrupts what the thread waits for.
  private func retried(_ call: () -> Int32) -> Int32 {
    while true {
      errno = 0
      let result = call()
      if result > 0 || errno != EINTR { return result }
    }
  }
}
