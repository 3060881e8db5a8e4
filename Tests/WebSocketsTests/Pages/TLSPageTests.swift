import TestCertificates
import Testing
import WebSockets

/// The examples of docs/tls.md.
@Suite(.timeLimit(.minutes(5))) struct TLSPageTests {
  @Test func serverAndClient() async throws {
    let temporary = TemporaryFolder()
    let folder = temporary.path
    let authority = TestCertificate("authority", isAuthority: true)
    let own = TestCertificate("server", ["DNS:localhost"], issuer: authority)
    temporary.write(own.certificate, to: "certificate.pem")
    temporary.write(own.key, to: "key.pem")
    temporary.write(authority.certificate, to: "authority.pem")
    let port = try await freePort()
    let serving = Task {
      let certificate = TLSCertificate(
        chainFile: "\(folder)/certificate.pem", keyFile: "\(folder)/key.pem")
      let tls = try TLSServerContext(TLSServerOptions(certificates: [certificate]))
      var options = HTTPServerOptions()
      options.tls = tls
      try await WebSocketServer(port: port, httpOptions: options).run { _ in
        .accept { socket in
          for try await message in socket { try await socket.send(message) }
        }
      }
      // Anywhere, when the files have changed:
      try tls.reload()
    }
    try await untilItListens(port)
    var options = WebSocketClientOptions()
    options.tls.verification = .authorities(file: "\(folder)/authority.pem")
    try await WebSocket.connect(to: "wss://localhost:\(port)/", options: options) { socket in
      try await socket.send("hello")
    }
    serving.cancel()
    try await serving.value
  }
}
