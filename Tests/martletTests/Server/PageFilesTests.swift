import Glibc
import Testing

@testable import martlet

@Suite struct PageFilesTests {
  /// A repository in small: pages, one of them hidden, and the client with its tests.
  private func makeTree() throws -> String {
    let template = try #require(strdup("/tmp/martlet-pages-XXXXXX"))
    defer { free(template) }
    let root = String(cString: try #require(mkdtemp(template)))
    for directory in ["Pages", "Pages/assets", "Clients", "Clients/javascript"] {
      mkdir(root + "/" + directory, 0o700)
    }
    for name in [
      "Pages/index.html", "Pages/.hidden", "Pages/assets/style.css", "Clients/javascript/martlet.js",
      "Clients/javascript/martlet.test.js", "Clients/javascript/martlet-fallbacks.js",
    ] {
      let file = try #require(fopen(root + "/" + name, "w"))
      fputs(name, file)
      fclose(file)
    }
    return root
  }

  @Test func pagesAndTheClientAreServedAndNothingElse() throws {
    let pages = try makeTree() + "/Pages"
    let files = try PageFiles.read(pages, client: PageDirectory.client(beside: pages))
    #expect(
      files.keys.sorted() == ["/assets/style.css", "/index.html", "/martlet-fallbacks.js", "/martlet.js"])
    #expect(
      files["/martlet.js"].map { String(decoding: $0, as: UTF8.self) } == "Clients/javascript/martlet.js")
  }

  @Test func aClientOfTheirOwnWins() throws {
    let pages = try makeTree() + "/Pages"
    let own = try #require(fopen(pages + "/martlet.js", "w"))
    fputs("own", own)
    fclose(own)
    let files = try PageFiles.read(pages, client: PageDirectory.client(beside: pages))
    #expect(files["/martlet.js"].map { String(decoding: $0, as: UTF8.self) } == "own")
    #expect(PageDirectory.client(beside: pages + "/assets").isEmpty)
  }

  @Test func aDirectoryThatIsNotThere() {
    #expect(throws: Problem.self) { try PageFiles.read("/nonexistent/pages", client: [:]) }
  }
}
