import Gateways
import JSON

/// `martlet token`
enum TokenCommand: Command {
  private static let user = Flag("user", .text("NAME"), help: "the user whom the token is for")
  private static let channel = Flag(
    "channel", .text("CHANNEL"), help: "make a subscription token for this channel, not a connection token")
  private static let expires = Flag(
    "expires", .duration, default: "1h", help: "how long it is valid: 90s, 15m, 1h, 7d; 0 means for ever")
  private static let info = Flag(
    "info", .text("JSON"), help: "what others may see of the user in presence, joins and publications")
  private static let secret = Flag(
    "secret", .text("SECRET"), environment: "MARTLET_TOKEN_SECRET",
    help: "the server's token.secret; on the command line others on this machine can see it")
  private static let key = Flag(
    "key", .text("FILE"), help: "sign with this private key (PEM), not with a secret")
  private static let algorithm = Flag(
    "algorithm", .text("NAME"),
    help:
      "HS256 (default), HS384, HS512; with --key RS256, RS384, RS512, ES256, ES384, ES512 or EdDSA, as it suits"
  )
  private static let keyName = Flag(
    "kid", .text("NAME"), help: "the key's name, for servers that choose among several keys by it")
  private static let identifier = Flag(
    "id", .text("NAME"), help: "the token's own name (jti), by which it can be revoked")
  private static let config = Flag(
    "config", .text("FILE"), environment: "MARTLET_CONFIG", help: "take the secret from this configuration")

  static let description = CommandDescription(
    name: "token", summary: "Make a token that lets a user in",
    discussion: [
      "Prints a signed JWT. Your backend makes the same with any JWT library; the claims are sub, exp and iat, for a"
        + " subscription channel too. The secret is the server's: from --secret, MARTLET_TOKEN_SECRET or the"
        + " token.secret of --config. With --key a private key signs, and the server has its public half in"
        + " token.public_keys."
    ],
    flags: [user, channel, expires, info, identifier, secret, key, algorithm, keyName, config],
    examples: [
      .init(
        purpose: "A connection token for Ann, valid for a day.",
        line: "martlet token --user ann --expires 1d --config martlet.json5"),
      .init(
        purpose: "Let her into one channel that is closed to others.",
        line: "martlet token --user ann --channel rooms:12 --config martlet.json5"),
      .init(
        purpose: "Sign with a private key.",
        line: "martlet token --user ann --key token.pem --algorithm ES256"),
    ])

  static func run(_ arguments: Arguments) async throws -> ExitStatus {
    guard let user = arguments.value(user) else {
      throw Problem.usage("--user is missing; for an anonymous user say --user ''")
    }
    let signer = try signer(arguments)
    let claims = try claims(arguments, of: user)
    Terminal.line(signer.sign(claims))
    return .success
  }

  private static func claims(_ arguments: Arguments, of user: String) throws(Problem) -> TokenClaims {
    let now = UInt64(clamping: Machine.unixMilliseconds / 1_000)
    let seconds = UInt64(clamping: arguments.value(expires) ?? 3_600)
    var claims = TokenClaims()
    claims.user = user
    claims.issuedAt = now
    claims.channel = arguments.value(channel)
    claims.identifier = arguments.value(identifier)
    if seconds > 0 {
      let (expiry, isTooFar) = now.addingReportingOverflow(seconds)
      if isTooFar { throw Problem.usage("--expires: that is too far away") }
      claims.expiresAt = expiry
    }
    if let text = arguments.value(info) {
      guard (try? JSONValue(parsing: Array(text.utf8))) != nil else {
        throw Problem.usage(
          "--info: \(quoted(text)) is not JSON; quote it for the shell: '{\"name\":\"Ann\"}'")
      }
      claims.info = Array(text.utf8)
    }
    return claims
  }

  private static func signer(_ arguments: Arguments) throws(Problem) -> TokenSigner {
    let algorithm = try algorithm(arguments)
    let name = arguments.value(keyName)
    if let file = arguments.value(key) {
      if arguments.given.contains("secret") { throw .usage("--key and --secret exclude each other") }
      let text = try TextFile.read(file)
      do {
        return try TokenSigner(privateKey: text, algorithm: algorithm, identifier: name)
      } catch {
        throw .usage("--key \(quoted(path: file)): \(error)")
      }
    }
    let secret = try secret(arguments)
    guard !secret.isEmpty else {
      throw Problem.usage(
        "there is nothing to sign with: give --config FILE, MARTLET_TOKEN_SECRET, --secret or --key FILE")
    }
    do {
      return try TokenSigner(secret: secret, algorithm: algorithm ?? .hs256, identifier: name)
    } catch {
      throw .usage("--algorithm: \(error)")
    }
  }

  private static func algorithm(_ arguments: Arguments) throws(Problem) -> TokenAlgorithm? {
    guard let name = arguments.value(algorithm) else { return nil }
    if let known = TokenAlgorithm(rawValue: name) { return known }
    let names = TokenAlgorithm.allCases.map(\.rawValue)
    throw .usage("--algorithm: there is no \(quoted(name))\(Suggestion.clause(for: name, among: names))")
  }

  /// From the flag, the environment or the configuration; the one that is nearest to hand wins.
  private static func secret(_ arguments: Arguments) throws(Problem) -> String {
    if arguments.given.contains("secret") || !arguments.given.contains("config"),
      let secret = arguments.value(secret)
    {
      return secret
    }
    guard let file = arguments.value(config) else { return "" }
    return try ConfigurationReader.load(file).tokenSecret
  }
}
