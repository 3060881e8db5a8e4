"""PROXY protocol headers below TLS on one listener, as TCP load balancers send them in front of `wss://`."""

import contextlib
import socket
import ssl
import struct

import pytest
from programs import Server
from raw_websocket import TEXT, RawSocket, frame, request


@pytest.fixture(scope="module")
def shared_server(authority):
    certificate, key = authority.issue("behind-proxy-headers")
    flags = ["--trusted-proxy", "127.0.0.1", "--proxy-protocol", "required"]
    limits = {"MARTLET_LIMITS_CONNECTIONS_PER_ADDRESS": "2", "MARTLET_DRAIN_SECONDS": "0"}
    with Server(
        "serve", "--demo", "--port", 0, "--tls-certificate", certificate, "--tls-key", key, *flags, env=limits
    ) as server:
        yield server


@pytest.fixture
def server(shared_server):
    yield shared_server
    shared_server.assert_running()


def version1(address):
    family = "TCP6" if ":" in address else "TCP4"
    own = "2001:db8::1" if ":" in address else "198.51.100.1"
    return f"PROXY {family} {address} {own} 56324 443\r\n".encode()


def version2(address, extension=b"\x04\x00\x03abc"):
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    addresses = socket.inet_pton(kind, address) + bytes(len(socket.inet_pton(kind, address)))
    payload = addresses + struct.pack("!HH", 56_324, 443) + extension
    family = 0x21 if ":" in address else 0x11
    return b"\r\n\r\n\0\r\nQUIT\n\x21" + bytes([family]) + struct.pack("!H", len(payload)) + payload


VERSIONS = [version1, version2]


def secured(server, authority, before=b"", source="127.0.0.1"):
    """A connection in TLS after these bytes."""
    raw = RawSocket.__new__(RawSocket)
    plain = socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(source, 0))
    try:
        plain.sendall(before)
        context = ssl.create_default_context(cafile=authority.file)
        # A connection that is reset already would pass for one that is yet to be made, which is no error before this.
        tls = context.wrap_socket(plain, server_hostname="localhost", do_handshake_on_connect=False)
        tls.do_handshake()
        raw.socket, raw.pending = tls, b""
    except OSError:
        plain.close()
        raise
    return raw


def assert_serves(raw):
    raw.send(request("/connection/websocket") + frame(TEXT, b'{"id":1,"connect":{}}'))
    assert raw.read_head()[0] == 101
    assert b'"connect"' in raw.read_frame()[2]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("client, other", [("192.0.2.7", "192.0.2.8"), ("2001:db8:1::7", "2001:db8:2::7")])
def test_the_header_names_the_client(server, authority, version, client, other):
    """Two connections an address: the third of one client is cut, those of another are served."""
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            assert_serves(stack.enter_context(secured(server, authority, version(client))))
        with pytest.raises(OSError):
            secured(server, authority, version(client))
        assert_serves(stack.enter_context(secured(server, authority, version(other))))
    # The proxy itself is not counted by its address.
    with contextlib.ExitStack() as stack:
        for number in range(5):
            assert_serves(stack.enter_context(secured(server, authority, version(f"198.51.100.{number}"))))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_header_and_the_first_record_in_one_segment_or_byte_by_byte(server, authority, version):
    context = ssl.create_default_context(cafile=authority.file)
    for is_split in (False, True):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        first = version("203.0.113.9") + outgoing.read()
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in [first[at : at + 1] for at in range(len(first))] if is_split else [first]:
                plain.sendall(piece)
            while True:
                incoming.write(plain.recv(65_536))
                with contextlib.suppress(ssl.SSLWantReadError):
                    tls.do_handshake()
                    break
            assert tls.version() == "TLSv1.3"


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c" + bytes(12),
        version1("192.0.2.7") + version1("192.0.2.7"),
        version1("192.0.2.7") + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=["missing", "cut short", "unknown version", "twice", "plain text behind it"])
def test_what_is_refused(server, authority, before):
    with pytest.raises(OSError):
        secured(server, authority, before)


def test_a_header_inside_tls_is_no_header(server, authority):
    with secured(server, authority, version1("192.0.2.7")) as raw:
        raw.send(version1("192.0.2.9") + b"\r\n")
        assert raw.read_head()[0] == 400


def test_strangers_are_refused(server, authority):
    with pytest.raises(OSError):
        secured(server, authority, version1("192.0.2.7"), source="127.0.0.2")
