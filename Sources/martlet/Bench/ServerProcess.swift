import Glibc

/// The process under load and its children, as /proc shows them.
struct ServerProcess: Sendable {
  struct Usage: Sendable {
    /// CPU time in nanoseconds.
    var cpu: Double = 0
    /// Time in user and in system mode, to a tick of 10 ms; their sum may differ from `cpu`.
    var user: Double = 0
    var system: Double = 0

    static func - (a: Usage, b: Usage) -> Usage {
      Usage(cpu: a.cpu - b.cpu, user: a.user - b.user, system: a.system - b.system)
    }

    static func + (a: Usage, b: Usage) -> Usage {
      Usage(cpu: a.cpu + b.cpu, user: a.user + b.user, system: a.system + b.system)
    }

    /// User and system time as parts of the exact CPU time.
    var split: (user: Double, system: Double) {
      guard user + system > 0 else { return (0, cpu) }
      return (cpu * user / (user + system), cpu * system / (user + system))
    }
  }

  let pids: [Int]

  /// - Throws: ``Problem`` if one of them is not there.
  init(_ pids: [Int]) throws(Problem) {
    self.pids = pids
    for pid in pids where Self.text("/proc/\(pid)/stat").isEmpty {
      throw .usage("--server-pid: there is no process \(pid)")
    }
  }

  /// The processes that were named, and their descendants: servers with worker processes do their work there.
  private var all: [Int] {
    var found: [Int] = []
    var waiting = pids
    while let pid = waiting.popLast(), found.count < 1_024 {
      guard !found.contains(pid) else { continue }
      found.append(pid)
      for thread in Self.threads(of: pid) {
        waiting += Self.text("/proc/\(pid)/task/\(thread)/children").split(separator: " ").compactMap {
          Int($0)
        }
      }
    }
    return found
  }

  var usage: Usage { all.map(Self.usage).reduce(Usage(), +) }

  /// Resident memory in KiB. What processes share counts in each.
  var residentKiB: Int {
    all.map { pid in
      let line = Self.text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
      return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }.reduce(0, +)
  }

  private static func usage(of pid: Int) -> Usage {
    // Fields 14 and 15 of /proc/PID/stat, counted behind the command's closing parenthesis.
    let stat = text("/proc/\(pid)/stat")
    guard let end = stat.lastIndex(of: ")") else { return Usage() }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      return Usage()
    }
    let tick = 1e9 / Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
    // Nanoseconds, where the kernel has them: a thread's first number.
    let exact = threads(of: pid).map { thread in
      text("/proc/\(pid)/task/\(thread)/schedstat").split(separator: " ").first.flatMap { Double($0) } ?? 0
    }.reduce(0, +)
    let ticks = (user + system) * tick
    // Threads that have ended are in the ticks only.
    return Usage(cpu: exact > ticks - 3 * tick ? exact : ticks, user: user * tick, system: system * tick)
  }

  private static func threads(of pid: Int) -> [Int] {
    guard let directory = opendir("/proc/\(pid)/task") else { return [] }
    defer { closedir(directory) }
    var threads: [Int] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let thread = Int(name) { threads.append(thread) }
    }
    return threads
  }

  /// Empty if it cannot be read.
  private static func text(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 16_384)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
