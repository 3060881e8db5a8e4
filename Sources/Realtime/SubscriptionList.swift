/// The subscriptions of a client, the latest first. They are linked among themselves: most clients have one, and an array
/// for it would take as much memory as half of the subscription.
struct SubscriptionList {
  private(set) var first: Subscription?

  /// How many there are.
  var count: Int { reduce(0) { count, _ in count + 1 } }

  mutating func insert(_ subscription: Subscription) {
    subscription.next = first
    first = subscription
  }

  mutating func remove(_ subscription: Subscription) {
    if first === subscription {
      first = subscription.next
    } else {
      first(where: { $0.next === subscription })?.next = subscription.next
    }
    subscription.next = nil
  }
}

extension SubscriptionList: Sequence {
  /// Goes on from where it is: nothing may be taken out meanwhile.
  struct Iterator: IteratorProtocol {
    fileprivate var upcoming: Subscription?

    mutating func next() -> Subscription? {
      defer { upcoming = upcoming?.next }
      return upcoming
    }
  }

  func makeIterator() -> Iterator { Iterator(upcoming: first) }
}
