/// Flags that the clients of a server share.
enum ServerFlags {
  static let url = Flag(
    "url", ServerAddress.kind, default: ServerAddress.standard, environment: "MARTLET_URL",
    help: "the server: ws:// or http://, with TLS wss:// or https://, host and port")
  static let token = Flag(
    "token", .text("JWT"), environment: "MARTLET_TOKEN",
    help: "connect as a client with this token; 'martlet token' makes one")
  static let user = Flag(
    "user", .text("NAME"), help: "user name to claim without a token; 'serve --demo' believes it")

  static func address(_ arguments: Arguments) throws(Problem) -> ServerAddress {
    var address: ServerAddress
    if let given = arguments.value(url) {
      address = given
    } else {
      do {
        address = try ServerAddress(ServerAddress.standard)
      } catch {
        throw .usage(error.complaint)
      }
    }
    address.tls = try ClientTLS.options(arguments)
    return address
  }

  static func session(_ arguments: Arguments) -> ClientSession {
    ClientSession(
      token: arguments.value(token), data: arguments.value(user).map { ConnectData.user($0) })
  }
}
