import Glibc

/// Finds what the server shows a browser.
enum PageDirectory {
  /// The pages that came with the program: beside it, in `share/martlet`, or in the repository that it was built in.
  static func find() -> String? {
    guard var directory = Machine.programDirectory else { return nil }
    if let prefix = parent(of: directory), TextFile.isDirectory(prefix + "/share/martlet/Pages") {
      return prefix + "/share/martlet/Pages"
    }
    // .build/x86_64-unknown-linux-gnu/release/martlet is three steps below the repository.
    for _ in 0..<5 {
      if TextFile.isDirectory(directory + "/Pages") { return directory + "/Pages" }
      guard let above = parent(of: directory) else { break }
      directory = above
    }
    return nil
  }

  /// The JavaScript client beside the pages, which load it as `/martlet.js`; nil where there is none.
  static func client(beside pages: String) -> String? {
    let file = (parent(of: pages) ?? ".") + "/Clients/javascript/martlet.js"
    return access(file, R_OK) == 0 ? file : nil
  }

  private static func parent(of path: String) -> String? {
    let trimmed = path.hasSuffix("/") && path.count > 1 ? path.dropLast() : path[...]
    guard let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex else { return nil }
    return String(trimmed[..<slash])
  }
}
