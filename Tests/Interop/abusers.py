"""Clients that do harm, in a process of their own, so that a test's well-behaved client has its own.

    python abusers.py KIND PORT COUNT

does it, prints one line of JSON about what came back, and ends. The kinds are the functions below.
"""

import errno
import http.client
import json
import resource
import select
import socket
import struct
import sys
import time
import zlib

HEAD = (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n")
KEY = bytes(4)
TCP_ESTABLISHED = 1


def frame(first, payload):
    """A masked frame; the mask is zero."""
    length = len(payload)
    if length < 126:
        return bytes([first, 0x80 | length]) + KEY + payload
    if length < 1 << 16:
        return struct.pack("!BBH", first, 0xFE, length) + KEY + payload
    return struct.pack("!BBQ", first, 0xFF, length) + KEY + payload


def connect(port, fields=b"", receive_buffer=None, path=b"/"):
    it = socket.socket()
    if receive_buffer:
        it.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    it.settimeout(60)
    it.connect(("127.0.0.1", port))
    it.sendall(HEAD.replace(b" / ", b" " + path + b" ") + fields + b"\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += it.recv(1)
    assert head.startswith(b"HTTP/1.1 101"), head
    return it, head


def send_all(it, data):
    """Sends as much as is taken; whether that was all."""
    try:
        it.sendall(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def answer(it):
    """The close code that comes at last, and the bytes of messages before it."""
    stream = b""
    try:
        while data := it.recv(1 << 20):
            stream += data
            if stream[0] & 15 == 1 and len(stream) > 10 and len(stream) >= 10 + int.from_bytes(stream[2:10], "big"):
                return {"message": int.from_bytes(stream[2:10], "big"), "code": None}
    except OSError:
        pass
    if stream[:1] == b"\x88":
        return {"message": 0, "code": int.from_bytes(stream[2:4], "big")}
    return {"message": 0, "code": 1006}


def one_byte_fragments(port, count):
    """One message in so many fragments of one byte."""
    it, _ = connect(port)
    send_all(it, frame(0x01, b"x") + frame(0x00, b"x") * (count - 2) + frame(0x80, b"x"))
    return answer(it)


def empty_fragments(port, count):
    it, _ = connect(port)
    send_all(it, frame(0x01, b"") + frame(0x00, b"") * (count - 2) + frame(0x80, b""))
    return answer(it)


def tiny_messages(port, count):
    """Messages of one byte as fast as they are taken; what comes back is read and thrown away."""
    it, _ = connect(port)
    batch = frame(0x82, b"x") * 10_000
    received = 0
    for _ in range(count // 10_000):
        send_all(it, batch)
        while received < 3 * 10_000:
            received += len(it.recv(1 << 20))
        received -= 3 * 10_000
    return {}


def unread(port, count, data, at_a_time):
    """Sends so many frames and never reads; how many of them were taken."""
    it, _ = connect(port, receive_buffer=4096)
    it.settimeout(3)
    sent = 0
    try:
        while sent < count and send_all(it, data * at_a_time):
            sent += at_a_time
    except TimeoutError:
        pass
    # The socket stays open a little, unread.
    time.sleep(1)
    return {"sent": sent}


def unread_pings(port, count):
    """Pings of 125 bytes from a client that never reads."""
    return unread(port, count, frame(0x89, b"p" * 125), 1_000)


def unread_messages(port, count):
    """Messages of 64 KiB whose echo is never read."""
    return unread(port, count, frame(0x82, b"m" * 65_535), 1)


def unread_publications(port, count):
    """So many subscribers that read nothing, while 16 MiB are published; how many have been cut 20 s later at most."""
    commands = b'{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news:flood"}}'
    sockets = []
    for _ in range(count):
        it, _ = connect(port, receive_buffer=4096, path=b"/connection/websocket")
        it.sendall(frame(0x81, commands))
        answer = b""
        while b'"id":2' not in answer:
            answer += it.recv(1)
        sockets.append(it)
    backend = http.client.HTTPConnection("127.0.0.1", port)
    for number in range(1_000):
        # No two alike: what is kept for a client is not somebody else's.
        data = json.dumps({"channel": "news:flood", "data": f"{number}" + "x" * 16_384})
        backend.request("POST", "/api/publish", data, {"X-API-Key": "demo-key"})
        answer = json.loads(backend.getresponse().read())
        assert "result" in answer, answer
    deadline = time.monotonic() + 20
    while True:
        # TCP_INFO begins with the state.
        states = [it.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] for it in sockets]
        if TCP_ESTABLISHED not in states or time.monotonic() > deadline:
            return {"subscribers": count, "cut": sum(state != TCP_ESTABLISHED for state in states)}
        time.sleep(0.1)


def unread_echoes(port, count):
    """So many connections that send 64 KiB again and again as long as it is taken, and read nothing."""
    data = frame(0x82, b"m" * 65_535)
    poll, waiting = select.epoll(), {}
    for _ in range(count):
        it, _ = connect(port, receive_buffer=4096)
        it.setblocking(False)
        waiting[it.fileno()] = (it, memoryview(data))
        poll.register(it.fileno(), select.EPOLLOUT)
    sent = 0
    # Three seconds in which nothing is taken are the end.
    while events := poll.poll(3):
        for descriptor, _ in events:
            it, rest = waiting[descriptor]
            taken = it.send(rest)
            sent += taken
            waiting[descriptor] = (it, rest[taken:] or memoryview(data))
    return {"sent": sent}


def slow_heads(port, count):
    """So many connections whose request heads never come to their end: a byte each, again and again."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    poll = select.epoll()
    sockets, endings, started = {}, {"408": 0, "other": 0}, {}
    fields = HEAD + b"X-Slow: " + b"x" * 1_000
    first = time.monotonic()

    def look(timeout):
        for descriptor, _ in poll.poll(timeout):
            it = sockets.pop(descriptor)
            try:
                data = it.recv(4096)
            except OSError:
                data = b""
            endings["408" if data.startswith(b"HTTP/1.1 408") else "other"] += 1
            age = time.monotonic() - started.pop(descriptor)
            endings["shortest"] = min(endings.get("shortest", age), age)
            endings["longest"] = max(endings.get("longest", age), age)
            poll.unregister(descriptor)
            it.close()

    for index in range(count):
        it = socket.socket()
        try:
            it.connect(("127.0.0.1", port))
        except OSError as error:
            raise SystemExit(f"{errno.errorcode[error.errno]} after {index} connections") from error
        it.setblocking(False)
        it.send(fields[:20])
        sockets[it.fileno()], started[it.fileno()] = it, time.monotonic()
        poll.register(it.fileno(), select.EPOLLIN | select.EPOLLHUP)
    print(json.dumps({"opened": len(sockets), "seconds": time.monotonic() - first}), flush=True)
    at = 20
    while sockets and time.monotonic() - first < 40:
        at += 1
        for it in list(sockets.values()):
            try:
                it.send(fields[at : at + 1])
            except OSError:
                pass
        look(0.5)
    return {**endings, "left": len(sockets)}


def bombs(port, count):
    """Messages that inflate a thousandfold, each on a connection of its own; the close codes that come."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    whole = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(64))
    whole += compressor.flush(zlib.Z_SYNC_FLUSH)
    codes = {}
    for index in range(count):
        it, head = connect(port, b"Sec-WebSocket-Extensions: permessage-deflate\r\n")
        assert b"permessage-deflate" in head
        if index % 2:
            # The same in fragments, only the first of which has the bit.
            data = frame(0x42, whole[:1_000]) + frame(0x00, whole[1_000:2_000]) + frame(0x80, whole[2_000:-4])
        else:
            data = frame(0xC2, whole[:-4])
        send_all(it, data)
        code = str(answer(it)["code"])
        codes[code] = codes.get(code, 0) + 1
        it.close()
    return {"codes": codes, "bytes": len(whole)}


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](int(sys.argv[2]), int(sys.argv[3]))), flush=True)
