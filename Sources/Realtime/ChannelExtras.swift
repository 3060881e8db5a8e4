/// What few channels have, apart, so that the others do not pay for it.
final class ChannelExtras {
  var idempotency = IdempotencyWindow()
  /// Of the state that the last publication with a version described.
  var version: (epoch: String, number: UInt64) = ("", 0)
  /// What differences are made from; nil where they are not allowed, and before the first publication.
  var lastSent: Publication?
  /// How many publications were sent, where differences are allowed.
  var sentCount: UInt64 = 0
  /// Who acknowledges what it is sent.
  var consumers = Consumers()
}
