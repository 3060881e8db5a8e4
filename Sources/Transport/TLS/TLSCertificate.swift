import COpenSSL
import Glibc

/// A certificate with its chain and its private key, in PEM: from files, or from memory.
public struct TLSCertificate: Sendable, Hashable {
  /// Where PEM text comes from.
  enum Source: Sendable, Hashable {
    case file(String)
    case memory([UInt8])
  }

  let chain: Source
  let key: Source

  /// Files: the server's own certificate first, then the intermediate ones; and its key, not encrypted. They are read
  /// when a context is made, and again by ``TLSServerContext/reload()``.
  public init(chainFile: String, keyFile: String) {
    chain = .file(chainFile)
    key = .file(keyFile)
  }

  /// PEM text in memory, in the same order.
  public init(chain: [UInt8], key: [UInt8]) {
    self.chain = .memory(chain)
    self.key = .memory(key)
  }
}

/// A certificate that has been read. Its parts are OpenSSL's, freed with it.
final class LoadedCertificate {
  let certificates: [OpaquePointer]
  private let key: OpaquePointer
  private let chainPlace: String
  private let keyPlace: String

  /// - Throws: ``TransportError`` that says which file is wrong and how.
  init(_ source: TLSCertificate) throws(TransportError) {
    chainPlace = source.chain.place
    keyPlace = source.key.place
    let chainText = try source.chain.read(as: "certificate")
    let keyText = try source.key.read(as: "key")
    let certificates = try PEM.certificates(in: chainText, chainPlace)
    do throws(TransportError) {
      key = try PEM.privateKey(in: keyText, keyPlace)
    } catch {
      certificates.forEach(X509_free)
      throw error
    }
    self.certificates = certificates
  }

  deinit {
    certificates.forEach(X509_free)
    EVP_PKEY_free(key)
  }

  /// The names that it is for, in lower case; `*.example.com` for a wildcard.
  var names: [String] { CertificateNames.dnsNames(of: certificates[0]) }

  func use(in context: OpaquePointer) throws(TransportError) {
    ERR_clear_error()
    guard SSL_CTX_use_certificate(context, certificates[0]) == 1 else {
      throw .tlsOptions("OpenSSL does not take the certificate of \(chainPlace): \(TLSFailure.takeText()).")
    }
    for certificate in certificates.dropFirst() {
      guard copenssl_CTX_add1_chain_cert(context, certificate) == 1 else {
        throw .tlsOptions("OpenSSL does not take the chain of \(chainPlace): \(TLSFailure.takeText()).")
      }
    }
    guard SSL_CTX_use_PrivateKey(context, key) == 1, SSL_CTX_check_private_key(context) == 1 else {
      ERR_clear_error()
      throw .tlsOptions("The key of \(keyPlace) is not the one of the first certificate of \(chainPlace).")
    }
  }
}

/// PEM text (RFC 7468) to OpenSSL's objects.
enum PEM {
  static func certificates(in text: [UInt8], _ place: String) throws(TransportError) -> [OpaquePointer] {
    let bio = try memory(text)
    defer { BIO_free(bio) }
    ERR_clear_error()
    var found: [OpaquePointer] = []
    while let certificate = PEM_read_bio_X509(bio, nil, refusePassword, nil) { found.append(certificate) }
    // The end of the text is "no start line"; anything else is a certificate that cannot be read.
    let error = ERR_peek_error()
    let isEnd =
      copenssl_error_library(error) == ERR_LIB_PEM && copenssl_error_reason(error) == PEM_R_NO_START_LINE
    guard isEnd, !found.isEmpty else {
      found.forEach(X509_free)
      let why = isEnd ? "it has no “BEGIN CERTIFICATE”" : TLSFailure.takeText()
      ERR_clear_error()
      throw .tlsOptions("\(place) is not a certificate in PEM: \(why).")
    }
    ERR_clear_error()
    return found
  }

  static func privateKey(in text: [UInt8], _ place: String) throws(TransportError) -> OpaquePointer {
    let bio = try memory(text)
    defer { BIO_free(bio) }
    ERR_clear_error()
    if let key = PEM_read_bio_PrivateKey(bio, nil, refusePassword, nil) { return key }
    ERR_clear_error()
    let isEncrypted = String(decoding: text, as: UTF8.self).contains("ENCRYPTED")
    throw .tlsOptions(
      isEncrypted
        ? "The key of \(place) is encrypted; decrypt it (openssl pkey -in … -out …) and protect the file."
        : "\(place) is not a private key in PEM: it needs “BEGIN PRIVATE KEY”.")
  }

  /// A BIO with a copy of the text.
  private static func memory(_ text: [UInt8]) throws(TransportError) -> OpaquePointer {
    guard let bio = BIO_new(BIO_s_mem()) else { throw TLSFailure.outOfMemory }
    if !text.isEmpty { _ = BIO_write(bio, text, Int32(clamping: text.count)) }
    return bio
  }
}

/// Without it OpenSSL would ask for a password on the terminal.
private func refusePassword(
  _ buffer: UnsafeMutablePointer<CChar>?, _ count: Int32, _ isWriting: Int32, _ data: UnsafeMutableRawPointer?
) -> Int32 {
  0
}

extension TLSCertificate.Source {
  /// More than any chain of certificates has.
  private static let maximumByteCount = 1 << 20

  var place: String {
    switch self {
    case .file(let path): path
    case .memory: "the PEM text"
    }
  }

  func read(as what: String) throws(TransportError) -> [UInt8] {
    guard case .file(let path) = self else {
      if case .memory(let bytes) = self { return bytes }
      return []
    }
    guard let file = fopen(path, "rbe") else {
      throw .tlsOptions("Cannot read the \(what) file \(path): \(TransportError.text(of: errno)).")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: Self.maximumByteCount + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0 else {
      throw .tlsOptions("Cannot read the \(what) file \(path): \(TransportError.text(of: errno)).")
    }
    guard count <= Self.maximumByteCount else {
      throw .tlsOptions("The \(what) file \(path) has more than 1 MiB.")
    }
    return Array(bytes.prefix(count))
  }
}

extension TransportError {
  /// Certificates, keys or settings that cannot be used.
  static func tlsOptions(_ message: String) -> TransportError { TransportError(.invalidTLSOptions, message) }
}
