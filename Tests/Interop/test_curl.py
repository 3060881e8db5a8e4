"""curl: the program for the opening handshake, its library's WebSocket interface for the rest."""

import os
import re
import subprocess
import time

import pycurl
import pytest
from programs import environment
from raw_websocket import BINARY, CLOSE, PING, PONG, TEXT, close_payload, frame

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {KEY}"]


def curl(url, fields=(), sent=b"", flags=()):
    """Runs curl, which for a 101 shows all that follows the head; returns status, head and body."""
    headers = [argument for field in fields for argument in ("--header", field)]
    done = subprocess.run(
        ["curl", "--silent", "--http1.1", "--include", "--no-buffer", "--max-time", "3", "--noproxy", "*",
         *flags, *headers, url],
        input=sent, capture_output=True, timeout=20, env=environment())
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), head.decode("latin-1"), body


# curl keeps what it reads from standard input to itself after a 101, so the server speaks first and last.


def test_handshake(echo):
    status, head, _ = curl(echo.http, UPGRADE)
    assert status == 101
    assert re.search(rf"(?im)^sec-websocket-accept: {re.escape(ACCEPT)}\r?$", head)
    assert not re.search(r"(?im)^(content-length|transfer-encoding|sec-websocket-(protocol|extensions)):", head)


@pytest.mark.parametrize("missing, status", [(1, 426), (2, 426), (3, 400)])
def test_handshake_without_a_field(echo, missing, status):
    fields = [field for index, field in enumerate(UPGRADE) if index != missing]
    assert curl(echo.http, fields)[0] in (status, 400)


def test_handshake_with_an_old_version(echo):
    fields = [field.replace("13", "8") for field in UPGRADE[:3]] + UPGRADE[3:]
    status, head, _ = curl(echo.http, fields)
    assert status == 426 and re.search(r"(?im)^sec-websocket-version: 13\r?$", head)


def test_http2_without_tls_is_declined(echo):
    """--http2 asks for an upgrade to h2c, which the server may ignore (RFC 9110 §7.8)."""
    status, head, _ = curl(echo.http, flags=["--http2"])
    assert status == 426 and head.startswith("HTTP/1.1")


def test_kept_alive_connection(demo):
    """Two requests on one connection: curl says how many connections it made."""
    done = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", "--output", "/dev/null", "--output", "/dev/null", "--write-out",
         "%{num_connects} %{http_code}\n", f"{demo.http}/", f"{demo.http}/"],
        capture_output=True, text=True, timeout=20, env=environment())
    assert done.stdout.splitlines() == ["1 200", "0 200"]


class Socket:
    """libcurl's WebSocket interface: it makes the handshake, then sends and receives frames."""

    def __init__(self, url, **options):
        self.curl = pycurl.Curl()
        self.curl.setopt(pycurl.URL, url)
        self.curl.setopt(pycurl.CONNECT_ONLY, 2)
        self.curl.setopt(pycurl.PROXY, "")
        for name, value in options.items():
            self.curl.setopt(getattr(pycurl, name), value)
        self.curl.perform()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.curl.close()

    def _again(self, call):
        deadline = time.monotonic() + 15
        while True:
            try:
                return call()
            except BlockingIOError:
                pass
            except pycurl.error as error:
                if error.args[0] != pycurl.E_AGAIN:
                    raise
            assert time.monotonic() < deadline, "curl: nothing came"
            time.sleep(0.001)

    def send(self, payload, flags):
        while True:
            sent = self._again(lambda: self.curl.ws_send(payload, flags))
            if sent is None or sent >= len(payload):
                return
            payload = payload[sent:]

    def receive(self):
        """A whole frame: its payload and its flags."""
        payload = b""
        while True:
            data, meta = self._again(lambda: self.curl.ws_recv(1 << 16))
            payload += data
            if meta.bytesleft == 0:
                return payload, meta.flags


pytestmark = pytest.mark.skipif(not hasattr(pycurl.Curl, "ws_send"), reason="this libcurl has no WebSocket")


def test_libcurl_messages(echo):
    with Socket(echo.url) as socket:
        for size in (0, 1, 125, 126, 65_535, 65_536, 1 << 20):
            payload = os.urandom(size)
            socket.send(payload, pycurl.WS_BINARY)
            received, flags = socket.receive()
            while len(received) < size:
                received += socket.receive()[0]
            assert received == payload and flags & pycurl.WS_BINARY
        socket.send("ünï ☃".encode(), pycurl.WS_TEXT)
        received, flags = socket.receive()
        assert received.decode() == "ünï ☃" and flags & pycurl.WS_TEXT


def test_libcurl_ping_and_close(echo):
    with Socket(echo.url) as socket:
        socket.send(b"are you there", pycurl.WS_PING)
        payload, flags = socket.receive()
        assert payload == b"are you there" and flags & pycurl.WS_PONG
        socket.send(close_payload(1000, b"bye"), pycurl.WS_CLOSE)
        payload, flags = socket.receive()
        assert payload[:2] == close_payload(1000) and flags & pycurl.WS_CLOSE


def test_libcurl_fragments(echo):
    with Socket(echo.url) as socket:
        socket.send(b"one ", pycurl.WS_TEXT | pycurl.WS_CONT)
        socket.send(b"two", pycurl.WS_TEXT)
        assert socket.receive()[0] == b"one two"
