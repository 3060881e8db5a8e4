"""SIGTERM while an HTTP request, WebSockets and TLS handshakes are under way together."""

import contextlib
import json
import signal
import socket
import ssl
import time

import pytest
from messaging import API_KEY
from programs import Server
from raw_websocket import CLOSE, RawSocket, close_payload, frame, request

DRAIN_SECONDS = 2
# What the program adds for connections that do not end by themselves.
GRACE_SECONDS = 2
CONNECT = b'{"id":1,"connect":{}}'


class Place:
    """A server, and sockets to it: plain, or in TLS."""

    def __init__(self, server, context=None):
        self.server, self.context = server, context

    def connect(self):
        raw = RawSocket(self.server.port)
        if self.context:
            raw.socket = self.context.wrap_socket(raw.socket, server_hostname="localhost")
        return raw

    def client(self):
        """A client of the messaging protocol, past its connect command."""
        raw = self.connect()
        raw.send(request("/connection/websocket"))
        assert raw.read_head()[0] == 101
        raw.send(frame(1, CONNECT))
        assert b'"connect"' in raw.read_frame()[2]
        return raw


@pytest.fixture(params=["plain", "tls"])
def place(request, authority):
    flags, context = [], None
    if request.param == "tls":
        certificate, key = authority.issue("draining")
        flags = ["--tls-certificate", certificate, "--tls-key", key]
        context = ssl.create_default_context(cafile=authority.file)
    environment = {"MARTLET_API_KEYS": API_KEY, "MARTLET_DRAIN_SECONDS": str(DRAIN_SECONDS)}
    with Server("serve", "--demo", "--port", 0, *flags, env=environment) as server:
        yield Place(server, context)
        server.assert_running = lambda: None


def head_and_body():
    """A publish request in two parts."""
    body = json.dumps({"channel": "news:drain", "data": "x" * 1_000}).encode()
    head = (f"POST /api/publish HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {API_KEY}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
    return head.encode(), body


def test_all_at_once(place):
    with contextlib.ExitStack() as stack:
        head, body = head_and_body()
        # A request of which half has arrived; the connection has served one before.
        slow = stack.enter_context(place.connect())
        slow.send(head + body)
        status, fields = slow.read_head()
        assert status == 200 and fields.get("connection") != "close"
        slow.read(int(fields["content-length"]))
        slow.send(head + body[:500])
        # A connection that waits for its next request.
        idle = stack.enter_context(place.connect())
        idle.send(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, fields = idle.read_head()
        assert status == 200 and len(idle.read(int(fields["content-length"]))) > 0
        clients = [stack.enter_context(place.client()) for _ in range(20)]
        # One that never answers the close frame, and one in the middle of a message.
        silent, *clients = clients
        clients[0].send(frame(1, b"x" * 1_000)[:300])
        # Handshakes under way: of TCP alone, and with the first bytes of TLS or HTTP.
        silence, begun = (socket.create_connection(("127.0.0.1", place.server.port), 15) for _ in range(2))
        begun.sendall(b"\x16\x03\x01\x02\x00\x01" if place.context else b"GET / HT")
        stack.callback(silence.close)
        stack.callback(begun.close)
        time.sleep(0.2)

        place.server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        assert idle.read_to_end() == b""
        assert time.monotonic() - started < DRAIN_SECONDS + 1
        for client in clients:
            assert client.read_close() == 3001
            client.send_if_open(frame(CLOSE, close_payload(3001)))
            assert client.read_to_end() == b""
        assert silent.read_close() == 3001
        # Nobody new is let in, and who has begun gets an answer, the last on this connection.
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", place.server.port), timeout=2).close()
        slow.send(body[500:])
        status, fields = slow.read_head()
        assert status == 200 and fields["connection"] == "close"
        assert json.loads(slow.read_to_end())["result"]["offset"] >= 0
        assert place.server.process.wait(10) == 0
        assert time.monotonic() - started < DRAIN_SECONDS + GRACE_SECONDS + 1


def test_nothing_is_waited_for_where_all_end_by_themselves(place):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(place.client()) for _ in range(5)]
        place.server.process.send_signal(signal.SIGTERM)
        started = time.monotonic()
        for client in clients:
            assert client.read_close() == 3001
            client.send_if_open(frame(CLOSE, close_payload(3001)))
            client.close()
        assert place.server.process.wait(10) == 0
        # The closes are spread over the time; there is no further wait.
        assert time.monotonic() - started < DRAIN_SECONDS + 1
