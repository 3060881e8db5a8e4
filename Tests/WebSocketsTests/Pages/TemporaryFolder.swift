import Glibc

/// A folder under /tmp, which goes with what was made in it.
final class TemporaryFolder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    mkdtemp(&template)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in names(path) {
      names("\(path)/\(name)").forEach { remove("\(path)/\(name)/\($0)") }
      remove("\(path)/\(name)")
    }
    rmdir(path)
  }

  func has(_ name: String) -> Bool { access("\(path)/\(name)", F_OK) == 0 }

  func makeFolder(_ name: String) { mkdir("\(path)/\(name)", 0o700) }

  func write(_ bytes: [UInt8], to name: String) {
    guard let file = fopen("\(path)/\(name)", "w") else { return }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }

  private func names(_ folder: String) -> [String] {
    guard let entries = opendir(folder) else { return [] }
    defer { closedir(entries) }
    var names: [String] = []
    while let entry = readdir(entries) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names
  }
}
