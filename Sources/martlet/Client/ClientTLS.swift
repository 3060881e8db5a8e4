import Transport

/// How the program's clients check servers.
enum ClientTLS {
  static let insecure = Switch(
    "insecure",
    help: "take any certificate of the server and an https:// proxy; anybody on the way can then read along")
  static let authorities = Flag(
    "ca", .text("FILE"), default: "the system's",
    help: "trust the authorities of this file (PEM), for an https:// proxy, too")
  static let certificate = Flag(
    "tls-certificate", .text("FILE"), help: "our own certificate with its chain (PEM), for servers that ask")
  static let key = Flag(
    "tls-key", .text("FILE"), help: "its private key (PEM); not needed if it is in the certificate's file")

  static let flags: [any FlagDescription] = [insecure, authorities, certificate, key]

  /// - Throws: ``Problem`` when flags cannot be used together, or files cannot be used.
  static func options(_ arguments: Arguments) throws(Problem) -> TLSClientOptions {
    var options = TLSClientOptions()
    if arguments.has(insecure) {
      if arguments.value(authorities) != nil {
        throw .usage("--insecure looks at no authorities; leave out --ca")
      }
      options.verification = .none
    } else if let file = arguments.value(authorities) {
      options.verification = .authorities(file: file)
    }
    if let file = arguments.value(certificate) {
      if arguments.value(key) == nil, PEMFile.lacksKey(file) {
        throw .usage("\(quoted(path: file)) has no private key: --tls-key names the file that has it")
      }
      options.certificate = TLSCertificate(chainFile: file, keyFile: arguments.value(key) ?? file)
    } else if arguments.value(key) != nil {
      throw .usage("--tls-key needs --tls-certificate")
    }
    return options
  }
}
