"""Requests that two readers could understand differently: each gets exactly one answer and the connection's end, or is
served in the one way that RFC 9112 leaves.

Every case is followed by a request for a path that does not exist. Where it is answered with 404, the server has found
the end of the case; where the case hid it, in a body or a field, nothing may be answered twice.
"""

import pytest
from raw_websocket import Ended, RawSocket, frame

PROBE = b"GET /probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
# A request without an API key: refused when its body has been read.
POSTED, NOT_FOUND, UPGRADE_REQUIRED, BAD = 401, 404, 426, 400
REFUSED = [400, 405, 413, 414, 431, 501, 505]
SERVED = [POSTED, NOT_FOUND]


def post(*fields, body=b"", version="1.1", end="\r\n\r\n"):
    head = "\r\n".join([f"POST /api/publish HTTP/{version}", "Host: x", *fields]) + end
    return head.encode("latin-1") + body


def get(first="GET /probe HTTP/1.1", fields=("Host: x",), ends="\r\n"):
    return (ends.join([first, *fields]) + ends + ends).encode("latin-1")


# name: (bytes before the probe, what must be answered: REFUSED or the list of statuses)
CASES = {}


def case(name, data, expected=REFUSED):
    assert name not in CASES, name
    CASES[name] = (data, expected)


# Content-Length that is none (RFC 9110 §8.6: 1*DIGIT).
for value in ["+5", "-5", "-0", "0x5", "5;", "5.0", "1e0", "5 5", "5,6", "5,5", "5, 5", "5,", ",5", "", "x", "５", "5_0", "'5'",
              '"5"', "5\x0b", "\x0c5", "5\x00", "5\x7f", "18446744073709551616", "18446744073709551621",
              "99999999999999999999999", "-18446744073709551611", "9223372036854775808", "4294967296", "2000000000", "∞"]:
    encoded = value.encode("utf-8").decode("latin-1")
    case(f"Content-Length {value!r}", post(f"Content-Length: {encoded}", body=b"hello"))
for value in ["5", "05", "0000000005", " 5", "5 ", "\t5\t", "   5   "]:
    case(f"Content-Length {value!r}", post(f"Content-Length:{value}", body=b"hello"), SERVED)
for one, other in [("5", "6"), ("5", "0"), ("0", "5"), ("5", "x"), ("x", "5"), ("5", ""), ("", "5"), ("5", "5, 5"), ("5", "+5")]:
    case(f"Content-Length {one!r} and {other!r}", post(f"Content-Length: {one}", f"Content-Length: {other}", body=b"hello"))
case("Content-Length twice the same", post("Content-Length: 5", "content-length: 5", body=b"hello"), SERVED)
case("Content-Length in other words", post("Content_Length: 99", "X-Content-Length: 99"), SERVED)

# Transfer-Encoding that is not just chunked: what it frames is not known.
CHUNKED = b"5\r\nhello\r\n0\r\n\r\n"
for value in ["xchunked", "chunkedx", "chunke", "chunked,", ",chunked", "chunked, ", "identity", "chunked, identity",
              "identity, chunked", "gzip", "gzip, chunked", "chunked, gzip", "chunked, chunked", "chunked;q=1", "chunked;x=y",
              '"chunked"', "'chunked'", "chunked chunked", "chunked\x0b", "\x0bchunked", "\x0cchunked", "chunked\x00", "",
              "cow", "deflate", "compress", "trailers", "chunKED\xa0", "\xa0chunked", "ｃhunked", "chunĸed", "chunﬁed"]:
    encoded = value.encode("utf-8").decode("latin-1")
    case(f"Transfer-Encoding {value!r}", post(f"Transfer-Encoding: {encoded}", body=CHUNKED))
for value in ["chunked", "Chunked", "CHUNKED", "cHuNkEd", "\tchunked", "chunked\t", "  chunked  "]:
    case(f"Transfer-Encoding {value!r}", post(f"Transfer-Encoding:{value}", body=CHUNKED), SERVED)
for one, other in [("chunked", "chunked"), ("chunked", "identity"), ("identity", "chunked"), ("gzip", "chunked"),
                   ("", "chunked"), ("chunked", "")]:
    case(f"Transfer-Encoding {one!r} and {other!r}",
         post(f"Transfer-Encoding: {one}", f"Transfer-Encoding: {other}", body=CHUNKED))
for value in ["chunked", "identity", "xchunked", "gzip, chunked"]:
    for length in ["0", "5", "15", "99"]:
        case(f"Content-Length {length}, then Transfer-Encoding {value}",
             post(f"Content-Length: {length}", f"Transfer-Encoding: {value}", body=CHUNKED))
        case(f"Transfer-Encoding {value}, then Content-Length {length}",
             post(f"Transfer-Encoding: {value}", f"Content-Length: {length}", body=CHUNKED))
for version in ["1.0", "0.9", "2.0", "3.0", "1.10", "11", "1,1", "1.x", "-1.1"]:
    case(f"chunked in HTTP/{version}", post("Transfer-Encoding: chunked", body=CHUNKED, version=version))

# Names of fields that only look like the framing ones.
for spelling in ["Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked",
                 "\tTransfer-Encoding: chunked", "Transfer-Encoding", "Transfer Encoding: chunked", ": chunked",
                 "Transfer-Encoding\x00: chunked", "Transfer-Encoding\x0b: chunked", "Transfer-Encoding\xa0: chunked",
                 "\x00Transfer-Encoding: chunked", "Transfer-Encoding(x): chunked", "Transfer-Encoding=chunked",
                 "Transfer-\r\nEncoding: chunked", "Transfer-Encoding\r\n: chunked", "X: y\rTransfer-Encoding: chunked",
                 "X: y\nTransfer-Encoding: chunked", "X: y\n\rTransfer-Encoding: chunked", "X:\rTransfer-Encoding: chunked",
                 "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\r\n\tchunked", "Transfer-Encoding: \r\n chunked",
                 "Transfer-Encoding: chunk\r\n ed", "Content-Length: 1\r\n 5", "Content-Length:\r\n 15", "X: y\r\n z",
                 "Content-Length : 15", "Content-Length\t: 15", " Content-Length: 15", "Content-Length: 15\nX: y",
                 "Content-Length: 15\rX: y", "Content-Length: 1\x005", "Content-Length\r: 15", "@: y", "X@: y", "X/Y: y",
                 "X[]: y", "{X}: y", '"X": y', "X\\: y", "X\x7f: y", "Ü: y", "X: \x01", "X: \x1f", "X: a\x7fb", "X: a\x08b"]:
    case(f"field {spelling!r}", post(spelling, body=CHUNKED))
for spelling in ["Transfer_Encoding: chunked", "TransferEncoding: chunked", "Transfer--Encoding: chunked",
                 "X-Transfer-Encoding: chunked", "X: Transfer-Encoding: chunked", "X: a\xe9b", "X:", "X: ", "!#$%&'*+.^`|~: y"]:
    case(f"field {spelling!r}", post(spelling), SERVED)

# Chunks.
for name, body in {
    "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n", "size with a plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "negative size": b"-5\r\nhello\r\n0\r\n\r\n", "no size": b"\r\nhello\r\n0\r\n\r\n", "space before the size":
    b" 5\r\nhello\r\n0\r\n\r\n", "space behind the size": b"5 \r\nhello\r\n0\r\n\r\n", "tab behind the size":
    b"5\t\r\nhello\r\n0\r\n\r\n", "size in LF": b"5\nhello\r\n0\r\n\r\n", "size in CR": b"5\rhello\r\n0\r\n\r\n",
    "size in CR CR LF": b"5\r\r\nhello\r\n0\r\n\r\n", "size of letters": b"g\r\nhello\r\n0\r\n\r\n", "size with an underscore":
    b"0_5\r\nhello\r\n0\r\n\r\n", "size of 17 digits": b"00000000000000005\r\nhello\r\n0\r\n\r\n", "size of 2^64":
    b"10000000000000000\r\nhello\r\n0\r\n\r\n", "size of 2^64-1": b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n", "size of 2^63":
    b"8000000000000000\r\nhello\r\n0\r\n\r\n", "size of 2^32+5": b"100000005\r\nhello\r\n0\r\n\r\n", "data too long":
    b"4\r\nhello\r\n0\r\n\r\n", "data too short": b"6\r\nhello\r\n0\r\n\r\n", "data in LF": b"5\r\nhello\n0\r\n\r\n",
    "data in CR": b"5\r\nhello\r0\r\n\r\n", "no end of data": b"5\r\nhello0\r\n\r\n", "last chunk in LF":
    b"5\r\nhello\r\n0\n\r\n", "end in LF": b"5\r\nhello\r\n0\r\n\n", "trailer folded": b"0\r\nX: y\r\n z\r\n\r\n",
    "trailer without a colon": b"0\r\nX\r\n\r\n", "trailer in LF": b"0\r\nX: y\n\r\n", "trailer with a space before the colon":
    b"0\r\nX : y\r\n\r\n", "trailer with NUL": b"0\r\nX: \0\r\n\r\n", "extension with LF": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "extension with CR": b"5;a\rb\r\nhello\r\n0\r\n\r\n", "extension with NUL": b"5;a\0b\r\nhello\r\n0\r\n\r\n",
    "extension of 300 bytes": b"5;" + b"a" * 300 + b"\r\nhello\r\n0\r\n\r\n", "extension behind a space":
    b"5 ;a\r\nhello\r\n0\r\n\r\n", "extension on the last chunk with LF": b"5\r\nhello\r\n0;a\n\r\n\r\n",
}.items():
    case(f"chunk: {name}", post("Transfer-Encoding: chunked", body=body))
for name, body in {
    "upper case": b"A\r\n0123456789\r\n0\r\n\r\n", "leading zeros": b"0005\r\nhello\r\n000\r\n\r\n", "extension":
    b"5;a=b\r\nhello\r\n0\r\n\r\n", "extension in quotes": b'5;a="b;c"\r\nhello\r\n0;z\r\n\r\n', "only a semicolon":
    b"5;\r\nhello\r\n0\r\n\r\n", "trailers": b"0\r\nX: y\r\n\r\n", "trailers that frame":
    b"0\r\nContent-Length: 99\r\nTransfer-Encoding: x\r\n\r\n", "a request as data": b"%x\r\n" % len(PROBE) + PROBE
    + b"\r\n0\r\n\r\n", "chunk of one byte": b"1\r\na\r\n" * 5 + b"0\r\n\r\n", "nothing": b"0\r\n\r\n",
}.items():
    case(f"chunk: {name}", post("Transfer-Encoding: chunked", body=body), SERVED)
case("length: a request as body", post(f"Content-Length: {len(PROBE)}", body=PROBE), SERVED)

# Ends of lines.
for name, ends in {"LF": "\n", "CR": "\r", "CR CR LF": "\r\r\n", "LF CR": "\n\r", "VT": "\x0b", "FF": "\x0c", "NEL": "\x85",
                   "NUL CR LF": "\0\r\n", "LF LF": "\n\n"}.items():
    case(f"lines end in {name}", get(ends=ends))
    case(f"request line ends in {name}", b"GET /probe HTTP/1.1" + ends.encode("latin-1") + b"Host: x\r\n\r\n")
    case(f"field ends in {name}", b"GET /probe HTTP/1.1\r\nHost: x" + ends.encode("latin-1") + b"X: y\r\n\r\n")
case("empty line in front", b"\r\n" + get(), [NOT_FOUND, NOT_FOUND])
case("empty lines in front", b"\r\n\r\n" + get())
case("LF in front", b"\n" + get())
case("space in front", b" " + get())
case("byte order mark in front", b"\xef\xbb\xbf" + get())

# Request lines.
for line in ["GET  /probe HTTP/1.1", "GET /probe  HTTP/1.1", "GET\t/probe HTTP/1.1", "GET /probe\tHTTP/1.1",
             "GET /probe HTTP/1.1 ", "GET /probe HTTP/1.1\t", "GET /probe", "GET", "GET /pro be HTTP/1.1", "GET probe HTTP/1.1",
             "GET ?probe HTTP/1.1", "GET * HTTP/1.1", "GET x:80 HTTP/1.1", "GET http:// HTTP/1.1", "GET //\\ HTTP/1.1\x00",
             "GET /\x7f HTTP/1.1", "GET /\x80 HTTP/1.1", "GET /ü HTTP/1.1", "GET /a#b HTTP/1.1", "GET /\x00 HTTP/1.1",
             "G\x00T / HTTP/1.1", "G(T / HTTP/1.1", "GET: / HTTP/1.1", "GET / HTTP", "GET / HTTP/", "GET / HTTP/1", "GET / HTTP/1.",
             "GET / HTTP/.1", "GET / http/1.1", "GET / HTTP /1.1", "GET / HTTP/1.1\x0b", "GET / HTTPS/1.1", "GET / XTTP/1.1",
             "GET / HTTP/1.1 HTTP/1.1", "GET / HTTP/٢.1", "CONNECT / HTTP/1.1", "PRI * HTTP/2.0", "GET ftp://x/ HTTP/1.1",
             "GET javascript:x HTTP/1.1", "GET file:///etc/passwd HTTP/1.1"]:
    case(f"request line {line!r}", get(line.encode("utf-8").decode("latin-1")))
for line in ["GET /probe HTTP/1.1", "GET //probe HTTP/1.1", "GET /probe/../probe HTTP/1.1", "GET /%00 HTTP/1.1",
             "GET /%0d%0aX HTTP/1.1", "GET /probe?a=b&c HTTP/1.1", "GET http://x/probe HTTP/1.1"]:
    case(f"request line {line!r}", get(line), [NOT_FOUND, NOT_FOUND])

# Host.
for fields in [(), ("Host: x", "Host: x"), ("Host: x", "Host: y"), ("Host: x", "host: x"), ("Host: a@b",), ("Host: a/b",),
               ("Host: a b",), ("Host: a,b",), ("Host: a\\b",), ("Host: a?b",), ("Host: a#b",), ("Host: a\tb",), ("Host : x",),
               (" Host: x",), ("Host\t: x",), ("Host: x\r\n y",), ("Host: ü",), ('Host: "x"',), ("Host: <x>",), ("Hos: x",)]:
    case(f"Host {fields}", get(fields=fields))

# WebSocket: a body, or frames, where an intermediary may see something else.
UPGRADE = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
SOCKET = "GET /connection/websocket HTTP/1.1"
OLD = [*UPGRADE, "Sec-WebSocket-Version: 8"]
case("refused upgrade", get(SOCKET, ["Host: x", *OLD]), [UPGRADE_REQUIRED, NOT_FOUND])
case("refused upgrade with a body", get(SOCKET, ["Host: x", *OLD, f"Content-Length: {len(PROBE)}"]) + PROBE,
     [UPGRADE_REQUIRED, NOT_FOUND])
case("refused upgrade with chunks", get(SOCKET, ["Host: x", *OLD, "Transfer-Encoding: chunked"]) + CHUNKED,
     [UPGRADE_REQUIRED, NOT_FOUND])
case("refused upgrade with frames", get(SOCKET, ["Host: x", *OLD]) + frame(1, b"{}"), [UPGRADE_REQUIRED, BAD])
case("upgrade by POST", post(*UPGRADE, "Sec-WebSocket-Version: 13", "Content-Length: 5", body=b"hello"), [[405, 401], NOT_FOUND])
case("upgrade with length and chunks",
     get(SOCKET, ["Host: x", *UPGRADE, "Sec-WebSocket-Version: 13", "Content-Length: 5", "Transfer-Encoding: chunked"]))
case("upgrade to h2c", get("GET /probe HTTP/1.1", ["Host: x", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings",
                                                   "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]), [NOT_FOUND, NOT_FOUND])


def answers(port, data):
    """The statuses that come until the server closes; each answer is taken apart by its Content-Length."""
    with RawSocket(port, timeout=15) as raw:
        raw.send_if_open(data)
        statuses = []
        try:
            while True:
                status, fields = raw.read_head()
                statuses.append(status)
                raw.read(int(fields["content-length"]))
                last = fields.get("connection")
        except Ended:
            assert raw.pending == b"", f"half an answer: {raw.pending[:100]}"
        assert statuses, "no answer"
        assert last == "close", "the last answer must say that it is"
        return statuses


def test_there_are_three_hundred():
    assert len(CASES) >= 300


@pytest.mark.parametrize("name", CASES)
def test_request(demo, name):
    data, expected = CASES[name]
    found = answers(demo.port, data + PROBE)
    if expected is REFUSED:
        assert len(found) == 1 and found[0] in REFUSED, found
    else:
        assert len(found) == len(expected), found
        for status, one in zip(found, expected, strict=True):
            assert status in one if isinstance(one, list) else status == one, found


def test_requests_in_single_bytes(demo):
    """Where reads begin and end changes nothing."""
    for name, (data, expected) in list(CASES.items())[::12]:
        with RawSocket(demo.port) as raw:
            for index in range(len(data + PROBE)):
                raw.send_if_open((data + PROBE)[index : index + 1])
            try:
                first = raw.read_head()[0]
            except Ended:
                # The kernel drops an answer when bytes come for a socket that has ended.
                first = None
            assert first is None or first in (REFUSED if expected is REFUSED else [expected[0]]), name
