import Synchronization

/// How often a listener turned connections away. Any thread.
package final class ListenerCounters: Sendable {
  /// Beyond `maximumConnections`.
  package let overTotal = Atomic<UInt64>(0)
  /// Beyond `maximumConnectionsPerAddress`.
  package let overAddress = Atomic<UInt64>(0)
  /// Without the PROXY protocol header that they must have, with a wrong one, or with one that took too long.
  package let badProxyHeaders = Atomic<UInt64>(0)

  package init() {}

  func count(_ refusal: ListenerRefusal) {
    switch refusal {
    case .tooManyConnections: overTotal.wrappingAdd(1, ordering: .relaxed)
    case .tooManyFromAddress: overAddress.wrappingAdd(1, ordering: .relaxed)
    }
  }
}

/// Why a listener turns a connection away that it could answer.
package enum ListenerRefusal: Sendable {
  case tooManyConnections
  case tooManyFromAddress
}
