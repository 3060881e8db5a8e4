import Glibc
import Testing

/// What fuzzing began with and what it found goes through every target's properties again.
@Suite struct SeedTests {
  @Test(arguments: FuzzTarget.all.map(\.name))
  func seedsKeepTheProperties(_ name: String) throws {
    let target = try #require(FuzzTarget.all.first { $0.name == name })
    let seeds = try Self.files(in: "Seeds/\(name)")
    #expect(!seeds.isEmpty, "Fuzz/Seeds/\(name) is empty")
    for path in seeds + (try Self.files(in: "Regressions/\(name)")) {
      let input = try Self.read(path)
      do {
        try input.withUnsafeBytes { try target.run($0) }
      } catch { Issue.record("\(path): \(error)") }
    }
    try target.run(UnsafeRawBufferPointer(start: nil, count: 0))
  }

  private static let folder = String(#filePath.dropLast("Targets/SeedTests.swift".count))

  private static func files(in name: String) throws -> [String] {
    guard let directory = opendir(folder + name) else { return [] }
    defer { closedir(directory) }
    var paths: [String] = []
    while let entry = readdir(directory) {
      let file = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !file.hasPrefix(".") { paths.append("\(folder)\(name)/\(file)") }
    }
    return paths.sorted()
  }

  private static func read(_ path: String) throws -> [UInt8] {
    let file = try #require(fopen(path, "rb"))
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, file)
    return Array(bytes[..<count])
  }
}
