import CLinux
import Gateways
import Glibc

extension ProcessFigures {
  /// What /proc says of this process; what it does not say stays zero.
  static func current() -> ProcessFigures {
    var figures = ProcessFigures()
    var usage = rusage()
    if getrusage(RUSAGE_SELF.rawValue, &usage) == 0 {
      figures.cpuSeconds = seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }
    if let pages = words(of: "/proc/self/statm").dropFirst().first.flatMap({ UInt64($0) }) {
      figures.residentBytes = pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
    }
    figures.openDescriptors = descriptorCount()
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      figures.maximumDescriptors = UInt64(limit.rlim_cur)
    }
    return figures
  }

  private static func seconds(_ time: timeval) -> Double {
    Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
  }

  private static func words(of path: String) -> [Substring] {
    guard let bytes = try? TextFile.read(path) else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: " ")
  }

  private static func descriptorCount() -> Int {
    guard let directory = opendir("/proc/self/fd") else { return 0 }
    defer { closedir(directory) }
    var count = 0
    while let entry = readdir(directory) {
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    // One of them is the directory's own.
    return count - 1
  }
}
