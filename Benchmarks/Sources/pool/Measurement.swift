import EventLoops
import Glibc
import WebSockets

struct WrongReply: Error {}

/// Makes requests, so many at a time, and says what they cost.
struct Measurement: Sendable {
  let server: Int32
  let count: Int
  let message: WebSocketMessage
  let loop: EventLoop

  func run(
    _ name: String, atATime: Int, _ request: @escaping @Sendable () async throws -> WebSocketMessage
  ) async throws {
    for _ in 0..<50 { _ = try await request() }
    let before = (server: cpu(server), own: cpu(getpid()))
    let times = try await all(atATime: atATime, request)
    let requests = Double(times.count)
    let percentiles = [0.5, 0.99].map { round1(Double(times[Int(requests * $0)]) / 1_000) }
    let serverCPU = round1((cpu(server) - before.server) / requests * 1e6)
    let ownCPU = round1((cpu(getpid()) - before.own) / requests * 1e6)
    print(
      "\(name), \(atATime) at a time: p50 \(percentiles[0]) µs, p99 \(percentiles[1]) µs,"
        + " CPU a request: server \(serverCPU) µs, client \(ownCPU) µs")
  }

  /// The time of each request in ns, sorted.
  private func all(
    atATime: Int, _ request: @escaping @Sendable () async throws -> WebSocketMessage
  ) async throws -> [UInt64] {
    let each = count / atATime
    return try await withThrowingTaskGroup(of: [UInt64].self) { group in
      for _ in 0..<atATime {
        group.addTask(executorPreference: loop) {
          var times: [UInt64] = []
          for _ in 0..<each {
            let start = nanoseconds()
            guard try await request() == message else { throw WrongReply() }
            times.append(nanoseconds() - start)
          }
          return times
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }.sorted()
    }
  }
}

/// User and system time of a process, in seconds.
private func cpu(_ pid: Int32) -> Double {
  guard let file = fopen("/proc/\(pid)/stat", "r") else { return 0 }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 2_048)
  let count = fread(&bytes, 1, bytes.count, file)
  let text = String(decoding: bytes[..<count], as: UTF8.self)
  guard let end = text.lastIndex(of: ")") else { return 0 }
  let fields = text[end...].split(separator: " ")
  guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else { return 0 }
  return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
}

private func nanoseconds() -> UInt64 {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

private func round1(_ value: Double) -> Double { (value * 10).rounded() / 10 }
