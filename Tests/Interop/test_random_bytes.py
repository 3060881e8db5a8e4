"""Random streams, valid and broken, from a fixed seed: the server echoes the valid ones and survives the others."""

import random

import pytest
from raw_websocket import (
    BINARY,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawSocket,
    assert_echoes,
    connect,
    frame,
    request,
)


def valid_stream(randomness):
    """Frames of a few messages, fragmented and interleaved with control frames, and the frames that must come back."""
    stream, answers = b"", []
    for _ in range(randomness.randrange(1, 8)):
        if randomness.random() < 0.5:
            opcode, payload = TEXT, "".join(randomness.choices("aé€𝄞 \0", k=randomness.randrange(400))).encode()
        else:
            opcode, payload = BINARY, randomness.randbytes(randomness.choice([0, 1, 125, 126, 3000, 70_000]))
        cuts = sorted(randomness.randrange(len(payload) + 1) for _ in range(randomness.randrange(4)))
        starts, ends = [0, *cuts], [*cuts, len(payload)]
        for index, (start, end) in enumerate(zip(starts, ends)):
            final = index == len(cuts)
            mask = randomness.randbytes(4)
            kind = CONTINUATION if index else opcode
            stream += frame(kind, payload[start:end], final=final, mask=mask)
            if randomness.random() < 0.3:
                control = randomness.randbytes(randomness.randrange(126))
                stream += frame(PING, control) + frame(PONG, control)
                if final:
                    answers.append((True, opcode, payload))
                answers.append((True, PONG, control))
                final = False
            if final:
                answers.append((True, opcode, payload))
    return stream, answers


def send_in_pieces(raw, randomness, data):
    while data:
        count = randomness.choice([1, 2, 7, 100, 1460, 65_536])
        raw.send_if_open(data[:count])
        data = data[count:]


@pytest.mark.parametrize("seed", range(60))
def test_valid_streams_in_random_pieces(echo, seed):
    randomness = random.Random(seed)
    stream, answers = valid_stream(randomness)
    with connect(echo.port) as raw:
        if seed % 2:
            raw.send(stream)
        else:
            send_in_pieces(raw, randomness, stream[:20_000])
            raw.send(stream[20_000:])
        assert [raw.read_frame() for _ in answers] == answers


def test_mutated_streams(echo):
    randomness = random.Random(99)
    before = echo.resident_bytes()
    for _ in range(600):
        stream = bytearray(valid_stream(randomness)[0][:4000])
        for _ in range(randomness.randrange(1, 6)):
            position = randomness.randrange(min(len(stream), 64))
            match randomness.randrange(3):
                case 0:
                    stream[position] = randomness.randrange(256)
                case 1:
                    del stream[position : position + randomness.randrange(5)]
                case _:
                    stream[position:position] = randomness.randbytes(randomness.randrange(5))
            if not stream:
                stream = bytearray(1)
        with connect(echo.port) as raw:
            raw.send_if_open(bytes(stream))
            if randomness.random() < 0.5:
                raw.send_if_open(frame(8))
                raw.socket.settimeout(0.05)
                try:
                    raw.read_to_end()
                except TimeoutError:
                    pass
    assert_echoes(echo.port)
    assert echo.resident_bytes() - before < 8 << 20


def test_mutated_requests(echo):
    randomness = random.Random(100)
    for _ in range(1000):
        data = bytearray(request(path="/chat?x=%20", extra=["Cookie: a=b", "Origin: http://x"]))
        for _ in range(randomness.randrange(1, 4)):
            position = randomness.randrange(len(data))
            match randomness.randrange(3):
                case 0:
                    data[position] = randomness.randrange(256)
                case 1:
                    del data[position : position + randomness.randrange(1, 9)]
                case _:
                    data[position:position] = randomness.choice([b"\r", b"\n", b"\r\n", b" ", b":", b"\0", b"\xff", b","])
        with RawSocket(echo.port) as raw:
            raw.send_if_open(bytes(data))
            raw.socket.settimeout(0.002)
            try:
                raw.read_head()
            except Exception:
                pass
    assert_echoes(echo.port)
