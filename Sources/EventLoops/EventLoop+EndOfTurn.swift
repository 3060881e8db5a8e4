/// A turn writes to the connections on its list until it has lasted for so many milliseconds: then the sockets have their turn
/// again.
private let turnMilliseconds: UInt64 = 4

/// How long, in milliseconds, a turn writes to those that wait from earlier turns, and to crowds.
private let deferredMilliseconds: UInt64 = 2

/// So many targets ahead, one of a crowd is brought into the processor's caches.
private let prefetchDistance = 4

/// Done places at the beginning of the list of those that wait are given up from this number on.
private let maximumDoneCount = 1_024

/// Tells when there has been enough writing.
private struct WritingTime {
  /// The clock is read once for so many targets: one takes microseconds as a rule.
  private static let checkInterval = 4
  /// A driver that collects writes hands them to the kernel once for so many targets. It is then that they take their time: a
  /// thousand collected ones are five milliseconds of which the clock shows nothing yet.
  private static let submitInterval = 128

  private let end: UInt64
  private var lastCheck: UInt64
  private var untilCheck = Self.checkInterval
  private var untilSubmission = Self.submitInterval
  private(set) var isOver = false

  init(from start: UInt64, milliseconds: UInt64?) {
    lastCheck = start
    end = milliseconds.map { start + $0 } ?? .max
  }

  mutating func count(_ driver: Driver) {
    untilCheck -= 1
    untilSubmission -= 1
    if untilSubmission == 0 {
      driver.submitWrites()
      untilSubmission = Self.submitInterval
      untilCheck = 0
    }
    guard untilCheck == 0 else { return }
    let time = driver.currentMilliseconds()
    isOver = time >= end
    // These take long.
    untilCheck = time > lastCheck ? 1 : Self.checkInterval
    lastCheck = time
  }
}

/// A publication to ten thousand subscribers is a hundred milliseconds of writing. It is spread over turns, so that a message
/// for one does not wait for all of them.
extension EventLoop {
  /// Whether the end of a turn has something to do.
  var isToWrite: Bool { !endOfTurnTargets.isEmpty || !deferred.isEmpty }

  /// Calls those that asked for it. A loop that ends does not look at the time.
  func runEndOfTurn(isLast: Bool = false) {
    var time = WritingTime(from: now, milliseconds: isLast ? nil : turnMilliseconds)
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
    if !deferred.isEmpty {
      runDeferred(
        WritingTime(from: driver.currentMilliseconds(), milliseconds: isLast ? nil : deferredMilliseconds))
    }
    if !kept.isEmpty { releaseKept() }
  }

  /// Those of earlier turns, which have waited for longer but are many: behind those of this turn, which are few as a rule.
  private func runDeferred(_ time: consuming WritingTime) {
    while deferredDone < deferred.count, !time.isOver {
      let ahead = deferredDone + prefetchDistance
      if ahead < deferred.count { Unmanaged<AnyObject>.passUnretained(deferred[ahead]).prefetch() }
      deferred[deferredDone].endOfTurn()
      deferredDone += 1
      time.count(driver)
    }
    if deferredDone == deferred.count {
      deferred.removeAll(keepingCapacity: true)
      deferredDone = 0
    } else if deferredDone > maximumDoneCount, deferredDone * 2 > deferred.count {
      // The list need not become empty for as long as the server runs.
      deferred.removeFirst(deferredDone)
      deferredDone = 0
    }
  }

  private func releaseKept() {
    // What is freed may let go of more.
    swap(&kept, &released)
    released.removeAll(keepingCapacity: true)
  }
}
