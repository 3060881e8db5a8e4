import Testing

@testable import Realtime

/// Who × what × where × by which way, against a table that was written by hand from docs/channels.md, not from the code:
/// each cell says which members of the namespace's list open it.
@Suite struct PermissionMatrixTests {
  enum Role: String, CaseIterable { case anonymous, listed, other }
  enum Place: String, CaseIterable { case plain = "s:c", hidden = "$s:c", forUsers = "s:c#listed,third" }
  enum Operation: CaseIterable { case publish, history, presence, presenceStats }

  /// `a`, `u`, `s`: open if the list has "anonymous", "authenticated", "subscribers". `+`: open anyway. `l`: if the namespace
  /// has channels for users.
  private static let subscribing: [Place: [Role: String]] = [
    .plain: [.anonymous: "a", .listed: "u", .other: "u"],
    .hidden: [.anonymous: "", .listed: "", .other: ""],
    .forUsers: [.anonymous: "", .listed: "l", .other: ""],
  ]
  private static let outside: [Place: [Role: String]] = [
    .plain: [.anonymous: "a", .listed: "u", .other: "u"],
    .hidden: [.anonymous: "", .listed: "", .other: ""],
    .forUsers: [.anonymous: "", .listed: "u", .other: ""],
  ]
  private static let inside: [Role: String] = [.anonymous: "as", .listed: "us", .other: "us"]

  private static func opens(_ cell: String?, _ list: Audience, users: Bool = false) -> Bool {
    (cell ?? "").contains { key in
      switch key {
      case "a": list.contains(.anonymous)
      case "u": list.contains(.authenticated)
      case "s": list.contains(.subscribers)
      case "l": users
      default: key == "+"
      }
    }
  }

  private static let lists = (UInt8(0)..<8).map { Audience(rawValue: $0) }
  private static let secret = "the secret that nobody else may see"

  private func rules(_ mode: RecoveryMode = .stream, _ change: (inout NamespaceOptions) -> Void)
    -> NamespaceOptions
  {
    var rules = NamespaceOptions()
    rules.historySize = 9
    rules.historyTTLMilliseconds = 60_000
    rules.allowsRecovery = true
    rules.keepsPresence = true
    rules.emitsJoinLeave = true
    rules.allowsTagsFilter = true
    rules.allowedDeltas = .fossil
    rules.publishesDeltas = true
    rules.allowsAcknowledgement = true
    rules.recoveryMode = mode
    change(&rules)
    return rules
  }

  private func world(_ rules: NamespaceOptions) -> World { World(default: nil, named: ["s": rules]) }

  private func client(_ role: Role, _ world: World) -> Client {
    world.client(role.rawValue, user: role == .anonymous ? "" : role.rawValue)
  }

  // MARK: Subscribing, by every way that hands something out

  enum Way: CaseIterable { case live, recovery, cache, delta, filter, acknowledgement, joins }

  private func options(_ way: Way) -> SubscribeOptions {
    var options = SubscribeOptions()
    switch way {
    case .live: break
    case .recovery, .cache: options.recoverSince = StreamPosition()
    case .delta: options.wantsDelta = true
    case .filter:
      var node = TagsFilterNode()
      (node.key, node.cmp) = ("none", "nex")
      options.filter = TagsFilter(node)
    case .acknowledgement: options.consumerName = "phone"
    case .joins: options.wantsJoinLeave = true
    }
    return options
  }

  @Test(arguments: Way.allCases, [false, true])
  func subscribing(way: Way, users: Bool) {
    for list in Self.lists {
      let world = world(
        rules(way == .cache ? .cache : .stream) {
          $0.subscribe = list
          $0.allowsUserLimitedChannels = users
        })
      for place in Place.allCases {
        for role in Role.allCases {
          let isOpen = Self.opens(Self.subscribing[place]?[role], list, users: users)
          check(way, role, place, world, isGranted: false, isOpen: isOpen)
          check(way, role, place, world, isGranted: true, isOpen: true)
        }
      }
    }
  }

  private func check(
    _ way: Way, _ role: Role, _ place: Place, _ world: World, isGranted: Bool, isOpen: Bool
  ) {
    let client = client(role, world)
    defer { world.on(0) { world.hub.remove(client) } }
    _ = world.publish(Self.secret, to: place.rawValue)
    var options = options(way)
    options.isGranted = isGranted
    client.subscribe(place.rawValue, options)
    world.settle()
    // A place is of a user, so that an anonymous client has none, whatever lets it in.
    let isOpen = isOpen && !(way == .acknowledgement && role == .anonymous)
    _ = world.publish(Self.secret, to: place.rawValue)
    let events = client.takeEvents()
    let isSeen = events.contains { $0.contains(Self.secret) }
    let label = "\(way) \(role) \(place) granted \(isGranted): \(events)"
    #expect(isSeen == isOpen, "\(label)")
    if !isOpen { #expect(events == ["refused \(place.rawValue): permissionDenied"], "\(label)") }
    world.on(0) { world.hub.unsubscribe(client, from: place.rawValue) }
    _ = world.publish(Self.secret, to: place.rawValue)
    #expect(client.takeEvents() == [], "\(label): after the end")
  }

  // MARK: The other operations

  @Test(arguments: Operation.allCases, [false, true])
  func operations(operation: Operation, isInside: Bool) {
    for list in Self.lists {
      let world = world(
        rules {
          $0.publish = list
          $0.history = list
          $0.presence = list
        })
      for place in Place.allCases {
        for role in Role.allCases {
          let cell = isInside ? Self.inside[role] : Self.outside[place]?[role]
          check(operation, role, place, world, isInside: isInside, isOpen: Self.opens(cell, list))
        }
      }
    }
  }

  private func check(
    _ operation: Operation, _ role: Role, _ place: Place, _ world: World, isInside: Bool, isOpen: Bool
  ) {
    let (client, witness) = (client(role, world), world.client("witness"))
    defer { world.on(0) { for gone in [client, witness] { world.hub.remove(gone) } } }
    var granted = SubscribeOptions()
    granted.isGranted = true
    witness.subscribe(place.rawValue, granted)
    if isInside { client.subscribe(place.rawValue, granted) }
    world.settle()
    _ = world.publish(Self.secret, to: place.rawValue)
    _ = (client.takeEvents(), witness.takeEvents())
    let label = "\(operation) \(role) \(place) inside \(isInside)"
    #expect(
      shows(operation, place.rawValue, world, .client(client)) == (isOpen ? .some(true) : nil), "\(label)")
    #expect(
      witness.takeEvents().contains { $0.contains("from outside") } == (operation == .publish && isOpen))
    #expect(shows(operation, place.rawValue, world, .server) == true, "\(label), the server")
  }

  /// Nil: refused. True: done, and what it is about was seen.
  private func shows(
    _ operation: Operation, _ channel: String, _ world: World, _ authority: Authority
  ) -> Bool? {
    var shown: Bool?
    let hub = world.hub
    world.on(0) {
      switch operation {
      case .publish:
        hub.publish(PublishRequest("from outside"), to: channel, as: authority) {
          shown = (try? $0.get()).map { $0.offset > 0 }
        }
      case .history:
        hub.history(of: channel, HistoryQuery(limit: nil), as: authority) {
          shown = (try? $0.get()).map { $0.publications.contains { $0.data.text == Self.secret } }
        }
      case .presence:
        hub.presence(of: channel, as: authority) {
          shown = (try? $0.get()).map { $0.contains { $0.client == "witness" } }
        }
      case .presenceStats:
        hub.presenceStats(of: channel, as: authority) { shown = (try? $0.get()).map { $0.clients > 0 } }
      }
    }
    return shown
  }

  // MARK: Who is gone, and what is not there

  @Test func whoIsGoneMayNothing() {
    let open = rules {
      ($0.subscribe, $0.publish, $0.history, $0.presence) = (.everyone, .everyone, .everyone, .everyone)
    }
    let world = world(open)
    let client = client(.other, world)
    _ = world.publish(Self.secret, to: "s:c")
    world.on(0) { world.hub.remove(client) }
    for operation in Operation.allCases {
      #expect(shows(operation, "s:c", world, .client(client)) == nil, "\(operation)")
    }
    client.subscribe("s:c", SubscribeOptions())
    world.settle()
    #expect(client.takeEvents() == ["refused s:c: closed"])
  }

  @Test(arguments: Operation.allCases)
  func unknownNamespacesAreClosedToAll(operation: Operation) {
    let world = world(rules { _ in })
    let client = client(.other, world)
    #expect(shows(operation, "other:c", world, .client(client)) == nil)
    #expect(shows(operation, "other:c", world, .server) == nil)
  }
}
