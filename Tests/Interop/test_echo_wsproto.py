"""`martlet echo` with wsproto, which leaves every byte on the socket to the test."""

import socket

import pytest
from wsproto import WSConnection
from wsproto.connection import ConnectionState, ConnectionType
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Message,
    Ping,
    Pong,
    Request,
    TextMessage,
)


class Client:
    """A wsproto client on a blocking socket; `step` sends bytes in pieces of that size."""

    def __init__(self, port, step=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=15)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connection = WSConnection(ConnectionType.CLIENT)
        self.step = step
        self.received = []

    def write(self, data):
        step = self.step or max(len(data), 1)
        for start in range(0, len(data), step):
            self.socket.sendall(data[start : start + step])

    def send(self, *events):
        self.write(b"".join(self.connection.send(event) for event in events))

    def next(self):
        while not self.received:
            data = self.socket.recv(1 << 16)
            self.connection.receive_data(data or None)
            self.received += self.connection.events()
        return self.received.pop(0)

    def message(self):
        """The next message, whole; its type says text or bytes."""
        whole = None
        while True:
            event = self.next()
            assert isinstance(event, Message), event
            whole = event.data if whole is None else whole + event.data
            if event.message_finished:
                return bytes(whole) if not isinstance(whole, str) else whole

    def handshake(self, **fields):
        self.send(Request(host="localhost", target="/", **fields))
        event = self.next()
        assert isinstance(event, AcceptConnection), event
        return event

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture(params=[None, 1, 3], ids=["whole writes", "single bytes", "three bytes at a time"])
def client(echo, request):
    with Client(echo.port, request.param) as client:
        yield client


def test_handshake_accepts_without_subprotocol_or_extension(client):
    accepted = client.handshake(subprotocols=["chat"])
    assert accepted.subprotocol is None
    assert accepted.extensions == []


def test_messages(client):
    client.handshake()
    for message in ["", "hello", "héllo 𝄞", "x" * 300]:
        client.send(TextMessage(data=message))
        assert client.message() == message
    for message in [b"", b"\x00\xff", b"y" * 300]:
        client.send(BytesMessage(data=message))
        assert client.message() == message


def test_fragments_with_a_ping_between(client):
    client.handshake()
    client.send(TextMessage(data="one ", message_finished=False))
    client.send(Ping(payload=b"between"))
    pong = client.next()
    assert isinstance(pong, Pong) and pong.payload == b"between"
    client.send(TextMessage(data="two", message_finished=True))
    assert client.message() == "one two"


def test_close_is_answered_and_the_stream_ends(client):
    client.handshake()
    client.send(CloseConnection(code=4321, reason="done"))
    event = client.next()
    assert isinstance(event, CloseConnection) and event.code == 4321
    assert client.connection.state is ConnectionState.CLOSED
    assert client.socket.recv(1) == b""


def test_frames_in_the_same_write_as_the_handshake(echo):
    """RFC 6455 lets a server read frames only after its answer, but bytes that came early must not be lost."""
    with Client(echo.port) as client:
        handshake = client.connection.send(Request(host="localhost", target="/"))
        # "hi", final text frame, masked with zeros.
        client.write(handshake + b"\x81\x82\x00\x00\x00\x00hi")
        assert isinstance(client.next(), AcceptConnection)
        assert client.message() == "hi"


def test_many_messages_in_one_write(echo):
    with Client(echo.port) as client:
        client.handshake()
        messages = [f"message {number}" for number in range(2000)]
        client.send(*(TextMessage(data=message) for message in messages))
        assert [client.message() for _ in messages] == messages


def test_replies_arrive_after_the_client_has_finished_sending(echo):
    """A client that sends, then shuts its writing side down, still gets the echo of what it sent."""
    with Client(echo.port) as client:
        client.handshake()
        client.send(TextMessage(data="last words"))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.message() == "last words"


def test_masked_bytes_are_never_sent_back(echo):
    """Each message comes back unmasked and unchanged however its length lies to the mask's four bytes."""
    with Client(echo.port) as client:
        client.handshake()
        for length in range(1, 70):
            message = bytes(range(length))
            client.send(BytesMessage(data=message))
            assert client.message() == message
