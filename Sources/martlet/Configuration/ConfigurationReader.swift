import Realtime

/// Reads a configuration file and collects everything that is wrong with it.
struct ConfigurationReader {
  private(set) var configuration = ServerConfiguration()
  /// One line each, with file, line and column.
  private(set) var problems: [String] = []
  private let fileName: String

  private init(fileName: String) { self.fileName = fileName }

  /// Reads the text of a file; `fileName` stands in front of each problem.
  static func read(_ text: String, fileName: String) -> ConfigurationReader {
    var reader = ConfigurationReader(fileName: fileName)
    do {
      let document = try JSON5Reader.read(text)
      if let members = reader.members(of: document, "the configuration") { reader.readServer(members) }
      reader.problems += reader.configuration.contradictions.map { "\(fileName): \($0)" }
    } catch {
      reader.complain(error.complaint, at: error.position)
    }
    return reader
  }

  /// Reads a file for a command that cannot go on without it.
  static func load(_ path: String) throws(Problem) -> ServerConfiguration {
    guard let text = String(validating: try TextFile.read(path), as: UTF8.self) else {
      throw .usage("\(quoted(path: path)) is not a text file (UTF-8)")
    }
    let reader = read(text, fileName: path)
    guard let problem = reader.problems.first else { return reader.configuration }
    let more = reader.problems.count - 1
    throw .usage(problem + (more == 0 ? "" : " (and \(more) more; see 'martlet config check \(path)')"))
  }

  private mutating func readServer(_ members: [JSON5Member]) {
    var configuration = ServerConfiguration()
    defer { self.configuration = configuration }
    let settings = ServerConfiguration.settings
    let groups = Set(settings.compactMap(\.path.group))
    let topLevel = settings.filter { $0.path.group == nil }.map(\.key) + groups.sorted()
    for member in members {
      if groups.contains(member.key) {
        guard let inner = self.members(of: member.node, quoted(member.key)) else { continue }
        let known = settings.filter { $0.path.group == member.key }
        for setting in inner { apply(setting, known, prefix: member.key + ".", to: &configuration) }
      } else if member.key == "default_namespace" {
        configuration.defaultNamespace = readNamespace(member)
      } else if member.key == "namespaces" {
        configuration.namespaces = readNamespaces(member)
      } else {
        let names = topLevel + ["default_namespace", "namespaces"]
        apply(member, settings.filter { $0.path.group == nil }, names: names, to: &configuration)
      }
    }
  }

  private mutating func readNamespaces(_ member: JSON5Member) -> [String: NamespaceOptions] {
    var namespaces: [String: NamespaceOptions] = [:]
    for namespace in members(of: member.node, quoted(member.key)) ?? [] {
      if namespace.key.isEmpty || namespace.key.contains(":") {
        complain(
          "\(quoted(namespace.key)) cannot be a namespace: it is what stands before the ':'", at: namespace)
      } else if ChannelName(namespace.key + ":") == nil {
        complain(
          "\(quoted(namespace.key)) cannot be a namespace: names of channels have up to 255 bytes and no control characters",
          at: namespace)
      } else if let options = readNamespace(namespace) {
        namespaces[namespace.key] = options
      }
    }
    return namespaces
  }

  private mutating func readNamespace(_ member: JSON5Member) -> NamespaceOptions? {
    if member.node.value == .null { return nil }
    guard let inner = members(of: member.node, quoted(member.key)) else { return nil }
    var options = NamespaceOptions()
    for setting in inner { apply(setting, NamespaceOptions.settings, to: &options) }
    return options
  }

  private mutating func apply<Root>(
    _ member: JSON5Member, _ settings: [Setting<Root>], names: [String]? = nil, prefix: String = "",
    to root: inout Root
  ) {
    guard let setting = settings.first(where: { $0.key == prefix + member.key }) else {
      let known = names ?? settings.map(\.path.name)
      let hint = Suggestion.clause(for: member.key, among: known)
      return complain("unknown key \(quoted(member.key))\(hint)", at: member)
    }
    do {
      try setting.apply(&root, .node(member.node.value))
    } catch {
      let value = setting.isSecret ? "the value" : member.node.value.description
      complain("\(setting.key): \(value) \(error.complaint)", at: member.node.position)
    }
  }

  private mutating func members(of node: JSON5Node, _ name: String) -> [JSON5Member]? {
    if case .object(let members) = node.value { return members }
    complain("\(name) must be an object: { … }", at: node.position)
    return nil
  }

  private mutating func complain(_ text: String, at member: JSON5Member) {
    complain(text, at: member.keyPosition)
  }

  private mutating func complain(_ text: String, at position: TextPosition) {
    problems.append("\(fileName):\(position.line):\(position.column): \(text)")
  }
}
