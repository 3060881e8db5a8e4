import Gateways
import HTTPCore

extension ServerConfiguration {
  /// What `serve` would refuse at its start although the file says it well: files that are missing or are something else,
  /// URLs and names that nobody can use. A line each.
  var refusals: [String] {
    var lines: [String] = []
    func attempt(_ step: () throws(Problem) -> Void) {
      do throws(Problem) { try step() } catch { lines.append(error.message) }
    }
    if !pages.isEmpty, !TextFile.isDirectory(pages) {
      lines.append("pages: \(quoted(path: pages)) is not a directory")
    }
    attempt { () throws(Problem) in try ListeningPlace(host: host, port: port, environment: [:]).check() }
    attempt { () throws(Problem) in _ = try ServerTLS.context(tls) }
    attempt { () throws(Problem) in _ = try tokenVerifier() }
    attempt { () throws(Problem) in try checkKeySetURL() }
    attempt { () throws(Problem) in _ = try backendOptions() }
    attempt { () throws(Problem) in _ = try webhookOptions() }
    return lines
  }

  private func checkKeySetURL() throws(Problem) {
    guard !tokens.keySetURL.isEmpty else { return }
    do {
      _ = try WebURL(tokens.keySetURL, schemes: ["https", "http"])
    } catch {
      throw .usage("token.jwks_url: \(error)")
    }
  }
}
