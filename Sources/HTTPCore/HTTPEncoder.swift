import Bytes

/// Why a head cannot be written: what would be read as something else.
public struct HTTPEncodingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  public let description: String
}

/// Writes heads and chunks.
public enum HTTPEncoder {
  /// Writes a request's head.
  ///
  /// - Throws: if the method, target or a field has characters that it must not have; nothing is written then.
  public static func encode(_ head: HTTPRequestHead, into writer: inout ByteWriter) throws(HTTPEncodingError)
  {
    guard !head.method.rawValue.isEmpty, head.method.rawValue.utf8.allSatisfy(ASCII.isToken) else {
      throw HTTPEncodingError(description: "The method is not a token.")
    }
    guard !head.target.isEmpty, head.target.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw HTTPEncodingError(description: "The target has characters that must be percent-encoded.")
    }
    try check(head.fields)
    writer.append(utf8: head.method.rawValue)
    writer.append(ASCII.space)
    writer.append(utf8: head.target)
    writer.append(head.version == .http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
    encode(head.fields, into: &writer)
  }

  /// Writes a response's head.
  ///
  /// - Throws: if the status or a field has characters that it must not have; nothing is written then.
  public static func encode(_ head: HTTPResponseHead, into writer: inout ByteWriter) throws(HTTPEncodingError)
  {
    var reason = head.status.reason
    guard (100...999).contains(head.status.code), reason.withUTF8({ $0.allSatisfy(ASCII.isFieldValue) })
    else {
      throw HTTPEncodingError(description: "The status is not valid.")
    }
    try check(head.fields)
    writer.append(head.version == .http10 ? "HTTP/1.0 " : "HTTP/1.1 ")
    writer.appendDecimal(head.status.code)
    writer.append(ASCII.space)
    writer.append(utf8: reason)
    writer.append("\r\n")
    encode(head.fields, into: &writer)
  }

  /// Before anything is written: a writer that has half a head would send it.
  package static func check(_ fields: HTTPFields) throws(HTTPEncodingError) {
    try fields.forEachBytes { (name, value) throws(HTTPEncodingError) in
      guard !name.isEmpty, name.allSatisfy(ASCII.isToken) else {
        throw HTTPEncodingError(
          description: "The field name “\(String(decoding: name, as: UTF8.self))” is not a token.")
      }
      guard value.allSatisfy(ASCII.isFieldValue) else {
        throw HTTPEncodingError(
          description:
            "The field “\(String(decoding: name, as: UTF8.self))” has a control character in its value.")
      }
    }
  }

  /// Writes checked fields, and the end of the head.
  package static func encode(_ fields: HTTPFields, into writer: inout ByteWriter) {
    fields.forEachBytes { (name, value) in
      writer.append(UnsafeRawBufferPointer(name))
      writer.append(": ")
      writer.append(UnsafeRawBufferPointer(value))
      writer.append("\r\n")
    }
    writer.append("\r\n")
  }

  /// Writes a chunk of a chunked body; an empty one is left out, because it would end the body.
  public static func encodeChunk(_ bytes: UnsafeRawBufferPointer, into writer: inout ByteWriter) {
    guard !bytes.isEmpty else { return }
    writer.appendHexadecimal(UInt64(bytes.count))
    writer.append("\r\n")
    writer.append(bytes)
    writer.append("\r\n")
  }

  /// Ends a chunked body.
  public static func encodeLastChunk(into writer: inout ByteWriter) {
    writer.append("0\r\n\r\n")
  }
}
