"""What clients do while the server is counted: each function takes the server and how many messages, deliveries or
connections there are to be."""

import contextlib
import json
import socket
import ssl
import time

from raw_websocket import BINARY, TEXT, frame, request

SUBSCRIBERS = 100
# Long enough for the server to end its turn, seconds.
END_OF_TURN = 0.005
JSON_TEXT = json.dumps([{"id": n, "name": f"device {n}", "state": "on", "value": n * 1.5} for n in range(20)]).encode()


def receive(sock, count):
    """So many bytes."""
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise RuntimeError(f"the server ended the connection after {data[:200]!r}")
        data += more
    return data


def receive_until(sock, end):
    data = b""
    while end not in data:
        data += receive(sock, 1)
    return data


def connect(server, path="/", extra=(), tls=None):
    sock = socket.create_connection(("127.0.0.1", server.port), timeout=60)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if tls:
        sock = tls.wrap_socket(sock)
    sock.sendall(request(path, extra=extra))
    head = receive_until(sock, b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 "), head
    return sock


def receive_frame(sock):
    head = receive(sock, 2)
    length = head[1] & 127
    if length >= 126:
        length = int.from_bytes(receive(sock, 2 if length == 126 else 8), "big")
    return receive(sock, length)


def echo(server, count, *, at_once=1):
    """Messages of 64 bytes, each answered before the next ones are sent."""
    burst = frame(TEXT, b"m" * 64) * at_once
    with connect(server) as sock:
        for _ in range(count // at_once):
            sock.sendall(burst)
            receive(sock, 66 * at_once)


def echo_crowd(server, count, connections, kind, size):
    """Messages on many connections, one on each, all of them before the server goes on."""
    message = frame(kind, b"m" * size)
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(connect(server)) for _ in range(connections)]
        for _ in range(count // connections):
            with server.halted():
                for sock in crowd:
                    sock.sendall(message)
            for sock in crowd:
                assert len(receive_frame(sock)) == size


def echo_compressed(server, count):
    """Messages that come as they are and go back compressed."""
    message = frame(TEXT, JSON_TEXT[:1024])
    with connect(server, extra=["Sec-WebSocket-Extensions: permessage-deflate"]) as sock:
        for _ in range(count):
            sock.sendall(message)
            assert len(receive_frame(sock)) < 1024


def trusting():
    """TLS that believes any server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def echo_secure(server, count, size):
    """Messages by TLS, each in one record where it fits."""
    message = frame(BINARY, b"m" * size)
    with connect(server, tls=trusting()) as sock:
        for _ in range(count):
            sock.sendall(message)
            assert len(receive_frame(sock)) == size


def connections(server, count, tls=None):
    """Opening handshakes, and closing ones; by TLS no session is resumed."""
    for _ in range(count):
        with connect(server, tls=tls) as sock:
            sock.sendall(frame(8, b"\x03\xe8"))
            receive(sock, 4)
        # The end of one and the next one's beginning would come in one turn, or in two, as the machine has time.
        time.sleep(END_OF_TURN)


def fan_out(server, count):
    """Publications to the subscribers of one channel; `count` deliveries."""
    with contextlib.ExitStack() as stack:
        subscribers = []
        for _ in range(SUBSCRIBERS):
            sock = stack.enter_context(connect(server, "/connection/websocket"))
            sock.sendall(frame(TEXT, b'{"id":1,"connect":{}}'))
            receive_frame(sock)
            sock.sendall(frame(TEXT, b'{"id":2,"subscribe":{"channel":"news:1"}}'))
            receive_frame(sock)
            subscribers.append(sock)
        backend = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60))
        body = json.dumps({"channel": "news:1", "data": {"text": "m" * 100}}).encode()
        call = (
            b"POST /api/publish HTTP/1.1\r\nHost: localhost\r\nX-API-Key: key\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n" % len(body)
        ) + body
        for _ in range(count // SUBSCRIBERS):
            backend.sendall(call)
            assert receive_until(backend, b"}}").startswith(b"HTTP/1.1 200 ")
            for sock in subscribers:
                receive_frame(sock)
