import Realtime

/// What `config default` and `config docs` print.
enum ConfigurationText {
  /// A JSON5 file with every option, its meaning and its default.
  static func defaults() -> String {
    var lines = [
      "// Configuration of 'martlet serve'. Every option is listed here with its default; what you leave out keeps it.",
      "// An environment variable goes over the file (MARTLET_PORT, MARTLET_LIMITS_MESSAGE_BYTES), a flag over both.",
      "// Everything is denied until it is allowed here or by a token.", "{",
    ]
    let configuration = ServerConfiguration()
    var group: String?
    for setting in ServerConfiguration.settings {
      let path = setting.path
      if path.group != group {
        if group != nil { lines += ["  },", ""] }
        if let opened = path.group { lines.append("  \(opened): {") }
        group = path.group
      }
      let indent = path.group == nil ? "  " : "    "
      lines += entry(setting.help, "\(path.name): \(setting.show(configuration)),", indent)
      if path.group == nil { lines.append("") }
    }
    if group != nil { lines += ["  },", ""] }
    lines += namespaces()
    return lines.joined(separator: "\n") + "\n"
  }

  private static func namespaces() -> [String] {
    var lines = entry(
      "Channels whose name has no namespace, such as \"lobby\". Without this object there are none.",
      "default_namespace: {", "  ")
    let options = NamespaceOptions()
    for setting in NamespaceOptions.settings {
      lines += entry(setting.help, "\(setting.key): \(setting.show(options)),", "    ")
    }
    lines += ["  },", ""]
    lines += entry(
      "Namespaces, each with options as above: channel \"chat:lobby\" is of namespace \"chat\".",
      "namespaces: {",
      "  ")
    return lines + [
      "    // chat: {", "    //   subscribe: [\"authenticated\"],", "    //   publish: [\"subscribers\"],",
      "    //   history_size: 100,", "    //   history_ttl_seconds: \"24h\",",
      "    //   allow_recovery: true,",
      "    // },", "  },", "}",
    ]
  }

  /// docs/configuration.md.
  static func documentation() -> String {
    var lines = [
      "# Configuration of the server", "",
      "`martlet serve --config FILE` reads JSON5. `martlet config default` prints a file to start from, `martlet",
      "config check FILE` finds mistakes, and `martlet config docs` printed this page. An environment variable goes",
      "over the file, a flag over both. A time is a number of seconds or a text such as `\"15m\"`, a size a number of",
      "bytes or a text such as `\"64KiB\"`.", "", "## The server", "",
      "| Option | Default | Environment | Meaning |", "| --- | --- | --- | --- |",
    ]
    let configuration = ServerConfiguration()
    for setting in ServerConfiguration.settings {
      lines.append(
        "| `\(setting.key)` | `\(setting.show(configuration))` | `\(setting.environmentName)` | \(setting.help) |"
      )
    }
    lines += [
      "", "## Namespaces", "",
      "`namespaces` is an object of objects: the channel `chat:lobby` is of the namespace `chat`. `default_namespace`",
      "is for channels without a colon; without it there are none.", "",
      "| Option of a namespace | Default | Meaning |", "| --- | --- | --- |",
    ]
    let options = NamespaceOptions()
    for setting in NamespaceOptions.settings {
      lines.append("| `\(setting.key)` | `\(setting.show(options))` | \(setting.help) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func entry(_ help: String, _ line: String, _ indent: String) -> [String] {
    HelpText.wrapped(help, indent: indent + "// ") + [indent + line]
  }
}
