import Synchronization

/// The certificates and TLS settings of a server, shared by its loops. Any thread.
public final class TLSServerContext: Sendable {
  private struct Current: Sendable {
    var options: TLSServerOptions
    var snapshot: TLSServerSnapshot
  }

  private let current: Mutex<Current>

  /// Reads certificates and keys.
  ///
  /// - Throws: ``TransportError`` with the code `invalidTLSOptions`: a file that is missing or not PEM, a key that does
  ///   not belong to its certificate, a setting that cannot be used.
  public init(_ options: TLSServerOptions) throws(TransportError) {
    current = Mutex(Current(options: options, snapshot: try TLSServerSnapshot(options)))
  }

  /// The settings in force.
  public var options: TLSServerOptions { current.withLock { $0.options } }

  /// Reads the files again, for example renewed certificates. New connections get what they say now; those that exist
  /// go on. Tickets that were given out before are not taken any more.
  ///
  /// - Throws: ``TransportError`` when something cannot be used; then everything stays as it was.
  public func reload() throws(TransportError) { try replace(options) }

  /// The same with other settings.
  ///
  /// - Throws: ``TransportError`` when something cannot be used; then everything stays as it was.
  public func replace(_ options: TLSServerOptions) throws(TransportError) {
    let snapshot = try TLSServerSnapshot(options)
    current.withLock { $0 = Current(options: options, snapshot: snapshot) }
  }

  var now: (options: TLSServerOptions, snapshot: TLSServerSnapshot) {
    current.withLock { ($0.options, $0.snapshot) }
  }
}
