import Glibc
import Testing

@testable import martlet

@Suite("History file") struct HistoryFileTests {
  private let folder: String

  init() throws {
    var template = Array("/tmp/martlet-history-XXXXXX".utf8CString)
    folder = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  private func clean() {
    for path in ["/martlet/history", "/martlet/history.new"] { unlink(folder + path) }
    rmdir(folder + "/martlet")
    rmdir(folder)
  }

  @Test("Where it is")
  func places() {
    defer { clean() }
    #expect(HistoryFile(environment: ["XDG_STATE_HOME": "/s", "HOME": "/h"])?.path == "/s/martlet/history")
    #expect(
      HistoryFile(environment: ["XDG_STATE_HOME": "s", "HOME": "/h"])?.path
        == "/h/.local/state/martlet/history")
    #expect(HistoryFile(environment: [:]) == nil)
  }

  @Test("Lines come back, and only their owner may read them")
  func linesComeBack() throws {
    defer { clean() }
    let file = try #require(HistoryFile(environment: ["XDG_STATE_HOME": folder]))
    #expect(file.load().isEmpty)
    for line in ["one", "two\nlines", "back\\slash\\n", "é"] { file.append(line) }
    #expect(file.load() == ["one", "two\nlines", "back\\slash\\n", "é"])
    var status = stat()
    #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test("A file that has grown is written anew")
  func shrinks() throws {
    defer { clean() }
    let file = try #require(HistoryFile(environment: ["XDG_STATE_HOME": folder]))
    for number in 1...2_001 { file.append("line \(number)") }
    #expect(file.load().count == 1_000)
    #expect(try TextFile.read(file.path).split(separator: 10).count == 1_000)
    #expect(file.load().last == "line 2001")
    var status = stat()
    #expect(stat(file.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }
}
