// What users of the library meet in its declarations: messages, close codes, statuses and fields, loops, addresses.
@_exported import Bytes
@_exported import EventLoops
@_exported import HTTPCore
@_exported import Transport
@_exported import WebSocketCore
