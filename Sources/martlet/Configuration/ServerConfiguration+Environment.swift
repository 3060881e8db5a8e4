extension ServerConfiguration {
  /// Variables that other commands read; `serve` lets them pass.
  private static let variablesOfOtherCommands = [
    "MARTLET_URL", "MARTLET_API_KEY", "MARTLET_TOKEN", "MARTLET_CONFIG",
  ]

  /// Puts the `MARTLET_*` variables over what the file says.
  mutating func apply(environment: [String: String]) throws(Problem) {
    let names = Self.settings.map(\.environmentName)
    for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("MARTLET_") {
      if let setting = Self.settings.first(where: { $0.environmentName == variable }) {
        try apply(setting, variable, text)
      } else if !Self.variablesOfOtherCommands.contains(variable), !Self.isFromKubernetes(variable) {
        let hint = Suggestion.clause(for: variable, among: names)
        throw .usage("unknown environment variable \(variable)\(hint)")
      }
    }
  }

  private mutating func apply(
    _ setting: Setting<ServerConfiguration>, _ variable: String, _ text: String
  ) throws(Problem) {
    do {
      try setting.apply(&self, .text(text))
    } catch {
      // Kubernetes sets MARTLET_PORT to an address for every pod beside a service that is named martlet.
      let hint = text.hasPrefix("tcp://") ? " (set by Kubernetes; say enableServiceLinks: false)" : ""
      throw .usage("\(variable): \(setting.isSecret ? "the value" : quoted(text)) \(error.complaint)\(hint)")
    }
  }

  private static func isFromKubernetes(_ variable: String) -> Bool {
    variable.hasPrefix("MARTLET_SERVICE_") || variable.hasPrefix("MARTLET_PORT_")
  }
}
