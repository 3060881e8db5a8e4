/// One setting, described once: the file's reader, the environment's reader, `config default` and `config docs` read this.
struct Setting<Root>: Sendable {
  /// The way to it in the file: `limits.message_bytes`.
  let key: String
  let help: String
  let apply: @Sendable (inout Root, RawValue) throws(BadValue) -> Void
  /// The value as JSON5.
  let show: @Sendable (Root) -> String
  /// Gives the second root the first one's value.
  let copy: @Sendable (Root, inout Root) -> Void
  /// Whether the value must not be printed in messages.
  let isSecret: Bool

  init<Value>(
    _ key: String, _ path: any WritableKeyPath<Root, Value> & Sendable, _ kind: ValueKind<Value>,
    isSecret: Bool = false, help: String
  ) {
    self.key = key
    self.help = help
    self.isSecret = isSecret
    apply = { (root, raw) throws(BadValue) in root[keyPath: path] = try kind.read(raw) }
    copy = { $1[keyPath: path] = $0[keyPath: path] }
    show = { kind.show($0[keyPath: path]) }
  }

  /// `MARTLET_LIMITS_MESSAGE_BYTES`
  var environmentName: String {
    "MARTLET_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
  }

  /// The group of the key (`limits`) and its name within (`message_bytes`).
  var path: (group: String?, name: String) {
    let parts = key.split(separator: ".", maxSplits: 1).map(String.init)
    return parts.count == 2 ? (parts[0], parts[1]) : (nil, key)
  }

  /// The settings of a group one behind the other: a file has each group once.
  static func inGroups(_ settings: [Setting<Root>]) -> [Setting<Root>] {
    var groups: [String] = []
    for group in settings.compactMap(\.path.group) where !groups.contains(group) { groups.append(group) }
    return settings.filter { $0.path.group == nil }
      + groups.flatMap { group in settings.filter { $0.path.group == group } }
  }
}
