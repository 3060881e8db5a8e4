/// Finds what the server shows a browser.
enum PageDirectory {
  /// The pages that came with the program: beside it, in `share/martlet`, or in the repository that it was built in.
  static func find() -> String? {
    guard var directory = Machine.programDirectory else { return nil }
    let installed = directory + "/../share/martlet"
    if TextFile.isDirectory(installed + "/Pages") { return installed }
    // .build/x86_64-unknown-linux-gnu/release/martlet is four steps below the repository.
    for _ in 0..<5 {
      if TextFile.isDirectory(directory + "/Pages") { return directory }
      guard let slash = directory.lastIndex(of: "/") else { break }
      directory = String(directory[..<slash])
    }
    return nil
  }
}
