import JSON
import Realtime

/// `FilterNode` in client.proto. How large a filter may be is up to ``TagsFilter``; how deep it may be read, to the
/// readers.
extension JSONReader {
  mutating func readFilter() throws(JSONError) -> TagsFilterNode {
    var node = TagsFilterNode()
    try readObject { (reader, key) throws(JSONError) in
      if try reader.readNull() { return }
      switch key {
      case "op": node.op = try reader.readString()
      case "key": node.key = try reader.readString()
      case "cmp": node.cmp = try reader.readString()
      case "val": node.val = try reader.readString()
      case "vals":
        try reader.readArray { (reader) throws(JSONError) in node.vals.append(try reader.readString()) }
      case "nodes":
        try reader.readArray { (reader) throws(JSONError) in node.nodes.append(try reader.readFilter()) }
      default: break
      }
    }
    return node
  }
}

extension ProtobufReader {
  mutating func readFilter() throws(ProtobufError) -> TagsFilterNode {
    var node = TagsFilterNode()
    try readMessage { (reader, number) throws(ProtobufError) in
      switch number {
      case 1: node.op = try reader.readString()
      case 2: node.key = try reader.readString()
      case 3: node.cmp = try reader.readString()
      case 4: node.val = try reader.readString()
      case 5: node.vals.append(try reader.readString())
      case 6: node.nodes.append(try reader.readFilter())
      default: break
      }
    }
    return node
  }
}
