import Glibc

/// Reads the pages into memory, where they are served from.
enum PageFiles {
  private static let maximumDepth = 8
  /// A directory of more files than this was hardly meant.
  private static let maximumFileCount = 10_000

  /// The files of a directory by their paths for browsers: `/index.html`. Hidden files are left out. The JavaScript client
  /// is `/martlet.js` and its like, unless the directory has one of its own.
  static func read(_ directory: String, client: [String: String]) throws(Problem) -> [String: [UInt8]] {
    var files: [String: [UInt8]] = [:]
    try read(directory, "/", depth: 0, into: &files)
    for (path, file) in client where files[path] == nil { files[path] = try TextFile.read(file) }
    return files
  }

  private static func read(
    _ directory: String, _ path: String, depth: Int, into files: inout [String: [UInt8]]
  ) throws(Problem) {
    for name in try names(in: directory) {
      let file = directory + "/" + name
      if TextFile.isDirectory(file) {
        if depth < maximumDepth { try read(file, path + name + "/", depth: depth + 1, into: &files) }
      } else {
        guard files.count < maximumFileCount else {
          throw .usage("pages: there are more than \(maximumFileCount) files in \(quoted(path: directory))")
        }
        files[path + name] = try TextFile.read(file)
      }
    }
  }

  private static func names(in directory: String) throws(Problem) -> [String] {
    guard let stream = opendir(directory) else {
      throw .usage("pages: cannot read \(quoted(path: directory)): \(String(cString: strerror(errno)))")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
          String(cString: $0)
        }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }
}
