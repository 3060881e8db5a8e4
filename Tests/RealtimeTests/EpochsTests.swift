import Testing

@testable import Realtime

@Suite struct EpochsTests {
  @Test func aForgottenChannelGetsAnotherEpochAndOthersKeepTheirs() {
    var epochs = Epochs(randomBits: 36)
    #expect(epochs.epoch(of: "a") == "10" && epochs.epoch(of: "b") == "10")
    epochs.forget("a")
    #expect(epochs.epoch(of: "a") == "10.1" && epochs.epoch(of: "b") == "10")
    epochs.forget("a")
    #expect(epochs.epoch(of: "a") == "10.2")
  }
}
