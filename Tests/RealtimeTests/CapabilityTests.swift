import Testing

@testable import Realtime

@Suite struct CapabilityTests {
  @Test func theFirstThatCoversCounts() {
    let capabilities = Capabilities([
      ChannelCapability(channels: ["a", "b:1"], allowances: [.subscribe]),
      ChannelCapability(channels: ["b:*", "", "c:?"], match: .wildcard, allowances: [.publish]),
      ChannelCapability(channels: ["b:1", "*"], allowances: [.history]),
    ])
    #expect(capabilities.allowances(in: "a") == [.subscribe])
    #expect(capabilities.allowances(in: "b:1") == [.subscribe])
    #expect(capabilities.allowances(in: "b:2") == [.publish])
    #expect(capabilities.allowances(in: "c:2") == [.publish])
    #expect(capabilities.allowances(in: "c:22") == [])
    #expect(capabilities.allowances(in: "*") == [.history])
    #expect(capabilities.allowances(in: "d") == [])
    let expressions = Capabilities([
      ChannelCapability(channels: ["(", "^d:\\d+$"], match: .regularExpression, allowances: [.presence])
    ])
    #expect(expressions.allowances(in: "d:12") == [.presence])
    #expect(expressions.allowances(in: "d:1x") == [])
    #expect(expressions.allowances(in: "(") == [])
  }

  @Test(arguments: Permissions.Action.allCases)
  func whatATokenAllowsIsAllowed(action: Permissions.Action) throws {
    let channel = try #require(ChannelName("a"))
    func refusal(_ allowances: Allowances, _ options: NamespaceOptions? = NamespaceOptions()) -> HubError? {
      let caller = Permissions.Caller(user: "ann", allowances: allowances)
      return Permissions.refusal(of: action, in: channel, options: options, caller: caller)
    }
    #expect(refusal([]) == .permissionDenied)
    #expect(refusal(action.allowance) == nil)
    let others: Allowances = [.subscribe, .publish, .history, .presence]
    #expect(refusal(others.subtracting(action.allowance)) == .permissionDenied)
    #expect(refusal(action.allowance, nil) == .unknownChannel)
  }
}
