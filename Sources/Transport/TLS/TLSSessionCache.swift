import COpenSSL
import Synchronization

/// The sessions that a client can resume, by host and port. Any thread.
///
/// A ticket of TLS 1.3 is good for one connection, so that there are several for a host: who opens a number of connections at a
/// time, or comes back with all of them, resumes each.
final class TLSSessionCache: @unchecked Sendable {
  /// Sessions that are kept; beyond it the oldest is forgotten.
  static let maximumCount = 256
  /// Those of one host and port.
  static let maximumCountForHost = 16

  private struct Entries: ~Copyable {
    /// The oldest first, none empty.
    var sessions: [String: [Entry]] = [:]
    var serial: UInt64 = 0

    var count: Int { sessions.values.reduce(0) { $0 + $1.count } }

    mutating func append(_ session: OpaquePointer, for key: String) {
      serial &+= 1
      sessions[key, default: []].append(Entry(session: session, serial: serial))
    }

    /// The oldest of a host, or the latest.
    mutating func take(for key: String, isLatest: Bool) -> OpaquePointer? {
      guard var entries = sessions.removeValue(forKey: key) else { return nil }
      let entry = isLatest ? entries.removeLast() : entries.removeFirst()
      if !entries.isEmpty { sessions[key] = entries }
      return entry.session
    }

    mutating func forgetOldest(for key: String) {
      if let session = take(for: key, isLatest: false) { SSL_SESSION_free(session) }
    }
  }

  /// An `SSL_SESSION` that we own a reference of.
  private struct Entry: @unchecked Sendable {
    let session: OpaquePointer
    let serial: UInt64
  }

  private let entries = Mutex(Entries())

  deinit {
    entries.withLock { entries in
      for entry in entries.sessions.values.joined() { SSL_SESSION_free(entry.session) }
    }
  }

  /// Takes over the caller's reference.
  func keep(_ session: OpaquePointer, for key: String) {
    nonisolated(unsafe) let session = session
    entries.withLock { entries in
      entries.append(session, for: key)
      let maximum = Self.isForOneConnection(session) ? Self.maximumCountForHost : 1
      while let count = entries.sessions[key]?.count, count > maximum { entries.forgetOldest(for: key) }
      guard entries.count > Self.maximumCount,
        let oldest = entries.sessions.min(by: { $0.value[0].serial < $1.value[0].serial })
      else { return }
      entries.forgetOldest(for: oldest.key)
    }
  }

  /// Offers the latest that is kept for its host to a new connection.
  func resume(_ connection: TLSSession) {
    let key = connection.cacheKey
    nonisolated(unsafe) let ssl = connection.ssl
    entries.withLock { entries in
      guard let session = entries.sessions[key]?.last?.session else { return }
      _ = SSL_set_session(ssl, session)
      guard Self.isForOneConnection(session) else { return }
      _ = entries.take(for: key, isLatest: true)
      SSL_SESSION_free(session)
    }
  }

  /// RFC 8446 §C.4: "Clients SHOULD NOT reuse a ticket for multiple connections", by which they could be recognized.
  private static func isForOneConnection(_ session: OpaquePointer) -> Bool {
    SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION
  }
}
