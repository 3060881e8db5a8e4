"""Bytes that no well-behaved client sends: each gets the documented close code, and the server goes on."""

import pytest
from raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    assert_echoes,
    close_payload,
    connect,
    frame,
)

LIMIT = 1 << 20

# name: (bytes, the close code that they deserve)
CASES = {
    "unmasked text": (frame(TEXT, b"hello", mask=None), 1002),
    "unmasked empty": (frame(BINARY, mask=None), 1002),
    "unmasked close": (frame(CLOSE, close_payload(1000), mask=None), 1002),
    "reserved bit 1": (frame(TEXT, b"x", reserved=4), 1002),
    "reserved bit 2": (frame(TEXT, b"x", reserved=2), 1002),
    "reserved bit 3": (frame(TEXT, b"x", reserved=1), 1002),
    "reserved bits on a ping": (frame(PING, b"x", reserved=7), 1002),
    "length 2^64-1": (frame(BINARY, length=(1 << 64) - 1, form=64), 1002),
    "length 2^63": (frame(BINARY, length=1 << 63, form=64), 1002),
    "length 2^63-1": (frame(BINARY, length=(1 << 63) - 1, form=64), 1009),
    "length 2^32": (frame(BINARY, length=1 << 32, form=64), 1009),
    "length over the limit": (frame(BINARY, length=LIMIT + 1, form=64), 1009),
    "16 bits for length 0": (frame(TEXT, b"", form=16), 1002),
    "16 bits for length 125": (frame(TEXT, b"x" * 125, form=16), 1002),
    "64 bits for length 5": (frame(TEXT, b"x" * 5, form=64), 1002),
    "64 bits for length 65535": (frame(BINARY, b"x" * 65_535, form=64), 1002),
    "fragmented ping": (frame(PING, b"x", final=False), 1002),
    "fragmented pong": (frame(PONG, b"x", final=False), 1002),
    "fragmented close": (frame(CLOSE, close_payload(1000), final=False), 1002),
    "ping of 126 bytes": (frame(PING, b"x" * 126), 1002),
    "pong of 126 bytes": (frame(PONG, b"x" * 126), 1002),
    "close of 126 bytes": (frame(CLOSE, close_payload(1000, b"x" * 124)), 1002),
    "ping of 2^63-1 bytes": (frame(PING, length=(1 << 63) - 1, form=64), 1002),
    "continuation of nothing": (frame(CONTINUATION, b"x"), 1002),
    "continuation of nothing, not final": (frame(CONTINUATION, b"x", final=False), 1002),
    "continuation after a whole message": (frame(TEXT, b"x") + frame(CONTINUATION, b"y"), 1002),
    "text within a message": (frame(TEXT, b"a", final=False) + frame(TEXT, b"b"), 1002),
    "binary within a text": (frame(TEXT, b"a", final=False) + frame(BINARY, b"b"), 1002),
    "UTF-8: lone byte ff": (frame(TEXT, b"\xff"), 1007),
    "UTF-8: lone continuation byte": (frame(TEXT, b"a\x80"), 1007),
    "UTF-8: overlong slash": (frame(TEXT, b"\xc0\xaf"), 1007),
    "UTF-8: overlong, three bytes": (frame(TEXT, b"\xe0\x80\xaf"), 1007),
    "UTF-8: overlong, four bytes": (frame(TEXT, b"\xf0\x80\x80\xaf"), 1007),
    "UTF-8: surrogate": (frame(TEXT, b"\xed\xa0\x80"), 1007),
    "UTF-8: above 10FFFF": (frame(TEXT, b"\xf4\x90\x80\x80"), 1007),
    "UTF-8: five bytes": (frame(TEXT, b"\xf8\x88\x80\x80\x80"), 1007),
    "UTF-8: cut at the end": (frame(TEXT, b"abc\xe2\x82"), 1007),
    "UTF-8: behind much ASCII": (frame(TEXT, b"x" * 10_001 + b"\xff" + b"x" * 100), 1007),
    "UTF-8: split and wrong": (
        frame(TEXT, b"\xe2\x82", final=False) + frame(CONTINUATION, b"("),
        1007,
    ),
    "UTF-8: split and cut": (
        frame(TEXT, b"\xe2", final=False) + frame(CONTINUATION, b"\x82", final=False) + frame(CONTINUATION),
        1007,
    ),
    "UTF-8: wrong in the first of many fragments": (frame(TEXT, b"\xce\xba\xff", final=False), 1007),
    "UTF-8: wrong in a frame that is not complete": (frame(TEXT, b"\xff" + b"x" * 70_000)[:1000], 1007),
    "UTF-8: in a close reason": (frame(CLOSE, close_payload(1000, b"\xff")), 1007),
    "UTF-8: cut in a close reason": (frame(CLOSE, close_payload(1000, b"ok \xe2\x82")), 1007),
    "close of one byte": (frame(CLOSE, b"\x03"), 1002),
    "fragments over the limit": (
        frame(BINARY, b"x" * (1 << 19), final=False) + frame(CONTINUATION, length=(1 << 19) + 1, form=64),
        1009,
    ),
    "too many fragments": (frame(BINARY, b"x", final=False) + frame(CONTINUATION, b"x", final=False) * 1024, 1008),
    "too many empty fragments": (frame(BINARY, final=False) + frame(CONTINUATION, final=False) * 1024, 1008),
}
CASES |= {f"opcode {opcode}": (frame(opcode, b"x"), 1002) for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]}
CASES |= {
    f"close code {code}": (frame(CLOSE, close_payload(code)), 1002)
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535]
}


def provoke(port, data):
    """Sends the bytes on a connection of their own; returns the close code that comes back, after which the stream
    must end."""
    with connect(port) as raw:
        raw.send_if_open(data)
        code = raw.read_close()
        assert raw.read_to_end() == b"", "nothing may follow a close frame"
        return code


@pytest.mark.parametrize("name", CASES)
def test_violation(echo, name):
    data, code = CASES[name]
    assert provoke(echo.port, data) == code
    assert_echoes(echo.port)


@pytest.mark.parametrize("name", ["reserved bit 1", "UTF-8: split and wrong", "close of one byte", "opcode 3"])
def test_violation_in_single_bytes(echo, name):
    data, code = CASES[name]
    with connect(echo.port) as raw:
        for index in range(len(data)):
            raw.send_if_open(data[index : index + 1])
        assert raw.read_close() == code


def test_messages_before_a_violation_are_answered(echo):
    with connect(echo.port) as raw:
        raw.send(frame(TEXT, b"one") + frame(TEXT, b"two") + frame(3))
        assert raw.read_frame() == (True, TEXT, b"one")
        assert raw.read_frame() == (True, TEXT, b"two")
        assert raw.read_close() == 1002


def test_nothing_is_answered_after_a_violation(echo):
    with connect(echo.port) as raw:
        raw.send(frame(3) + frame(TEXT, b"late") + frame(PING, b"late"))
        assert raw.read_frame()[1] == CLOSE
        assert raw.read_to_end() == b""


def test_nothing_is_answered_after_a_close(echo):
    with connect(echo.port) as raw:
        raw.send(frame(CLOSE, close_payload(1000)) + frame(TEXT, b"late"))
        assert raw.read_frame() == (True, CLOSE, close_payload(1000))
        assert raw.read_to_end() == b""


def test_close_with_the_longest_reason(echo):
    with connect(echo.port) as raw:
        raw.send(frame(CLOSE, close_payload(1000, b"r" * 123)))
        assert raw.read_close() == 1000


def test_exactly_the_most_fragments(echo):
    with connect(echo.port) as raw:
        raw.send(frame(TEXT, b"x", final=False) + frame(CONTINUATION, b"x", final=False) * 1022)
        raw.send(frame(CONTINUATION, b"x"))
        assert raw.read_frame() == (True, TEXT, b"x" * 1024)


def test_connection_dropped_within_a_frame(echo):
    for cut in range(1, 20):
        with connect(echo.port) as raw:
            raw.send(frame(TEXT, b"never finished")[:cut])
    assert_echoes(echo.port)


def test_memory_stays_flat(echo):
    """The same violations again and again leave nothing behind."""

    def rounds(count):
        for _ in range(count):
            for data, _ in CASES.values():
                with connect(echo.port) as raw:
                    raw.send_if_open(data)
                    raw.read_close()

    rounds(5)
    before, descriptors = echo.resident_bytes(), echo.open_descriptors()
    rounds(15)
    assert echo.resident_bytes() - before < 4 << 20
    # The last few may still be closing.
    assert echo.open_descriptors() - descriptors < 10
    assert_echoes(echo.port)
