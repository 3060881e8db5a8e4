import COpenSSL

/// The certificate that the other side of a TLS connection has proved to hold.
public struct TLSPeerCertificate: Sendable, Hashable {
  /// The subject's distinguished name as RFC 2253 writes it: `CN=device-17,O=Example`.
  public let subject: String
  /// The names (DNS) that it is made out to.
  public let names: [String]
  /// SHA-256 of the certificate (DER), in lower-case hexadecimal: 64 digits.
  public let fingerprint: String

  init?(of ssl: OpaquePointer) {
    guard let certificate = SSL_get1_peer_certificate(ssl) else { return nil }
    defer { X509_free(certificate) }
    subject = Self.subject(of: certificate)
    names = CertificateNames.dnsNames(of: certificate)
    var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return nil }
    fingerprint = hexadecimal(digest.prefix(Int(count)))
  }

  private static func subject(of certificate: OpaquePointer) -> String {
    guard let bio = BIO_new(BIO_s_mem()) else { return "" }
    defer { BIO_free(bio) }
    // RFC 2253's form, with UTF-8 as it is.
    let form = copenssl_XN_FLAG_RFC2253 & ~UInt(ASN1_STRFLGS_ESC_MSB)
    guard X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, form) >= 0 else { return "" }
    var bytes = [UInt8](repeating: 0, count: 4_096)
    let count = BIO_read(bio, &bytes, Int32(bytes.count))
    return String(decoding: bytes.prefix(Int(max(0, count))), as: UTF8.self)
  }
}

enum CertificateNames {
  /// The DNS names of a certificate in lower case; the common name only where there are none (RFC 6125 §6.4.4).
  static func dnsNames(of certificate: OpaquePointer) -> [String] {
    var names: [String] = []
    if let found = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) {
      defer { copenssl_free_general_names(found) }
      let list = OpaquePointer(found)
      for index in 0..<copenssl_general_name_count(list) {
        guard let text = copenssl_dns_name(copenssl_general_name(list, index)) else { continue }
        names.append(string(text).lowercased())
      }
    }
    guard names.isEmpty else { return names }
    let subject = X509_get_subject_name(certificate)
    let index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
    guard index >= 0, let entry = X509_NAME_get_entry(subject, index),
      let text = X509_NAME_ENTRY_get_data(entry)
    else { return [] }
    return [string(text).lowercased()]
  }

  private static func string(_ text: UnsafePointer<ASN1_STRING>) -> String {
    let count = Int(max(0, ASN1_STRING_length(text)))
    guard let bytes = ASN1_STRING_get0_data(text) else { return "" }
    return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
  }
}

func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
