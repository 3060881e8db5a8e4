import EventLoops
import Testing
import Transport

@testable import martlet

@Suite("Where a server listens") struct ListeningPlaceTests {
  @Test("Sockets that were passed to this process are used")
  func passed() {
    let variables = ["LISTEN_PID": "42", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "a:b"]
    #expect(ServiceManager.passedDescriptors(variables, process: 42) == [3, 4])
    #expect(ServiceManager.passedDescriptors(variables, process: 43) == [])
  }

  @Test(
    "Variables that make no sense are not used", arguments: ["0", "-1", "x", "", "1025", "99999999999"])
  func nonsense(count: String) {
    let variables = ["LISTEN_PID": "42", "LISTEN_FDS": count]
    #expect(ServiceManager.passedDescriptors(variables, process: 42) == [])
  }

  @Test("A host may be a Unix socket")
  func unix() {
    #expect(ListeningPlace(host: "unix:/run/x", port: 1, environment: [:]) == .unix("/run/x"))
    #expect(ListeningPlace(host: "::1", port: 1, environment: [:]) == .tcp(host: "::1", port: 1))
  }

  @Test("Settings of proxies come from flags and the environment")
  func proxies() throws {
    let environment = ["MARTLET_PROXY_TRUSTED": "10.0.0.0/8, unix", "MARTLET_PROXY_PROTOCOL": "optional"]
    let read = { (words: [String]) in
      try ServeCommand.configuration(
        Arguments(words, for: ServeCommand.description, environment: environment), environment)
    }
    #expect(try read([]).trustedProxies.map(\.description) == ["10.0.0.0/8", "unix"])
    #expect(try read([]).proxyProtocol == .optional)
    let flags = ["--trusted-proxy", "::1", "--trusted-proxy", "fd00::/8", "--proxy-protocol", "required"]
    #expect(try read(flags).trustedProxies.map(\.description) == ["::1/128", "fd00::/8"])
    #expect(try read(flags).proxyProtocol == .required)
    #expect(throws: Problem.self) { try read(["--trusted-proxy", "10.0.0.0/33"]) }
    #expect(throws: Problem.self) { try read(["--proxy-protocol", "maybe"]) }
  }

  @Test("The driver comes from flags and the environment")
  func driver() throws {
    let read = { (words: [String], environment: [String: String]) in
      try ServeCommand.configuration(
        Arguments(words, for: ServeCommand.description, environment: environment), environment
      ).driver
    }
    #expect(try read([], [:]) == .automatic)
    #expect(try read([], ["MARTLET_DRIVER": "io_uring"]) == .ioUring)
    #expect(try read(["--driver", "epoll"], ["MARTLET_DRIVER": "io_uring"]) == .epoll)
    #expect(try read(["--driver", "auto"], [:]) == .automatic)
    #expect(throws: Problem.self) { try read(["--driver", "kqueue"], [:]) }
    #expect(throws: Problem.self) { try read([], ["MARTLET_DRIVER": "uring"]) }
  }

  @Test("The PROXY protocol needs somebody to be trusted")
  func nobodyTrusted() {
    var configuration = ServerConfiguration()
    configuration.proxyProtocol = .required
    #expect(configuration.contradictions.count == 1)
    configuration.trustedProxies = [.unix]
    #expect(configuration.contradictions.isEmpty)
  }
}
