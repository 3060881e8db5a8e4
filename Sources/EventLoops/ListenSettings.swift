/// What a driver sets on a listening socket.
///
/// Linux gives an accepted connection the options of its listening socket, these among them, so that they cost no
/// system call a connection.
package struct ListenSettings: Sendable, Equatable {
  package var backlog: Int32
  /// Several loops may bind the address (SO_REUSEPORT).
  package var sharesPort: Bool
  /// Seconds of silence before the first keepalive probe; 0 for none at all.
  package var keepaliveIdleSeconds: Int32 = 0
  package var keepaliveIntervalSeconds: Int32 = 0
  package var keepaliveProbeCount: Int32 = 0
  /// TCP_USER_TIMEOUT; 0 for the kernel's own time.
  package var userTimeoutMilliseconds: UInt32 = 0
  /// Permissions of a Unix socket's file; nil for those that the umask leaves.
  package var unixMode: UInt32?

  package init(backlog: Int32, sharesPort: Bool = false) {
    self.backlog = backlog
    self.sharesPort = sharesPort
  }
}
