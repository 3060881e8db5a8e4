import HTTPCore

/// What is said to a proxy before it passes bytes on. No I/O: bytes in, the next step out.
protocol ProxyDialogue: ~Copyable {
  /// The next step. The first call needs no input.
  ///
  /// - Parameter input: bytes that have arrived; moved behind what was taken. What the destination said behind the
  ///   proxy's last answer stays.
  /// - Returns: nil when all of the input was taken and more is needed.
  /// - Throws: why there is no way through the proxy.
  mutating func next(_ input: inout UnsafeRawBufferPointer) throws(ProxyRefusal) -> ProxyStep?
}

/// What a dialogue with a proxy wants.
enum ProxyStep: Equatable {
  case send([UInt8])
  /// From here on the bytes are the destination's.
  case established
}

/// Why a proxy gives no way to the destination.
struct ProxyRefusal: Error, Equatable {
  /// Completes the sentence that begins with the proxy's name: "wants a user name and a password."
  let complaint: String
  /// The status of an HTTP proxy's answer.
  var status: HTTPStatus?
  /// The fields of an HTTP proxy's answer.
  var fields: HTTPFields?

  init(_ complaint: String, status: HTTPStatus? = nil, fields: HTTPFields? = nil) {
    self.complaint = complaint
    self.status = status
    self.fields = fields
  }
}

/// Where a proxy is to lead.
struct ProxyDestination: Equatable {
  /// A name or an address; IPv6 without brackets.
  let host: String
  let port: UInt16

  /// `example.org:443`, `[::1]:80`
  var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
