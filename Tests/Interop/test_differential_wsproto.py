"""The same streams through Martlet and through wsproto: both must find the same messages and the same kind of failure.

Differences that are meant:
- wsproto waits for a whole header, and for the first byte of a payload, before it judges a frame; Martlet refuses the
  first byte that no valid frame can have. `verdict` gives wsproto more bytes where a stream ends before it has judged.
- wsproto does not know close code 1014, which has come to IANA's registry later; no stream here has it.
- wsproto has no limit on the size of a message; a broken length may announce one that Martlet refuses with 1009.
- wsproto forgets at a control frame between fragments that their message is compressed, lets a message end inside a block
  of deflate, and takes no notice of what follows a block that says it is the last (RFC 7692 section 7.2.3.4); `Deflate`
  does none of that. What is wrong in a payload that is compressed it may find a little earlier than Martlet, which then
  says what comes next.

Every stream is played without extensions, and others with permessage-deflate, where most messages are compressed.
"""

import asyncio
import base64
import hashlib
import os
import random
import socket
import struct
import zlib

import pytest
from programs import MARTLET, Server, environment
from raw_websocket import BINARY, CLOSE, CONTINUATION, GUID, PING, PONG, TEXT, RawSocket, frame, request
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameProtocol, Opcode, ParseFailed

NO_CONTEXT = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


def compressed(randomness, payload):
    """As RFC 7692 section 7.2.1 has it, in any of zlib's ways, sometimes in more than one block."""
    bits, level = randomness.choice([9, 12, 15]), randomness.choice([0, 1, 6, 9])
    strategy = randomness.choice([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY])
    compressor = zlib.compressobj(level, zlib.DEFLATED, -bits, 8, strategy)
    cut = randomness.randrange(len(payload) + 1)
    data = compressor.compress(payload[:cut])
    if randomness.random() < 0.3:
        data += compressor.flush(randomness.choice([zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH]))
    data += compressor.compress(payload[cut:]) + compressor.flush(zlib.Z_SYNC_FLUSH)
    return data[:-4]


def frames(randomness, masks, deflates=False):
    """A few messages in fragments, control frames between them, and sometimes a close frame."""
    stream = b""
    for _ in range(randomness.randrange(1, 5)):
        opcode = randomness.choice([TEXT, BINARY])
        text = "".join(randomness.choices("aé€𝄞 \0", k=randomness.choice([0, 1, 5, 40, 100])))
        payload = text.encode() if opcode == TEXT else randomness.randbytes(randomness.choice([0, 1, 125, 126, 300]))
        reserved = 0
        if deflates and randomness.random() < 0.8:
            payload, reserved = compressed(randomness, payload), 4
        cuts = sorted(randomness.randrange(len(payload) + 1) for _ in range(randomness.choice([0, 0, 1, 3])))
        for index, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(payload)])):
            mask = randomness.randbytes(4) if masks else None
            kind = CONTINUATION if index else opcode
            bits = 0 if index else reserved
            stream += frame(kind, payload[start:end], final=index == len(cuts), reserved=bits, mask=mask)
            if randomness.random() < 0.3:
                control = randomness.randbytes(randomness.choice([0, 1, 125]))
                stream += frame(randomness.choice([PING, PONG]), control, mask=mask)
    if randomness.random() < 0.4:
        code = randomness.choice([999, 1000, 1003, 1004, 1005, 1011, 1015, 1016, 2999, 3000, 4999, 5000])
        reason = randomness.choice([b"", b"bye", "größer".encode(), b"\xff", b"\xe2\x82"])
        payload = randomness.choice([b"", b"\x03", struct.pack("!H", code) + reason])
        stream += frame(CLOSE, payload, mask=randomness.randbytes(4) if masks else None)
    return stream


def stream(randomness, masks, deflates=False):
    """Valid frames, mostly with something wrong in them; sometimes nothing but noise."""
    if randomness.random() < 0.1:
        return randomness.randbytes(randomness.randrange(1, 60))
    data = bytearray(frames(randomness, masks, deflates))
    for _ in range(randomness.choice([0, 1, 1, 2])):
        # Most of what matters stands in headers.
        position = randomness.randrange(min(len(data), randomness.choice([4, 20, 400])) or 1)
        match randomness.randrange(4):
            case 0:
                data[position : position + 1] = randomness.randbytes(1)
            case 1:
                data[position : position + 1] = bytes([(data[position] if data else 0) ^ 1 << randomness.randrange(8)])
            case 2:
                del data[position : position + randomness.randrange(1, 4)]
            case _:
                data[position:position] = randomness.randbytes(randomness.randrange(1, 4))
    if randomness.random() < 0.2:
        del data[randomness.randrange(len(data) + 1) :]
    return bytes(data)


class Deflate(PerMessageDeflate):
    """wsproto's, but for what the head of this file says."""

    def __init__(self, agreed):
        super().__init__()
        self.finalize(agreed)

    def frame_inbound_header(self, proto, opcode, rsv, payload_length):
        self._of_message = self._inbound_compressed
        return super().frame_inbound_header(proto, opcode, rsv, payload_length)

    def frame_inbound_payload_data(self, proto, data):
        found = super().frame_inbound_payload_data(proto, data)
        if self._inbound_compressed and self._inbound_is_compressible:
            found, self._decompressor = self._behind_last_block(found, self._decompressor)
        return found

    def frame_inbound_complete(self, proto, fin):
        if not self._inbound_is_compressible:
            super().frame_inbound_complete(proto, fin)
            self._inbound_compressed = self._of_message
            return None
        inflater = self._decompressor if self._inbound_compressed else None
        found = super().frame_inbound_complete(proto, fin)
        if not fin or not inflater:
            return found
        found, inflater = self._behind_last_block(found, inflater)
        try:
            # Where a block may begin, a last and empty one is the end.
            inflater.decompress(b"\1\0\0\xff\xff")
        except zlib.error:
            pass
        return found if inflater.eof else CloseReason.INVALID_FRAME_PAYLOAD_DATA

    def _behind_last_block(self, found, inflater):
        try:
            while isinstance(found, bytes) and inflater.eof:
                rest, inflater = inflater.unused_data, zlib.decompressobj(-15)
                found += inflater.decompress(rest)
        except zlib.error:
            found = CloseReason.INVALID_FRAME_PAYLOAD_DATA
        return found, inflater


class Verdict:
    """What wsproto finds: messages and control frames in order, and how it ends."""

    def __init__(self, data, client, agreed=None):
        self.events, self.end = [], "open"
        self.may_be_early = agreed is not None
        self._parts = []
        protocol = FrameProtocol(client=client, extensions=[Deflate(agreed)] if agreed else [])
        self._take(protocol, data)
        self.can_fail_with = None
        if self.end == "open":
            # Enough for the longest header and one byte of payload; nothing of it is looked at but a failure.
            found, self.events = self.events, []
            self._take(protocol, bytes(15))
            self.can_fail_with, self.end, self.events = self.end, "open", found

    def _take(self, protocol, data):
        protocol.receive_bytes(data)
        try:
            for part in protocol.received_frames():
                if part.opcode == Opcode.CLOSE:
                    self.end = ("closed", int(part.payload[0]))
                elif part.opcode.iscontrol():
                    self.events.append((int(part.opcode), bytes(part.payload)))
                else:
                    self._parts.append(part.payload)
                    if part.message_finished and part.frame_finished:
                        self._finish(part.opcode)
        except ParseFailed as failure:
            self.end = ("failed", int(failure.code))

    def _finish(self, opcode):
        whole = self._parts[0][:0].join(self._parts)
        is_text = isinstance(whole, str)
        self.events.append((TEXT, whole.encode()) if is_text else (BINARY, bytes(whole)))
        self._parts = []

    @property
    def echoes(self):
        """What a server that echoes answers."""
        return [(PONG if opcode == PING else opcode, payload) for opcode, payload in self.events if opcode != PONG]

    def assert_ends_like(self, code):
        """`code`: of the close frame that Martlet sent; None if it sent none."""
        if self.end == "open":
            assert code in (None, 1009) or self.can_fail_with == ("failed", code), f"{code}, but {self.can_fail_with}"
        elif not (self.may_be_early and self.end == ("failed", 1007) and code):
            assert code == self.end[1], f"{code}, but {self.end}"


def frames_in(data, masked):
    """The frames of a stream: [(opcode, payload)]."""
    found = []
    while data:
        length = data[1] & 0x7F
        head = 2
        assert bool(data[1] & 0x80) == masked
        if length == 126:
            (length,), head = struct.unpack("!H", data[2:4]), 4
        key = data[head : head + 4] if masked else bytes(4)
        head += 4 if masked else 0
        payload = bytes(byte ^ key[index % 4] for index, byte in enumerate(data[head : head + length]))
        assert len(payload) == length and data[0] & 0x80
        if data[0] & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        found.append((data[0] & 0x0F, payload))
        data = data[head + length :]
    return found


def close_code(frames):
    """Takes the close frame off the end of frames; its code, or None."""
    if not frames or frames[-1][0] != CLOSE:
        return None
    payload = frames.pop()[1]
    return struct.unpack("!H", payload[:2])[0] if payload else 1005


@pytest.fixture(scope="module")
def deflating():
    with Server("echo", "--port", 0, "--deflate") as server:
        yield server


@pytest.mark.parametrize("deflates", [False, True], ids=["plain", "deflate"])
@pytest.mark.parametrize("seed", range(5))
def test_as_a_server(echo, deflating, seed, deflates):
    randomness = random.Random(seed)
    agreed = NO_CONTEXT if deflates else None
    handshake = request(extra=[f"Sec-WebSocket-Extensions: {NO_CONTEXT}"] if deflates else [])
    for number in range(500):
        data = stream(randomness, masks=True, deflates=deflates)
        verdict = Verdict(data, client=False, agreed=agreed)
        with RawSocket((deflating if deflates else echo).port) as raw:
            if number % 2:
                raw.send(handshake + data)
            else:
                raw.send(handshake)
                for start in range(0, len(data), 7):
                    raw.send_if_open(data[start : start + 7])
            try:
                raw.socket.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            status, fields = raw.read_head()
            assert status == 101 and fields.get("sec-websocket-extensions") == agreed
            answers = frames_in(raw.read_to_end(), masked=False)
        try:
            verdict.assert_ends_like(close_code(answers))
            assert answers == verdict.echoes
        except AssertionError as error:
            raise AssertionError(f"{error} in stream {number}: {data.hex(' ')}") from None


async def exchange(data, agreed=None):
    """What `martlet connect` prints and sends when a server sends `data` and ends."""
    sent = asyncio.get_running_loop().create_future()
    extensions = f"Sec-WebSocket-Extensions: {agreed}\r\n".encode() if agreed else b""

    async def serve(reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line.split(b": ")[1] for line in head.split(b"\r\n") if line.startswith(b"Sec-WebSocket-Key"))
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n" + extensions + b"\r\n" + data
        )
        writer.write_eof()
        try:
            sent.set_result(await reader.read())
        except ConnectionError as error:
            sent.set_exception(error)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        MARTLET,
        *("connect", f"ws://127.0.0.1:{port}/", "--proxy", "none", "--wait", "1m", "--binary", "hex"),
        *(["--deflate"] if agreed else []),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=environment(),
    )
    printed = await process.stdout.read()
    process.stdin.close()
    await process.wait()
    server.close()
    return printed, await sent


def printed_lines(events):
    lines = b""
    for opcode, payload in events:
        if opcode == TEXT:
            lines += payload + b"\n"
        elif opcode == BINARY:
            lines += payload.hex().encode() + b"\n"
    return lines


@pytest.mark.parametrize("deflates", [False, True], ids=["plain", "deflate"])
@pytest.mark.parametrize("seed", range(5))
async def test_as_a_client(seed, deflates):
    randomness = random.Random(seed)
    agreed = NO_CONTEXT if deflates else None
    cases = [stream(randomness, masks=False, deflates=deflates) for _ in range(80)]
    at_once = asyncio.Semaphore(2 * (os.cpu_count() or 1))

    async def check(data):
        verdict = Verdict(data, client=True, agreed=agreed)
        async with at_once:
            printed, sent = await exchange(data, agreed)
        answers = frames_in(sent, masked=True)
        try:
            verdict.assert_ends_like(close_code(answers))
            assert answers == [(PONG, payload) for opcode, payload in verdict.events if opcode == PING]
            assert printed == printed_lines(verdict.events)
        except AssertionError as error:
            raise AssertionError(f"{error} in stream {data.hex(' ')}") from None

    await asyncio.gather(*(check(data) for data in cases))
