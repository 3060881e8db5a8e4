import Synchronization

/// Whether new clients should come, for `/ready`. Any thread.
final class Readiness: Sendable {
  private let flag = Atomic<Bool>(false)

  var isReady: Bool {
    get { flag.load(ordering: .relaxed) }
    set { flag.store(newValue, ordering: .relaxed) }
  }
}
