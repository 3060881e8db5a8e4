/// What the counters of docs/limits.md say, in the words of `/metrics`.
enum MetricsHelp {
  static func counter(_ name: String) -> String { counters[name] ?? "See docs/limits.md." }

  static func duration(_ name: String) -> String { durations[name] ?? "Durations." }

  private static let durations = [
    "websocket_opening":
      "From accepting a connection, or the first byte of its next request, to its 101 response.",
    "http_response": "From a whole HTTP request to its response.",
    "websocket_closing": "From the server's close frame to the end of the connection.",
  ]

  private static let counters = [
    "http_rejected": "Requests refused for their form or size (400, 413, 414, 431, 501, 505).",
    "http_timeouts": "Requests that did not arrive in time (408).",
    "messages_too_big": "Connections closed for a message beyond the limit (1009).",
    "protocol_errors": "Connections closed for breaking the WebSocket protocol (1002, 1007, 1008).",
    "pong_timeouts": "Connections closed because no pong came in time.",
    "close_timeouts": "Connections cut because the closing handshake took too long.",
    "slow_consumers": "Connections cut because they did not take what was sent.",
    "authentication_timeouts": "Clients refused because to authenticate them took too long (503).",
    "connections_refused": "Connections refused beyond limits.connections (503).",
    "connections_refused_by_address": "Connections refused beyond limits.connections_per_address (429).",
    "proxy_headers_refused": "Connections closed for a bad, late or missing PROXY protocol header.",
    "tls_handshakes": "TLS handshakes completed, resumed ones included.",
    "tls_resumed": "TLS handshakes that resumed a session.",
    "tls_failed": "TLS handshakes that failed.",
    "tls_timeouts": "TLS handshakes that took too long.",
    "tls_refused": "Connections cut because too many TLS handshakes were under way.",
    "sessions_opened": "Client sessions opened.",
    "sessions_closed": "Client sessions ended.",
    "sessions_told_to_return": "Clients disconnected with a code to come again (below 3500).",
    "sessions_told_to_stay_away": "Clients disconnected with a code to stay away (3500 and above).",
    "commands": "Commands of clients.",
    "command_errors": "Commands answered with an error.",
    "bad_requests": "Commands that are malformed or name impossible channels (3501, 107).",
    "bad_tokens": "Tokens refused: of a wrong signature, form or audience.",
    "expired_clients": "Clients disconnected because their token had expired (3005).",
    "stale_clients": "Clients disconnected because they did not connect in time (3502).",
    "silent_clients": "Clients disconnected because no pong came in time (3012).",
    "rate_limited": "Commands refused beyond a rate (111).",
    "shared_frames_compressed": "Messages compressed once for many clients.",
    "shared_bytes_before_compression": "Bytes of these messages before compression.",
    "shared_bytes_after_compression": "Bytes of these messages after compression.",
    "transport_requests_refused": "Requests of the HTTP transports refused for their form or size.",
    "transport_sessions_unknown": "Requests for a session that is not, or no longer, there.",
    "transport_command_gaps": "Commands carried out before earlier ones, which did not come in time.",
    "transport_commands_repeated": "Commands that came again and were not carried out again.",
    "transport_slow_clients": "Sessions ended because too much waited for the client (3008).",
    "poll_sessions_refused": "Long-polling sessions refused because there were too many.",
    "poll_sessions_left": "Long-polling sessions ended because nobody came for what waited.",
    "tunnels_refused": "WebSocket tunnels over HTTP refused because there were too many.",
    "tunnel_streams_broken": "Streams of tunnels that broke; their clients go on with polls.",
    "backend_requests": "Requests to the application's backend.",
    "backend_failures": "Requests to the backend that failed or timed out.",
    "backend_rejections": "Requests not made because the breaker was open.",
    "backend_breaker_openings": "Times the backend was given a rest after failures.",
    "webhook_events": "Events meant for webhooks.",
    "webhook_events_dropped": "Events dropped because too many waited or delivery failed for too long.",
    "webhook_failures": "Deliveries of webhooks that failed and were tried again, or given up.",
    "token_key_fetches": "Times the keys of a token issuer were fetched.",
    "token_key_fetch_failures": "Times that failed.",
    "revocations": "Revocations of tokens in force.",
    "log_lines_dropped": "Log lines dropped because the log was not taken fast enough.",
    "log_lines_left_out": "Log lines left out because there were many of the same kind.",
  ]
}
