/// What has the name of a client.
protocol Named {
  var name: ClientName { get }
}

/// Elements by the names that they have themselves: a dictionary would keep each name a second time. Open addressing, at
/// most three quarters full.
struct NameTable<Element: Named> {
  private var places: [Element?] = []
  private(set) var count = 0

  /// All of them, in no order.
  var values: [Element] { places.compactMap { $0 } }

  subscript(name: ClientName) -> Element? {
    places.isEmpty ? nil : places[place(of: name)]
  }

  /// Takes the place of one with the same name.
  mutating func insert(_ element: Element) {
    if (count + 1) * 4 > places.count * 3 { grow() }
    let place = place(of: element.name)
    if places[place] == nil { count += 1 }
    places[place] = element
  }

  mutating func remove(_ name: ClientName) {
    guard !places.isEmpty else { return }
    var hole = place(of: name)
    guard places[hole] != nil else { return }
    places[hole] = nil
    count -= 1
    // Those behind it up to the next free place must stay reachable from where they are looked for first.
    var index = next(hole)
    while let element = places[index] {
      let home = home(of: element.name)
      if distance(from: home, to: index) >= distance(from: hole, to: index) {
        places[hole] = element
        places[index] = nil
        hole = index
      }
      index = next(index)
    }
  }

  /// Where the element of that name is, or the free place for it; there always is one.
  private func place(of name: ClientName) -> Int {
    var index = home(of: name)
    while let element = places[index], element.name != name { index = next(index) }
    return index
  }

  // The number of places is a power of two.
  private func home(of name: ClientName) -> Int { name.hashValue & (places.count - 1) }
  private func next(_ index: Int) -> Int { (index + 1) & (places.count - 1) }
  private func distance(from start: Int, to end: Int) -> Int { (end &- start) & (places.count - 1) }

  private mutating func grow() {
    let before = places
    places = Array(repeating: nil, count: max(8, before.count * 2))
    for case let element? in before { places[place(of: element.name)] = element }
  }
}
