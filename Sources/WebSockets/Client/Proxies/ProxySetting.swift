import Glibc
import HTTPCore

/// Which proxy a client goes through.
public enum ProxySetting: Hashable, Sendable {
  /// Connects directly.
  case none
  /// Goes by the environment: `HTTP_PROXY` for `ws://`, `HTTPS_PROXY` for `wss://`, else `ALL_PROXY`, and not for the
  /// hosts in `NO_PROXY`. Names in lower case are read first. Loopback hosts are connected to directly. `HTTP_PROXY`
  /// in upper case is ignored where `REQUEST_METHOD` is set: a CGI program's caller could set it.
  case environment
  /// Goes through this proxy, whatever the host: `http://user:password@host:port`, `socks5://host:port`. Without a
  /// scheme it is an HTTP proxy; without a port 80, 443 (`https://`) or 1080 (SOCKS). Names of hosts are looked
  /// up by the proxy.
  case url(String)

  /// The proxy for a URL, nil to connect directly.
  ///
  /// - Parameter environment: the process's variables; asked only if they matter.
  func server(
    for url: WebURL, environment: @autoclosure () -> [String: String]
  ) throws(WebSocketError) -> ProxyServer? {
    switch self {
    case .none: nil
    case .url(let text): try ProxyServer(text)
    case .environment: try ProxyEnvironment(environment()).server(for: url)
    }
  }
}

/// The variables that name proxies.
struct ProxyEnvironment {
  private let variables: [String: String]

  init(_ variables: [String: String]) { self.variables = variables }

  /// Those of this process that matter.
  static var ofProcess: [String: String] {
    var result: [String: String] = [:]
    for name in [
      "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
      "NO_PROXY", "REQUEST_METHOD",
    ] {
      if let value = getenv(name) { result[name] = String(cString: value) }
    }
    return result
  }

  func server(for url: WebURL) throws(WebSocketError) -> ProxyServer? {
    guard !ProxyExceptions.isLoopback(url.host) else { return nil }
    var names = url.isSecure ? ["https_proxy", "HTTPS_PROXY"] : ["http_proxy", "HTTP_PROXY"]
    // "httpoxy": a CGI program has its request's fields in the environment, and "Proxy: …" as HTTP_PROXY.
    if variables["REQUEST_METHOD"] != nil { names.removeAll { $0 == "HTTP_PROXY" } }
    guard let (name, text) = first(names + ["all_proxy", "ALL_PROXY"]) else { return nil }
    if let (_, exceptions) = first(["no_proxy", "NO_PROXY"]),
      ProxyExceptions(exceptions).contains(host: url.host, port: url.port)
    {
      return nil
    }
    do {
      return try ProxyServer(text)
    } catch {
      throw WebSocketError(.invalidProxy, "\(name): \(error.message)", cause: error.cause)
    }
  }

  /// The first variable of these that is set and not empty.
  private func first(_ names: [String]) -> (name: String, value: String)? {
    for name in names {
      if let value = variables[name], !value.isEmpty { return (name, value) }
    }
    return nil
  }
}
