import Testing

@testable import martlet

@Suite("Send schedule") struct SendScheduleTests {
  @Test("Messages are due at even distances, connection by connection")
  func even() {
    var schedule = SendSchedule(rate: 1_000, connections: 3, start: 5_000)
    var due: [Int] = []
    #expect(schedule.popDue(now: 4_999) == nil)
    #expect(schedule.nextDue == 5_000)
    while let connection = schedule.popDue(now: 5_000) { due.append(connection) }
    #expect(due == [0])
    #expect(schedule.nextDue == 1_005_000)
    while let connection = schedule.popDue(now: 4_005_000) { due.append(connection) }
    #expect(due == [0, 1, 2, 0, 1])
    #expect(schedule.dueCount == 5)
  }

  @Test("A second brings as many as the rate says, however late one looks")
  func rate() {
    var schedule = SendSchedule(rate: 30_000, connections: 7, start: 0)
    var count = 0
    for now in [UInt64(1), 400_000_000, 400_000_001, 999_999_999] {
      while schedule.popDue(now: now) != nil { count += 1 }
    }
    #expect(count == 30_000)
  }

  @Test("A connection's messages are due where the schedule gave them out")
  func ownMessages() {
    var schedule = SendSchedule(rate: 9_000, connections: 4, start: 77)
    var sent = [UInt64](repeating: 0, count: 4)
    for _ in 0..<1_000 {
      let due = schedule.nextDue
      guard let connection = schedule.popDue(now: due) else { Issue.record("not due at its time"); return }
      #expect(schedule.due(connection: connection, number: sent[connection]) == due)
      sent[connection] += 1
    }
  }

  @Test("A message that waits is late, not left out")
  func noOmission() {
    // One connection, one message each millisecond, a server that stops for 100 ms after the 10th.
    var schedule = SendSchedule(rate: 1_000, connections: 1, start: 0)
    var latency = LatencyHistogram()
    var (owed, sent, free) = (0, UInt64(0), UInt64(0))
    for now in stride(from: UInt64(0), to: 300_000_000, by: 100_000) {
      while schedule.popDue(now: now) != nil { owed += 1 }
      while owed > 0, free <= now {
        free = now + (sent == 10 ? 100_000_000 : 100_000)
        latency.record(free - schedule.due(connection: 0, number: sent))
        (owed, sent) = (owed - 1, sent + 1)
      }
    }
    #expect(latency.count == 300)
    #expect(latency.maximum == 100_000_000)
    // The hundred that were due meanwhile had to wait, too.
    #expect(latency.percentile(0.8) > 30_000_000)
    #expect(latency.percentile(0.5) < 101_000)
  }
}
