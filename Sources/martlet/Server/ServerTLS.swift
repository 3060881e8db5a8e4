import Transport

/// TLS of a server that the program runs: from files, which SIGHUP reads again.
enum ServerTLS {
  static let certificate = Flag(
    "tls-certificate", .text("FILE"), repeatable: true,
    help: "speak TLS (wss://) with this certificate and its chain (PEM); SIGHUP reads it again")
  static let key = Flag(
    "tls-key", .text("FILE"), repeatable: true,
    help: "its private key (PEM); not needed if it is in the certificate's file")
  static let clientAuthorities = Flag(
    "tls-client-ca", .text("FILE"),
    help: "let in only clients with a certificate that an authority of this file (PEM) has issued")

  /// What the configuration says of TLS.
  struct Settings: Sendable {
    var certificates: [String] = []
    var keys: [String] = []
    var clientAuthorities = ""
    var minimumVersion = "1.2"
    var ciphers: [String] = []

    /// What cannot be used together, a line each.
    var contradictions: [String] {
      var lines: [String] = []
      if certificates.isEmpty, !keys.isEmpty {
        lines.append("--tls-key (tls.keys) needs --tls-certificate (tls.certificates)")
      }
      if certificates.isEmpty, !clientAuthorities.isEmpty {
        lines.append("--tls-client-ca (tls.client_authorities) needs --tls-certificate (tls.certificates)")
      }
      if !certificates.isEmpty, !keys.isEmpty, keys.count != certificates.count {
        lines.append("tls: there must be a key for each certificate, in the same order, or none at all")
      }
      return lines
    }
  }

  /// Flags over what is there.
  static func apply(_ arguments: Arguments, to settings: inout Settings) {
    let certificates = arguments.allValues(certificate)
    if !certificates.isEmpty {
      // Keys that the file names belong to the certificates that it names.
      settings.certificates = certificates
      settings.keys = []
    }
    let keys = arguments.allValues(key)
    if !keys.isEmpty { settings.keys = keys }
    if let authorities = arguments.value(clientAuthorities) { settings.clientAuthorities = authorities }
  }

  /// Nil where there is no certificate.
  ///
  /// - Throws: ``Problem`` when a file cannot be used.
  static func context(_ settings: Settings) throws(Problem) -> TLSServerContext? {
    if let problem = settings.contradictions.first { throw .usage(problem) }
    guard !settings.certificates.isEmpty else { return nil }
    if settings.keys.isEmpty, let file = settings.certificates.first(where: PEMFile.lacksKey) {
      throw .usage(
        "\(quoted(path: file)) has no private key: --tls-key (tls.keys) names the file that has it")
    }
    let keys = settings.keys.isEmpty ? settings.certificates : settings.keys
    var options = TLSServerOptions(
      certificates: zip(settings.certificates, keys).map { TLSCertificate(chainFile: $0, keyFile: $1) })
    if settings.minimumVersion == "1.3" { options.minimumVersion = .v13 }
    options.ciphers = settings.ciphers
    if !settings.clientAuthorities.isEmpty {
      options.clientCertificates = .required(authoritiesFile: settings.clientAuthorities)
    }
    do {
      return try TLSServerContext(options)
    } catch {
      throw .usage(Explanation.of(error))
    }
  }

  /// Reads the files again. Gives what is wrong with them, if anything; then the old ones stay in use.
  static func reload(_ context: TLSServerContext) -> String? {
    do throws(TransportError) {
      try context.reload()
      return nil
    } catch {
      return Explanation.of(error)
    }
  }

  /// Reads the files again at each SIGHUP.
  static func reloadAtHangup(_ context: TLSServerContext) {
    Signals.handleHangup {
      let problem = reload(context)
      Terminal.note(
        problem.map { "TLS: the old certificates stay: \($0)" } ?? "TLS: certificates and keys are read again"
      )
    }
  }
}
