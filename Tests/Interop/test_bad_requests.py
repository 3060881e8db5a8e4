"""HTTP requests that must not become WebSocket connections: each gets the documented status."""

import os
import socket
import time

import pytest
from raw_websocket import Ended, RawSocket, assert_echoes, request

KIB = 1024
GOOD = ("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n")


def head(first="GET / HTTP/1.1", fields="Host: x\r\n" + GOOD):
    return f"{first}\r\n{fields}\r\n".encode("latin-1")


# name: (bytes, status)
CASES = {
    "version 8": (request(version="8"), 426),
    "version 0": (request(version="0"), 426),
    "version 14": (request(version="14"), 426),
    "version that is no number": (request(version="x"), (400, 426)),
    "no version": (request(version=None), (400, 426)),
    "no key": (request(key=None), 400),
    "empty key": (request(key=""), 400),
    "key of 15 bytes": (request(key="MTIzNDU2Nzg5MDEyMzQ1"), 400),
    "key of 17 bytes": (request(key="MTIzNDU2Nzg5MDEyMzQ1Njc="), 400),
    "key that is not Base64": (request(key="!!!!!!!!!!!!!!!!!!!!!!=="), 400),
    "two keys": (request(extra=["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]), 400),
    "no Host": (request(host=None), 400),
    "two Hosts": (request(extra=["Host: other"]), 400),
    "upgrade by POST": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 0\r\n" + GOOD), (400, 405)),
    "upgrade in HTTP/1.0": (head("GET / HTTP/1.0"), (400, 426)),
    "garbage": (b"GARBAGE\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /\r\n\r\n", 400),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    "HTTP/3.0": (head("GET / HTTP/3.0"), 505),
    "lower-case http": (head("GET / http/1.1"), 400),
    "two spaces": (head("GET  / HTTP/1.1"), 400),
    "leading space": (head(" GET / HTTP/1.1"), 400),
    "method with a colon": (head("G:T / HTTP/1.1"), 400),
    "control character in the target": (head("GET /\x01 HTTP/1.1"), 400),
    "TLS client hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(32).hex().encode() + b"\r\n\r\n", 400),
    "line feeds alone": (head().replace(b"\r\n", b"\n"), 400),
    "bare carriage return": (head(fields="Host: x\rBad: y\r\n" + GOOD), 400),
    "space before the colon": (head(fields="Host : x\r\n" + GOOD), 400),
    "folded field": (head(fields="Host: x\r\nA: b\r\n c\r\n" + GOOD), 400),
    "field without a colon": (head(fields="Host: x\r\nnonsense\r\n" + GOOD), 400),
    "empty field name": (head(fields="Host: x\r\n: y\r\n" + GOOD), 400),
    "NUL in a value": (head(fields="Host: x\r\nA: b\0c\r\n" + GOOD), 400),
    "length and chunks": (
        head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        400,
    ),
    "two lengths": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n"), 400),
    "negative length": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: -1\r\n"), 400),
    "signed length": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: +1\r\n"), 400),
    "length over 2^64": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 99999999999999999999\r\n"), (400, 413)),
    "length of 2^63": (head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 9223372036854775808\r\n"), 413),
    "unknown transfer coding": (head("POST / HTTP/1.1", "Host: x\r\nTransfer-Encoding: gzip\r\n"), (400, 501)),
    "chunk of 2^64 bytes": (
        head("POST / HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked\r\n") + b"ffffffffffffffffff\r\n",
        (400, 413),
    ),
    "chunk size that is no number": (
        head("POST / HTTP/1.1", "Host: x\r\nTransfer-Encoding: chunked\r\n") + b"zz\r\n",
        400,
    ),
    "request line of 9 KiB": (head("GET /" + "a" * 9 * KIB + " HTTP/1.1"), 414),
    "field of 17 KiB": (request(extra=["X-Long: " + "x" * 17 * KIB]), 431),
    "101 fields": (request(extra=[f"X-{number}: y" for number in range(101)]), 431),
    "head that never ends": (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 3 * KIB, 431),
}


@pytest.mark.parametrize("name", CASES)
def test_request(echo, name):
    data, statuses = CASES[name]
    with RawSocket(echo.port) as raw:
        raw.send_if_open(data)
        status, fields = raw.read_head()
        assert status in (statuses if isinstance(statuses, tuple) else (statuses,))
        if status == 426:
            assert fields["sec-websocket-version"] == "13"
    assert_echoes(echo.port)


@pytest.mark.parametrize("name", ["garbage", "no Host", "two lengths", "line feeds alone"])
def test_connection_ends_after_a_request_that_is_not_http(echo, name):
    """What follows cannot be told apart from the bad request, so nothing of it may be answered."""
    with RawSocket(echo.port) as raw:
        raw.send_if_open(CASES[name][0] + request())
        raw.read_head()
        assert b"101" not in raw.read_to_end()[:64]


def test_a_request_that_is_no_upgrade_is_answered(echo):
    with RawSocket(echo.port) as raw:
        raw.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        status, _ = raw.read_head()
        assert status in (200, 404, 426)
        raw.read_to_end()
    assert_echoes(echo.port)


def test_head_in_single_bytes(echo):
    with RawSocket(echo.port) as raw:
        for byte in request():
            raw.send(bytes([byte]))
        assert raw.read_head()[0] == 101


def test_names_and_tokens_are_case_insensitive(echo):
    with RawSocket(echo.port) as raw:
        raw.send(
            b"GET /chat?room=1 HTTP/1.1\r\nhOST: x\r\nUPGRADE: WebSocket\r\n"
            b"connection: keep-alive, UPGRADE\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            b"SEC-WEBSOCKET-VERSION: 13\r\n\r\n"
        )
        status, fields = raw.read_head()
        assert status == 101
        assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_a_head_of_20_megabytes_is_cut_off(echo):
    before = echo.resident_bytes()
    sent = 0
    with RawSocket(echo.port) as raw:
        raw.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ")
        block = b"x" * (1 << 16)
        try:
            while sent < 20 << 20:
                raw.send(block)
                sent += len(block)
        except (BrokenPipeError, ConnectionResetError):
            pass
        # The answer may be lost where the kernel resets a connection with unread bytes; the end may not.
        try:
            assert raw.read_head()[0] == 431
        except Ended:
            pass
        raw.read_to_end()
    assert echo.resident_bytes() - before < 4 << 20
    assert_echoes(echo.port)


def test_a_handshake_that_takes_too_long_is_cut_off(echo):
    """10 s for the opening handshake, counted from the connection's start, whatever trickles in."""
    silent, slow = RawSocket(echo.port, timeout=20), RawSocket(echo.port, timeout=20)
    started = time.monotonic()
    with silent, slow:
        slow.socket.settimeout(0.5)
        trickle = iter(request(extra=["X-Slow: " + "x" * 200]))
        ended = False
        while time.monotonic() - started < 15 and not ended:
            try:
                slow.send(bytes([next(trickle)]))
                slow._more()
            except TimeoutError:
                continue
            except (Ended, BrokenPipeError, ConnectionResetError):
                ended = True
        assert ended, "a byte now and then kept the connection"
        assert 8 < time.monotonic() - started < 14
        silent.read_to_end()
        assert time.monotonic() - started < 14


def test_memory_stays_flat(echo):
    def rounds(count):
        for _ in range(count):
            for data, _ in CASES.values():
                with RawSocket(echo.port) as raw:
                    raw.send_if_open(data)
                    raw.socket.shutdown(socket.SHUT_WR)
                    raw.read_to_end()

    rounds(5)
    before = echo.resident_bytes()
    rounds(15)
    assert echo.resident_bytes() - before < 4 << 20
