"""Holds many connections open in a process of its own.

    python idle_clients.py PORT echo|serve

reads commands from standard input and answers each with one line:

    open N      opens N more connections            opened N
    round       sends a message on each and waits    answered N
    close       closes them all                      closed N

Pings are answered all the time, as a client library does. Any connection that ends on its own ends the process with
status 1.
"""

import asyncio
import struct
import sys

MASK = b"\0\0\0\0"  # Masked with zeros: the bytes on the wire are those of the payload.
REQUEST = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def frame(opcode, payload):
    return bytes([0x80 | opcode, 0x80 | len(payload)]) + MASK + payload


class Idle(asyncio.Protocol):
    def __init__(self, kind):
        self.kind = kind
        self.buffer = b""
        self.waiting = asyncio.get_running_loop().create_future()
        self.is_upgraded = self.is_closing = False

    def connection_made(self, transport):
        self.transport = transport
        path = "/" if self.kind == "echo" else "/connection/websocket"
        transport.write(REQUEST.format(path=path).encode())

    def data_received(self, data):
        self.buffer += data
        if not self.is_upgraded:
            head, found, rest = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return
            assert head.startswith(b"HTTP/1.1 101"), head
            self.is_upgraded, self.buffer = True, rest
            if self.kind == "echo":
                self.waiting.set_result(None)
            else:
                self.transport.write(frame(1, b'{"id":1,"connect":{}}'))
        while len(self.buffer) >= 2:
            length, start = self.buffer[1], 2
            if length == 126 and len(self.buffer) >= 4:
                (length,), start = struct.unpack("!H", self.buffer[2:4]), 4
            if len(self.buffer) < start + length or length == 126 and start == 2:
                return
            opcode, payload = self.buffer[0] & 15, self.buffer[start : start + length]
            self.buffer = self.buffer[start + length :]
            if opcode == 9:
                self.transport.write(frame(10, payload))
            elif payload == b"{}":
                self.transport.write(frame(1, b"{}"))
            elif opcode == 8:
                raise SystemExit(f"closed by the server: {payload}")
            else:
                assert b"error" not in payload, payload
                self.waiting.set_result(payload)

    def connection_lost(self, error):
        if not self.is_closing:
            print(f"a connection ended: {error}", file=sys.stderr)
            sys.exit(1)

    async def round(self):
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(frame(1, b'{"id":2,"ping":{}}'))
        await self.waiting

    def close(self):
        self.is_closing = True
        self.transport.write(frame(8, b"\x03\xe8"))
        self.transport.close()


async def main(port, kind):
    loop = asyncio.get_running_loop()
    connections = []
    gate = asyncio.Semaphore(200)

    async def open_one():
        async with gate:
            _, connection = await loop.create_connection(lambda: Idle(kind), "127.0.0.1", port)
            await connection.waiting
            connections.append(connection)

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        match line.split():
            case ["open", count]:
                await asyncio.gather(*(open_one() for _ in range(int(count))))
                print("opened", len(connections), flush=True)
            case ["round"]:
                await asyncio.gather(*(connection.round() for connection in connections))
                print("answered", len(connections), flush=True)
            case ["close"]:
                for connection in connections:
                    connection.close()
                print("closed", len(connections), flush=True)
                connections.clear()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
