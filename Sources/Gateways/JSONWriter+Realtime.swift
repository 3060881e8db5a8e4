import Bytes
import JSON
import Realtime

/// How the hub's values are spelled in JSON, in the client protocol and in the server API alike. What is empty or
/// zero is left out.
extension JSONWriter {
  mutating func members(of position: StreamPosition) {
    if position.offset > 0 { member("offset", position.offset) }
    if !position.epoch.isEmpty { member("epoch", position.epoch) }
  }

  mutating func write(_ client: ClientInfo) {
    beginObject()
    member("user", client.user)
    member("client", client.client)
    if let info = client.connectionInfo { member("conn_info", info) }
    if let info = client.channelInfo { member("chan_info", info) }
    endObject()
  }

  mutating func write(_ publication: Publication) {
    beginObject()
    members(of: publication)
    endObject()
  }

  mutating func members(of publication: Publication) {
    members(of: publication) { json in
      json.key("data")
      if publication.isUnchecked { json.unchecked(publication.data) } else { json.raw(publication.data) }
    }
  }

  /// `data` writes the member of that name, and what goes with it.
  mutating func members(of publication: Publication, data: (inout JSONWriter) -> Void) {
    if publication.offset > 0 { member("offset", publication.offset) }
    data(&self)
    if let info = publication.info {
      key("info")
      write(info)
    }
    if !publication.tags.isEmpty {
      key("tags")
      beginObject()
      for tag in publication.tags {
        key(tag.name)
        string(tag.value)
      }
      endObject()
    }
  }

  /// Clients by their identifiers.
  mutating func presence(_ clients: [ClientInfo]) {
    key("presence")
    beginObject()
    for client in clients {
      key(client.client)
      write(client)
    }
    endObject()
  }

  mutating func members(of page: HistoryPage) {
    key("publications")
    array(page.publications) { json, publication in json.write(publication) }
    members(of: page.position)
  }

  mutating func members(of stats: PresenceStats) {
    member("num_clients", stats.clients)
    member("num_users", stats.users)
  }

  mutating func member(_ name: StaticString, _ value: some BinaryInteger & Sendable) {
    key(name)
    number(value)
  }

  mutating func member(_ name: StaticString, _ value: String) {
    key(name)
    string(value)
  }

  /// Splices JSON that was validated when it came in.
  mutating func member(_ name: StaticString, _ value: SharedBytes) {
    key(name)
    raw(value)
  }

  private mutating func raw(_ value: SharedBytes) {
    value.withUnsafeBytes { raw($0) }
  }

  /// Writes what may be anything: JSON as such, other bytes as a string in Base64.
  mutating func unchecked(_ value: SharedBytes) {
    value.withUnsafeBytes { bytes in
      if (try? JSONText.validate(bytes)) != nil {
        raw(JSONText.compact(bytes))
      } else {
        string(Base64.encode(bytes))
      }
    }
  }

  mutating func array<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) {
    beginArray()
    for element in elements { write(&self, element) }
    endArray()
  }
}

extension JSONReader {
  /// A place in a stream.
  mutating func position() throws(JSONError) -> StreamPosition {
    var position = StreamPosition()
    try readObject { (value, key) throws(JSONError) in
      if key == "offset" { position.offset = try value.readUInt64() }
      if key == "epoch" { position.epoch = try value.readString() }
    }
    return position
  }

  /// Any value, without the white space that does not matter: a newline inside would end the client protocol's
  /// message.
  mutating func compacted() throws(JSONError) -> SharedBytes {
    SharedBytes.make(copying: JSONText.compact(try readRaw()))
  }
}
