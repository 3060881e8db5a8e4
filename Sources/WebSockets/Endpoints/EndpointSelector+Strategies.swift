extension EndpointSelector {
  mutating func choose(_ candidates: [Int], using random: inout some RandomNumberGenerator) -> Int? {
    guard candidates.count > 1 else { return candidates.first }
    switch strategy {
    case .roundRobin: return inTurn(candidates)
    case .leastConnections: return leastLoaded(candidates)
    case .random: return byChance(candidates, using: &random)
    case .failover: return candidates.first
    }
  }

  /// Each candidate earns its weight; the one that is owed most pays all that was earned. So a heavy one is chosen more
  /// often, but not in a row.
  private mutating func inTurn(_ candidates: [Int]) -> Int? {
    var total = 0
    for index in candidates {
      endpoints[index].credit += endpoints[index].weight
      total += endpoints[index].weight
    }
    // The first of equals.
    let chosen = candidates.max { (endpoints[$0].credit, -$0) < (endpoints[$1].credit, -$1) }
    if let chosen { endpoints[chosen].credit -= total }
    return chosen
  }

  /// Compares what the loads would be: (load + 1) / weight, multiplied crosswise.
  private mutating func leastLoaded(_ candidates: [Int]) -> Int? {
    let start = turn % endpoints.count
    let rotated = candidates.filter { $0 >= start } + candidates.filter { $0 < start }
    var best: Int?
    for index in rotated {
      guard let found = best else {
        best = index
        continue
      }
      let (one, other) = (endpoints[index], endpoints[found])
      if (one.load + 1) * other.weight < (other.load + 1) * one.weight { best = index }
    }
    if let best { turn = best + 1 }
    return best
  }

  private func byChance(_ candidates: [Int], using random: inout some RandomNumberGenerator) -> Int? {
    var left = Int.random(in: 0..<candidates.reduce(0) { $0 + endpoints[$1].weight }, using: &random)
    for index in candidates {
      left -= endpoints[index].weight
      if left < 0 { return index }
    }
    return candidates.last
  }
}
