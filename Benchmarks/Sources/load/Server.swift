import Glibc

/// The process under load, as /proc shows it.
struct Server {
  let pid: Int32

  /// User and system time used so far, in seconds.
  var cpu: (user: Double, system: Double) {
    // Fields 14 and 15 of /proc/PID/stat, counted behind the command's closing parenthesis.
    let text = read("/proc/\(pid)/stat")
    guard let end = text.lastIndex(of: ")") else { return (0, 0) }
    let fields = text[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      return (0, 0)
    }
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    return (user / ticks, system / ticks)
  }

  /// Resident memory in KiB.
  var residentKiB: Int {
    for line in read("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("VmRSS:") {
      return Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
    }
    return 0
  }

  private func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 8192)
    let count = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }
}
