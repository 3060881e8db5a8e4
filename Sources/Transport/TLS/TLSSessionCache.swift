import COpenSSL
import Synchronization

/// The sessions that a client can resume, one for each host and port. Any thread.
final class TLSSessionCache: @unchecked Sendable {
  /// Hosts that sessions are kept for; beyond it the oldest is forgotten.
  static let maximumCount = 256

  private struct Entries: ~Copyable {
    var sessions: [String: Entry] = [:]
    var serial: UInt64 = 0
  }

  /// An `SSL_SESSION` that we own a reference of.
  private struct Entry: @unchecked Sendable {
    let session: OpaquePointer
    let serial: UInt64
  }

  private let entries = Mutex(Entries())

  deinit {
    entries.withLock { entries in
      for entry in entries.sessions.values { SSL_SESSION_free(entry.session) }
    }
  }

  /// Takes over the caller's reference.
  func keep(_ session: OpaquePointer, for key: String) {
    nonisolated(unsafe) let session = session
    entries.withLock { entries in
      entries.serial &+= 1
      let entry = Entry(session: session, serial: entries.serial)
      if let old = entries.sessions.updateValue(entry, forKey: key) { SSL_SESSION_free(old.session) }
      guard entries.sessions.count > Self.maximumCount,
        let oldest = entries.sessions.min(by: { $0.value.serial < $1.value.serial })
      else { return }
      entries.sessions[oldest.key] = nil
      SSL_SESSION_free(oldest.value.session)
    }
  }

  /// Offers what is kept for its host to a new connection.
  func resume(_ connection: TLSSession) {
    let key = connection.cacheKey
    nonisolated(unsafe) let ssl = connection.ssl
    entries.withLock { entries in
      guard let entry = entries.sessions[key] else { return }
      _ = SSL_set_session(ssl, entry.session)
      // RFC 8446 §C.4: "Clients SHOULD NOT reuse a ticket for multiple connections", by which they could be recognized.
      guard SSL_SESSION_get_protocol_version(entry.session) >= TLS1_3_VERSION else { return }
      entries.sessions[key] = nil
      SSL_SESSION_free(entry.session)
    }
  }
}
