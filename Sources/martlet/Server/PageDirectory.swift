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

  /// The modules of the JavaScript client, which browsers load by these names.
  private static let modules = [
    "martlet.js", "martlet-fallbacks.js", "martlet-shared.js", "websocket-shim.js",
  ]

  /// The files of the JavaScript client beside the pages, by the names that browsers load them by: `/martlet.js`.
  static func client(beside pages: String) -> [String: String] {
    let folder = (parent(of: pages) ?? ".") + "/Clients/javascript/"
    let found = modules.filter { access(folder + $0, R_OK) == 0 }
    return Dictionary(uniqueKeysWithValues: found.map { ("/" + $0, folder + $0) })
  }

  /// What describes the HTTP API, beside the pages that came with the program.
  static func documents() -> [String: String] {
    guard let pages = find(), let folder = parent(of: pages) else { return [:] }
    let file = folder + "/docs/openapi.json"
    return access(file, R_OK) == 0 ? ["/api/openapi.json": file] : [:]
  }

  private static func parent(of path: String) -> String? {
    let trimmed = path.hasSuffix("/") && path.count > 1 ? path.dropLast() : path[...]
    guard let slash = trimmed.lastIndex(of: "/"), slash > trimmed.startIndex else { return nil }
    return String(trimmed[..<slash])
  }
}
