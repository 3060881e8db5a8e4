"""Networks that do not take to WebSockets, or to responses that go on."""

import contextlib
import select

from pages import Network


class Middlebox(Network):
    """A TCP proxy that looks into what it carries.

    `blocks`: words of request heads that end a connection, such as b"upgrade: websocket".
    `buffers`: whether chunked responses are held back until they are complete.
    """

    def __init__(self, port, blocks=(), buffers=False):
        self.blocks = [word.lower() for word in blocks]
        self.buffers = buffers
        self.blocked = 0
        super().__init__(port)

    def _carry(self, near, far):
        held = b""
        with contextlib.suppress(OSError, ValueError):
            while True:
                for end in select.select([near, far], [], [])[0]:
                    data = end.recv(65536)
                    if end is near:
                        if any(word in data.lower() for word in self.blocks):
                            self.blocked += 1
                            near.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                            raise OSError("blocked")
                        if not data:
                            raise OSError("ended")
                        far.sendall(data)
                        continue
                    if self.buffers:
                        held += data
                        is_chunked = b"transfer-encoding: chunked" in held.lower()
                        if data and is_chunked and not held.endswith(b"\r\n0\r\n\r\n"):
                            continue
                        data, held = held, b""
                    near.sendall(data)
                    if not data:
                        raise OSError("ended")
        with self.lock:
            self.connections -= {near, far}
        near.close()
        far.close()
