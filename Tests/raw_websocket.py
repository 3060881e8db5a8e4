"""WebSocket frames by hand, over a blocking socket: to send what no client library would send."""

import base64
import hashlib
import os
import socket
import struct

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MASK = b"\x37\xfa\x21\x3d"


def masked(payload, key=MASK):
    return bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))


def frame(opcode, payload=b"", *, final=True, reserved=0, mask=MASK, form=None, length=None):
    """A frame as a client sends it. `form` is the size of the length field in bits (7, 16 or 64); `length` is
    what that field says, where it is to differ from the payload's."""
    length = len(payload) if length is None else length
    form = form or (7 if length < 126 else 16 if length < 1 << 16 else 64)
    masking = 0x80 if mask else 0
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if form == 7:
        head += bytes([masking | length])
    elif form == 16:
        head += bytes([masking | 126]) + struct.pack("!H", length)
    else:
        head += bytes([masking | 127]) + struct.pack("!Q", length)
    return head + mask + masked(payload, mask) if mask else head + payload


def close_payload(code, reason=b""):
    return struct.pack("!H", code) + reason


def request(path="/", key="dGhlIHNhbXBsZSBub25jZQ==", version="13", host="localhost", extra=()):
    """The opening handshake (RFC 6455 section 4.1); None leaves a field out."""
    lines = [f"GET {path} HTTP/1.1"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines += ["Upgrade: websocket", "Connection: Upgrade"]
    if key is not None:
        lines.append(f"Sec-WebSocket-Key: {key}")
    if version is not None:
        lines.append(f"Sec-WebSocket-Version: {version}")
    return "\r\n".join([*lines, *extra, "", ""]).encode()


class Ended(Exception):
    """The peer closed the connection."""


class RawSocket:
    """A TCP connection that reads exactly what is asked for."""

    def __init__(self, port, timeout=15):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.pending = b""

    def send(self, data):
        self.socket.sendall(data)

    def send_if_open(self, data):
        """Sends; that the peer has closed already is no error."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _more(self):
        try:
            data = self.socket.recv(1 << 16)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Ended
        self.pending += data

    def read(self, count):
        while len(self.pending) < count:
            self._more()
        data, self.pending = self.pending[:count], self.pending[count:]
        return data

    def read_head(self):
        """A response head: its status and its fields, names in lower case."""
        while b"\r\n\r\n" not in self.pending:
            self._more()
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        return int(first.split(" ", 2)[1]), fields

    def read_frame(self):
        """A frame of the server: (final, opcode, payload). It must be unmasked with its length in the shortest form."""
        first, second = self.read(2)
        assert second < 0x80, "a server must not mask (RFC 6455 section 5.1)"
        assert first & 0x70 == 0, "reserved bits without an extension"
        length = second
        if second == 126:
            (length,) = struct.unpack("!H", self.read(2))
            assert length > 125
        elif second == 127:
            (length,) = struct.unpack("!Q", self.read(8))
            assert length > 0xFFFF
        return bool(first & 0x80), first & 0x0F, self.read(length)

    def read_close(self):
        """Skips frames up to the close frame and returns its code; None if the stream ended without one."""
        try:
            while True:
                _, opcode, payload = self.read_frame()
                if opcode == CLOSE:
                    return struct.unpack("!H", payload[:2])[0] if payload else 1005
        except Ended:
            return None

    def read_to_end(self):
        try:
            while True:
                self._more()
        except Ended:
            data, self.pending = self.pending, b""
            return data

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(port, path="/", extra=()):
    """A raw socket past the opening handshake, which is checked."""
    raw = RawSocket(port)
    key = base64.b64encode(os.urandom(16)).decode()
    raw.send(request(path, key=key, host=f"127.0.0.1:{port}", extra=extra))
    status, fields = raw.read_head()
    assert status == 101, f"status {status}"
    expected = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
    assert fields["sec-websocket-accept"] == expected
    assert fields["upgrade"].lower() == "websocket"
    assert "upgrade" in fields["connection"].lower()
    return raw


def assert_echoes(port, payload=b"still here"):
    """Another connection is served as if nothing had happened."""
    with connect(port) as raw:
        raw.send(frame(BINARY, payload))
        assert raw.read_frame() == (True, BINARY, payload)
        raw.send(frame(CLOSE, close_payload(1000)))
        assert raw.read_close() == 1000
