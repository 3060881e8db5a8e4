"""Frames of every kind around every boundary of the length field, to the server and to the library's client.

A frame gets what RFC 6455 says, worked out here a second time: an answer, or one close code. Nothing of a frame's
payload is waited for, nor memory set aside, where its head says already that it cannot be taken.
"""

import asyncio
import itertools
import struct

import pytest
from echo_client import echo_client
from programs import Server
from raw_websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, connect

LIMIT = 100_000
EDGES = [0, 1, 2, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, LIMIT - 1, LIMIT, LIMIT + 1]
EDGES += [2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1, 2**32, 2**32 + 1, 2**63 - 1, 2**63, 2**63 + 1, 2**64 - 1]
OPCODES = [CONTINUATION, TEXT, BINARY, 3, CLOSE, PING, PONG, 11]
CONTROL = {CLOSE, PING, PONG}


def forms(length):
    """The sizes of length field that can hold it; only the first is right (RFC 6455 §5.2)."""
    return ([7] if length < 126 else []) + ([16] if length < 1 << 16 else []) + [64]


def head(opcode, length, form, final, is_masked):
    first, masking = opcode | (0x80 if final else 0), 0x80 if is_masked else 0
    # Masked with zeros, so that the payload goes as it is.
    key = bytes(4) if is_masked else b""
    if form == 7:
        return bytes([first, masking | length]) + key
    if form == 16:
        return struct.pack("!BBH", first, masking | 126, length) + key
    return struct.pack("!BBQ", first, masking | 127, length) + key


def payload(opcode, length):
    if opcode == CLOSE and length >= 2:
        return struct.pack("!H", 1000) + b"r" * (length - 2)
    return b"x" * length


class Case:
    """A frame, alone or within a fragmented message (after "ab"), sent by an endpoint that has to mask or must not."""

    def __init__(self, opcode, length, form, final, is_masked, within, must_mask):
        self.opcode, self.length, self.form, self.final = opcode, length, form, final
        self.is_masked, self.within, self.must_mask = is_masked, within, must_mask

    def __repr__(self):
        return (f"opcode {self.opcode}, {self.length} bytes in {self.form} bits, final {self.final}, "
                f"masked {self.is_masked}, within a message {self.within}")

    @property
    def code(self):
        """The close code of the failure that it deserves; None if it is a good frame."""
        if self.opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG) or self.is_masked != self.must_mask:
            return 1002
        if self.form != forms(self.length)[0] or self.length >= 2**63:
            return 1002
        if self.opcode in CONTROL:
            too_short = self.opcode == CLOSE and self.length == 1
            return 1002 if not self.final or self.length > 125 or too_short else None
        if self.within != (self.opcode == CONTINUATION):
            return 1002
        return 1009 if self.length + (2 if self.within else 0) > LIMIT else None

    @property
    def wire(self):
        before = head(TEXT, 2, 7, False, self.must_mask) + b"ab" if self.within else b""
        data = before + head(self.opcode, self.length, self.form, self.final, self.is_masked)
        # A frame that is refused by its head is not followed by its payload; a close frame of one byte is.
        if self.code is None or self.opcode == CLOSE and self.length == 1:
            data += payload(self.opcode, self.length)
        return data

    @property
    def rest(self):
        """What completes the message that it leaves open, if any."""
        if self.code is not None or self.opcode == CLOSE:
            return b""
        is_open = self.within if self.opcode in CONTROL else not self.final
        return head(CONTINUATION, 1, 7, True, self.must_mask) + b"z" if is_open else b""

    @property
    def answers(self):
        """The frames that must come back, as (opcode, payload)."""
        if self.code is not None:
            return [(CLOSE, struct.pack("!H", self.code))]
        if self.opcode == CLOSE:
            return [(CLOSE, payload(CLOSE, self.length)[:2])]
        answers = [(PONG, payload(PING, self.length))] if self.opcode == PING else []
        if self.opcode in CONTROL:
            return answers + ([(TEXT, b"abz")] if self.within else [])
        message = payload(self.opcode, self.length) + (b"z" if self.rest else b"")
        return [(TEXT, b"ab" + message) if self.within else (self.opcode, message)]

    def check(self, got):
        """Compares; of a close frame only the code counts."""
        assert [(opcode, data[:2] if opcode == CLOSE else data) for opcode, data in got] == self.answers, self


def cases(must_mask):
    combinations = itertools.product(OPCODES, EDGES, (True, False), (True, False), (True, False))
    for opcode, length, final, is_masked, within in combinations:
        for form in forms(length):
            case = Case(opcode, length, form, final, is_masked, within, must_mask)
            # One byte more completes the message, which must not make it too large.
            if not (case.rest and opcode not in CONTROL and length + 2 > LIMIT - 1):
                yield case


def test_to_the_server():
    every = list(cases(must_mask=True))
    assert len(every) > 2_000
    with Server("echo", "--port", 0, "--max-message", LIMIT) as server:
        for case in every[:50]:
            run(server.port, case)
        before = server.resident_bytes()
        for case in every:
            run(server.port, case)
        assert server.resident_bytes() - before < 4 << 20


def run(port, case):
    with connect(port) as raw:
        raw.send_if_open(case.wire)
        raw.send_if_open(case.rest)
        got = []
        for _ in case.answers:
            final, opcode, data = raw.read_frame()
            assert final, case
            got.append((opcode, data))
        case.check(got)
        if got and got[-1][0] == CLOSE:
            assert raw.read_to_end() == b"", case


# The client


async def read_frame(reader):
    """A frame of a client, unmasked."""
    first, second = await reader.readexactly(2)
    assert first & 0x80 and second & 0x80, "a client masks"
    length = second & 0x7F
    if length > 125:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    key = await reader.readexactly(4)
    data = await reader.readexactly(length)
    stream = (key * (length // 4 + 1))[:length]
    return first & 15, (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(length, "big")


class CaseServer:
    """Speaks Autobahn's protocol, and plays a case on each connection."""

    def __init__(self, cases):
        self.cases, self.played, self.failures = cases, 0, []

    async def serve(self, reader, writer):
        import base64
        import hashlib

        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = request.split(" ")[1]
        key = next(line.split(": ")[1] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
        digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n")
        try:
            if path.startswith("/runCase"):
                await self.play(self.cases[int(path.split("case=")[1].split("&")[0]) - 1], reader, writer)
            else:
                count = str(len(self.cases)).encode() if path.startswith("/getCaseCount") else b""
                writer.write((head(TEXT, len(count), 7, True, False) + count) if count else b"")
                writer.write(head(CLOSE, 2, 7, True, False) + b"\x03\xe8")
                await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def play(self, case, reader, writer):
        self.played += 1
        try:
            writer.write(case.wire + case.rest)
            got = [await asyncio.wait_for(read_frame(reader), 10) for _ in case.answers]
            case.check(got)
            if not (got and got[-1][0] == CLOSE):
                writer.write(head(CLOSE, 2, 7, True, False) + b"\x03\xe8")
                assert (await asyncio.wait_for(read_frame(reader), 10))[0] == CLOSE
        except Exception as error:
            self.failures.append(f"{case}: {error!r}")


@pytest.mark.timeout(180)
async def test_to_the_client():
    every = list(cases(must_mask=False))
    server = CaseServer(every)
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    async with listener:
        client = await echo_client(
            f"ws://127.0.0.1:{port}", "--max-message", str(LIMIT), "--autobahn", "martlet", timeout=170)
    assert server.failures == []
    assert client.status == 0 and server.played == len(every)
