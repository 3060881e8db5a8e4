import Testing

@testable import Realtime

@Suite struct PermissionsTests {
  struct Row: Sendable, CustomTestStringConvertible {
    var channel = "c"
    var audience: Audience
    var user: String
    var granted = false
    var subscribed = false
    var userLimited = true
    var expected: HubError?

    var testDescription: String {
      "\(channel) \(audience.rawValue) '\(user)' granted \(granted) subscribed \(subscribed)"
    }
  }

  private func verdict(_ action: Permissions.Action, _ row: Row) throws -> HubError? {
    var options = NamespaceOptions()
    options.subscribe = row.audience
    options.publish = row.audience
    options.history = row.audience
    options.presence = row.audience
    options.allowsUserLimitedChannels = row.userLimited
    return Permissions.refusal(
      of: action, in: try #require(ChannelName(row.channel)), options: options,
      caller: Permissions.Caller(user: row.user, isGranted: row.granted, isSubscribed: row.subscribed))
  }

  static let no = HubError.permissionDenied

  @Test(arguments: [
    Row(audience: .nobody, user: "ann", expected: no),
    Row(audience: .nobody, user: "", expected: no),
    Row(audience: .nobody, user: "", granted: true),
    Row(audience: .authenticated, user: "ann"),
    Row(audience: .authenticated, user: "", expected: no),
    Row(audience: .anonymous, user: ""),
    Row(audience: .anonymous, user: "ann", expected: no),
    Row(audience: .everyone, user: ""),
    Row(audience: .everyone, user: "ann"),
    Row(audience: .subscribers, user: "ann", subscribed: true, expected: no),
    Row(channel: "$c", audience: .everyone, user: "ann", expected: no),
    Row(channel: "$c", audience: .nobody, user: "ann", granted: true),
    Row(channel: "c#ann,bob", audience: .nobody, user: "ann"),
    Row(channel: "c#ann,bob", audience: .everyone, user: "eve", expected: no),
    Row(channel: "c#ann,bob", audience: .everyone, user: "", expected: no),
    Row(channel: "c#ann,bob", audience: .everyone, user: "ann", userLimited: false, expected: no),
    Row(channel: "c#ann,bob", audience: .nobody, user: "eve", granted: true),
    Row(channel: "$c#ann", audience: .everyone, user: "ann", expected: no),
  ])
  func subscribing(_ row: Row) throws {
    #expect(try verdict(.subscribe, row) == row.expected)
  }

  @Test(
    arguments: [.publish, .readHistory, .readPresence] as [Permissions.Action],
    [
      Row(audience: .nobody, user: "ann", granted: true, subscribed: true, expected: no),
      Row(audience: .authenticated, user: "ann"),
      Row(audience: .authenticated, user: "", expected: no),
      Row(audience: .anonymous, user: ""),
      Row(audience: .anonymous, user: "ann", expected: no),
      Row(audience: .subscribers, user: "ann", expected: no),
      Row(audience: .subscribers, user: "", subscribed: true),
      Row(audience: [.subscribers, .authenticated], user: "ann"),
      Row(channel: "$c", audience: .everyone, user: "ann", expected: no),
      Row(channel: "$c", audience: .everyone, user: "ann", subscribed: true),
      Row(channel: "c#ann", audience: .everyone, user: "eve", expected: no),
      Row(channel: "c#ann", audience: .everyone, user: "ann"),
      Row(channel: "c#ann", audience: .nobody, user: "ann", expected: no),
    ])
  func others(_ action: Permissions.Action, _ row: Row) throws {
    #expect(try verdict(action, row) == row.expected)
  }

  @Test(arguments: Permissions.Action.allCases)
  func anUnknownNamespaceIsAnUnknownChannel(_ action: Permissions.Action) throws {
    let channel = try #require(ChannelName("nowhere:1"))
    let caller = Permissions.Caller(user: "ann", isGranted: true, isSubscribed: true)
    #expect(Permissions.refusal(of: action, in: channel, options: nil, caller: caller) == .unknownChannel)
  }

  @Test(arguments: Permissions.Action.allCases)
  func optionsDenyEverythingByDefault(_ action: Permissions.Action) throws {
    for name in ["c", "$c", "c#ann"] {
      let channel = try #require(ChannelName(name))
      let caller = Permissions.Caller(user: "ann", isGranted: false, isSubscribed: true)
      let refusal = Permissions.refusal(of: action, in: channel, options: NamespaceOptions(), caller: caller)
      #expect(refusal == .permissionDenied)
    }
  }
}
