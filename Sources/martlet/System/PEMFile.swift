/// What is in files of certificates and keys, as far as it says which flag is missing.
enum PEMFile {
  /// Whether the file has a certificate and no private key; false for what cannot be read.
  static func lacksKey(_ path: String) -> Bool {
    guard let bytes = try? TextFile.read(path) else { return false }
    let text = String(decoding: bytes, as: UTF8.self)
    return text.contains("-----BEGIN CERTIFICATE-----") && !text.contains("PRIVATE KEY-----")
  }
}
