import EventLoops
import Synchronization

/// Counts the open connections of a listener over all loops, in all and by address. Touched when a connection is
/// accepted and when it closes, never by a message.
final class ConnectionAdmission: Sendable {
  /// A share of the addresses, so that loops seldom wait for each other.
  private final class Shard: Sendable {
    let counts = Mutex<[AddressKey: Int]>([:])
  }

  private let maximum: Int?
  private let maximumPerAddress: Int?
  private let total = Atomic<Int>(0)
  private let shards: [Shard]

  /// Nil if there is nothing to enforce.
  init?(_ options: ListenerOptions) {
    guard options.maximumConnections != nil || options.maximumConnectionsPerAddress != nil else { return nil }
    maximum = options.maximumConnections
    maximumPerAddress = options.maximumConnectionsPerAddress
    shards = maximumPerAddress == nil ? [] : (0..<16).map { _ in Shard() }
  }

  /// How many connections are open.
  var count: Int { total.load(ordering: .relaxed) }

  /// How many addresses have an open connection.
  var addressCount: Int { shards.reduce(0) { $0 + $1.counts.withLock { $0.count } } }

  /// Counts a connection that was accepted; false, and not counted, if that is one too many.
  func enter() -> Bool {
    guard let maximum else { return true }
    guard total.wrappingAdd(1, ordering: .relaxed).newValue <= maximum else {
      leave()
      return false
    }
    return true
  }

  /// Takes back a successful `enter()`.
  func leave() {
    if maximum != nil { total.wrappingSubtract(1, ordering: .relaxed) }
  }

  /// Counts a connection under its client's address.
  func enter(_ address: SocketAddress) -> AddressAdmission {
    guard let maximumPerAddress, let key = AddressKey(address) else { return .notCounted }
    return shard(of: key).counts.withLock { counts in
      let count = counts[key] ?? 0
      guard count < maximumPerAddress else { return .refused }
      counts[key] = count + 1
      return .counted
    }
  }

  /// Takes back an `enter(_:)` that was `counted`.
  func leave(_ address: SocketAddress) {
    guard let key = AddressKey(address) else { return }
    shard(of: key).counts.withLock { counts in
      let count = (counts[key] ?? 1) - 1
      counts[key] = count == 0 ? nil : count
    }
  }

  private func shard(of key: AddressKey) -> Shard {
    shards[Int(UInt(bitPattern: key.hashValue) % UInt(shards.count))]
  }
}

/// Whether a connection's address has room for it.
enum AddressAdmission {
  case counted
  /// There is no limit for this address.
  case notCounted
  case refused
}

/// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, all of which one customer has.
private struct AddressKey: Hashable {
  private let high: UInt64
  private let isIPv4: Bool

  /// Nil for Unix sockets.
  init?(_ address: SocketAddress) {
    switch address.unmapped {
    case .ipv4(let bits, _): (high, isIPv4) = (UInt64(bits), true)
    case .ipv6(let high, _, _, _): (self.high, isIPv4) = (high, false)
    case .unix: return nil
    }
  }
}
