/// How long, in milliseconds, one turn writes to the connections on its list before the sockets have their turn again: less
/// than the time from which a turn counts as a stall.
private let writingMilliseconds: UInt64 = 4

/// Of those that an earlier turn had no time for, so many have theirs in each turn, however much else there is.
private let leastDeferredCount = 16

/// Tells when a turn has written for long enough.
private struct WritingTime {
  /// The clock is read once for so many targets.
  private static let checkInterval = 4

  private var count = 0
  private var began: UInt64?
  private(set) var isOver = false

  mutating func count(_ driver: Driver) {
    count += 1
    guard count.isMultiple(of: Self.checkInterval), !isOver else { return }
    let time = driver.currentMilliseconds()
    if let began { isOver = time.subtractingOrZero(began) >= writingMilliseconds } else { began = time }
  }
}

/// A publication to ten thousand subscribers is a hundred milliseconds of writing. It is spread over turns, so that a message
/// for one does not wait for all of them.
extension EventLoop {
  /// Whether the end of a turn has something to do.
  var isToWrite: Bool { !endOfTurnTargets.isEmpty || !deferred.isEmpty }

  func runEndOfTurn() {
    var time = WritingTime()
    let othersWait = !deferred.isEmpty
    // What is added meanwhile (a closed handler that writes elsewhere) still belongs to this turn.
    while !endOfTurnTargets.isEmpty {
      swap(&endOfTurnTargets, &flushing)
      for index in flushing.indices {
        if time.isOver {
          deferred.append(contentsOf: flushing[index...])
          break
        }
        flushing[index].endOfTurn()
        time.count(driver)
      }
      flushing.removeAll(keepingCapacity: true)
    }
    if othersWait { runDeferred(&time) }
    if !kept.isEmpty { releaseKept() }
  }

  /// Those of earlier turns, which have waited for longer but are many: behind those of this turn, which are few as a rule.
  private func runDeferred(_ time: inout WritingTime) {
    let least = deferredDone + leastDeferredCount
    while deferredDone < deferred.count, deferredDone < least || !time.isOver {
      deferred[deferredDone].endOfTurn()
      deferredDone += 1
      time.count(driver)
    }
    guard deferredDone == deferred.count else { return }
    deferred.removeAll(keepingCapacity: true)
    deferredDone = 0
  }

  private func releaseKept() {
    // What is freed may let go of more.
    let released = kept
    kept = []
    withExtendedLifetime(released) {}
  }
}
