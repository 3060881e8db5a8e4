import COpenSSL
import EventLoops

/// The TLS side of one connection: owns an `SSL`. Loop-confined, like its connection.
///
/// It does no I/O. Each call is given ciphertext through the loop's wire and leaves ciphertext there.
final class TLSSession {
  enum Role { case server, client }

  /// Where a call has ended.
  enum Outcome {
    /// The handshake is complete, or the buffer for plaintext is full.
    case done
    /// The input is used up.
    case needsInput
    /// The peer's close_notify (RFC 8446 §6.1).
    case ended
    case failed(TransportError)
  }

  let role: Role
  let ssl: OpaquePointer
  /// Keeps what OpenSSL's callbacks point to alive: the certificates of a server, the session cache of a client.
  let owner: AnyObject
  /// Under which key the session is kept for resumption; clients only.
  let cacheKey: String
  let wire: UnsafeMutablePointer<LoopTLS.Wire>
  /// The loop's: owns the wire.
  let shared: LoopTLS
  /// TLS within TLS: the session whose plaintext this one's ciphertext is.
  var outer: TLSSession?

  /// Ciphertext that the kernel has not taken.
  var ciphertext: OutboundQueue.Pointer?
  /// Ciphertext that arrived and is not decrypted, because reading is paused.
  var held: [UInt8] = []
  /// There is something to take up when reading goes on, in `held` or inside OpenSSL.
  var isHeld = false
  /// Nil when it is done.
  var handshake: TLSHandshake?
  var closeNotifySent = false
  /// Nothing but tickets of TLS 1.3 is kept. The peer does not wait for them, so they leave with the first message, which
  /// spares both sides a packet.
  var ticketsWait = false
  /// Why it has failed; nothing can be read or written then.
  var failure: TransportError?
  /// Its place among the loop's warm sessions, and what decides on it.
  var seat: Int?
  var hasReadSinceAsked = false
  var readCount: UInt8 = 0
  private var knownPeer: TLSPeerCertificate??

  /// Makes a session over an `SSL_CTX`; nil when memory ran out.
  init?(_ role: Role, context: OpaquePointer, owner: AnyObject, cacheKey: String = "", shared: LoopTLS) {
    guard let ssl = SSL_new(context) else { return nil }
    guard let bio = shared.makeBIO() else {
      SSL_free(ssl)
      return nil
    }
    self.role = role
    self.ssl = ssl
    self.owner = owner
    self.cacheKey = cacheKey
    wire = shared.wire
    self.shared = shared
    SSL_set_bio(ssl, bio, bio)
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    if role == .server { SSL_set_accept_state(ssl) } else { SSL_set_connect_state(ssl) }
  }

  deinit {
    shared.warmSessions.leave(self)
    SSL_free(ssl)
    if let ciphertext { OutboundQueue.destroy(ciphertext) }
  }

  /// The session that OpenSSL's callbacks are about.
  static func of(_ ssl: OpaquePointer?) -> TLSSession? {
    guard let ssl, let pointer = SSL_get_ex_data(ssl, 0) else { return nil }
    return Unmanaged<TLSSession>.fromOpaque(pointer).takeUnretainedValue()
  }

  var queuedByteCount: Int { ciphertext?.pointee.byteCount ?? 0 }

  /// Goes on with the handshake; takes what it can of `input`.
  func shakeHands(_ input: inout UnsafeRawBufferPointer) -> Outcome {
    let result = withInput(&input) { SSL_do_handshake(ssl) }
    defer { releaseBuffers() }
    if result == 1 { return .done }
    if SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ { return .needsInput }
    return .failed(handshakeError())
  }

  /// Decrypts as many records as `buffer` has room for; returns how many bytes they had.
  func read(_ input: inout UnsafeRawBufferPointer, into buffer: UnsafeMutableRawBufferPointer) -> (
    count: Int, outcome: Outcome
  ) {
    var count = 0
    defer { releaseBuffers() }
    // A record is never taken in part, so that OpenSSL keeps no plaintext.
    while buffer.count - count >= LoopTLS.recordByteCount {
      var read = 0
      let result = withInput(&input) {
        SSL_read_ex(ssl, buffer.baseAddress.map { $0 + count }, buffer.count - count, &read)
      }
      guard result == 1 else {
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return (count, .needsInput)
        case SSL_ERROR_ZERO_RETURN: return (count, .ended)
        default: return (count, .failed(TLSFailure.reading(from: role)))
        }
      }
      count += read
      shared.warmSessions.hasRead(self)
      // OpenSSL reads no further than the record that it gives out: asking once more would only be told so.
      if input.isEmpty { return (count, .needsInput) }
    }
    return (count, .done)
  }

  /// Encrypts all of `bytes`, which is not empty.
  func write(_ bytes: UnsafeRawBufferPointer) -> TransportError? {
    var written = 0
    // What the thread's queue of errors holds does not matter: whatever is not a success is a failure.
    let result = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
    releaseBuffers()
    return result == 1 && written == bytes.count ? nil : TLSFailure.writing
  }

  /// RFC 8446 §6.1: "Each party MUST send a "close_notify" alert before closing its write side of the connection".
  func sendCloseNotify() {
    guard !closeNotifySent else { return }
    closeNotifySent = true
    ERR_clear_error()
    _ = SSL_shutdown(ssl)
  }

  /// What the peer has proved to be; nil if it gave no certificate.
  var peerCertificate: TLSPeerCertificate? {
    if let knownPeer { return knownPeer }
    let found = TLSPeerCertificate(of: ssl)
    knownPeer = .some(found)
    return found
  }

  private func withInput(_ input: inout UnsafeRawBufferPointer, _ body: () -> Int32) -> Int32 {
    TLSFailure.forget()
    wire.pointee.input = input
    let result = body()
    input = wire.pointee.input
    wire.pointee.input = UnsafeRawBufferPointer(start: nil, count: 0)
    return result
  }

  private func handshakeError() -> TransportError {
    TLSFailure.handshake(role, verification: SSL_get_verify_result(ssl), name: cacheKey)
  }
}

/// A handshake under way: who waits for it, and until when.
struct TLSHandshake {
  var timer: TimerID
  let counters: TLSCounters?
  let done: (Result<Void, TransportError>) -> Void
}
