import CLinux

/// A connected socket on its way from the loop that accepted it to the one that it will live on. Closed if it never
/// arrives.
package final class DetachedSocket: @unchecked Sendable {
  private var fd: Int32
  let simulated: SimulatedSocket?

  init(fd: Int32 = -1, simulated: SimulatedSocket? = nil) {
    self.fd = fd
    self.simulated = simulated
  }

  deinit {
    if fd >= 0 { clinux_close(fd) }
  }

  func takeDescriptor() -> Int32 {
    defer { fd = -1 }
    return fd
  }
}
