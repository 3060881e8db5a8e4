"""A hundred origins against three policies: the same origin, a list, any. Refused is 403, without an upgrade."""

import pytest
from programs import Server
from raw_websocket import RawSocket, request

# The server's own origin is http://HOST in these tests; the request says which host it was sent to.
HOST = "chat.example.com:8000"
LISTED = ["https://example.com", "http://example.com:8080", "https://[2001:db8::1]:8443", "https://xn--bcher-kva.example",
          "app://desktop"]

# (origin, allowed by the list)
LIST_CASES = [
    ("https://example.com", True),
    ("HTTPS://EXAMPLE.COM", True),
    ("https://Example.Com", True),
    ("http://example.com:8080", True),
    ("https://[2001:db8::1]:8443", True),
    ("https://[2001:DB8::1]:8443", True),
    ("https://xn--bcher-kva.example", True),
    ("https://XN--BCHER-KVA.example", True),
    ("app://desktop", True),
    # Another scheme or port.
    ("http://example.com", False),
    ("https://example.com:8080", False),
    ("https://example.com:444", False),
    ("https://example.com:4430", False),
    ("https://example.com:0443", False),
    ("http://example.com:80", False),
    ("http://example.com:8081", False),
    ("http://example.com:80800", False),
    ("http://example.com:808", False),
    ("https://example.com:", False),
    ("wss://example.com", False),
    ("ws://example.com", False),
    ("httpss://example.com", False),
    ("ttps://example.com", False),
    ("file://example.com", False),
    ("chrome-extension://example.com", False),
    ("app://desktop2", False),
    ("app://", False),
    # Names that begin or end alike.
    ("https://example.com.evil", False),
    ("https://example.com.evil.com", False),
    ("https://example.com-evil.com", False),
    ("https://example.comevil", False),
    ("https://example.co", False),
    ("https://xample.com", False),
    ("https://evilexample.com", False),
    ("https://evil-example.com", False),
    ("https://sub.example.com", False),
    ("https://www.example.com", False),
    ("https://.example.com", False),
    ("https://example.com.", False),
    ("https://example..com", False),
    ("https://exampleXcom", False),
    ("https://example_com", False),
    ("https://evil.com/https://example.com", False),
    ("https://evil.com?https://example.com", False),
    ("https://evil.com#https://example.com", False),
    ("https://evil.com\\@example.com", False),
    ("https://evil.com https://example.com", False),
    ("https://example.com https://evil.com", False),
    ("https://example.com,https://evil.com", False),
    ("https://example.com, https://evil.com", False),
    ("https://example.com;https://evil.com", False),
    ("https://example.com|https://evil.com", False),
    # User information, paths, blanks within.
    ("https://user@example.com", False),
    ("https://user:pass@example.com", False),
    ("https://example.com@evil.com", False),
    ("https://example.com:443@evil.com", False),
    ("https://example.com:pass@evil.com", False),
    ("https://example.com%40evil.com", False),
    ("https://example.com%2eevil.com", False),
    ("https://example%2ecom", False),
    ("https://example.com/", False),
    ("https://example.com/path", False),
    ("https://example.com?query", False),
    ("https://example.com#fragment", False),
    ("https://example.com\\", False),
    ("https://example.com\\.evil.com", False),
    ("https://example.com&", False),
    ("https://example.com`", False),
    ("https://example.com'", False),
    ('"https://example.com"', False),
    ("<https://example.com>", False),
    ("https:// example.com", False),
    ("https://example.com x", False),
    ("https:/example.com", False),
    ("https:///example.com", False),
    ("https:example.com", False),
    ("https//example.com", False),
    ("//example.com", False),
    ("example.com", False),
    ("https://", False),
    ("https", False),
    ("*", False),
    ("https://*", False),
    ("https://*.com", False),
    ("null", False),
    ("NULL", False),
    ("undefined", False),
    ("", False),
    ("about:blank", False),
    ("data:text/html,x", False),
    ("blob:https://example.com/0", False),
    ("javascript:0", False),
    ("view-source:https://example.com", False),
    # Other spellings of hosts.
    ("https://bücher.example".encode().decode("latin-1"), False),
    ("https://b\xfccher.example", False),
    ("https://BÜCHER.example".encode().decode("latin-1"), False),
    ("https://xn--bcher-kva.example.", False),
    ("https://xn--bucher-kva.example", False),
    ("https://exаmple.com".encode().decode("latin-1"), False),
    ("https://ｅxample.com".encode().decode("latin-1"), False),
    ("https://example。com".encode().decode("latin-1"), False),
    ("https://example.com\u00ad".encode().decode("latin-1"), False),
    ("app://des\u212atop".encode().decode("latin-1"), False),
    ("https://ſ.example".encode().decode("latin-1"), False),
    ("https://[2001:db8::1]", False),
    ("https://[2001:db8::1]:844", False),
    ("https://[2001:db8:0::1]:8443", False),
    ("https://2001:db8::1:8443", False),
    ("https://[2001:db8::1%25eth0]:8443", False),
    ("https://[::ffff:93.184.216.34]", False),
    ("https://93.184.216.34", False),
    ("https://0x5db8d822", False),
    ("http://localhost", False),
    ("http://127.0.0.1", False),
]

# (origin, host of the request, whether they are the same origin)
SAME_CASES = [
    ("http://chat.example.com:8000", HOST, True),
    ("HTTP://Chat.Example.COM:8000", HOST, True),
    ("http://chat.example.com:8000", HOST.upper(), True),
    ("http://chat.example.com", "chat.example.com", True),
    ("http://chat.example.com", "chat.example.com:80", True),
    ("http://chat.example.com:80", "chat.example.com", True),
    ("http://[::1]:8000", "[::1]:8000", True),
    ("http://[::1]", "[::1]:80", True),
    ("https://chat.example.com:8000", HOST, False),
    ("https://chat.example.com", "chat.example.com", False),
    ("ws://chat.example.com:8000", HOST, False),
    ("http://chat.example.com:8001", HOST, False),
    ("http://chat.example.com:80", HOST, False),
    ("http://chat.example.com", HOST, False),
    ("http://chat.example.com:80000", HOST, False),
    ("http://chat.example.com:8080", "chat.example.com", False),
    ("http://chat.example.com.evil:8000", HOST, False),
    ("http://chat.example.com:8000.evil", HOST, False),
    ("http://evilchat.example.com:8000", HOST, False),
    ("http://example.com:8000", HOST, False),
    ("http://user@chat.example.com:8000", HOST, False),
    ("http://chat.example.com:8000@evil", HOST, False),
    ("http://chat.example.com:8000/", HOST, False),
    ("http://[::1]:8000", "[::2]:8000", False),
    ("http://[::1]", "[::1]:8000", False),
    ("http://", "chat.example.com", False),
    ("http://:80", "chat.example.com", False),
    ("null", HOST, False),
    ("null", "null", False),
    ("", HOST, False),
    ("file://", HOST, False),
]


@pytest.fixture(scope="module")
def listing():
    environment = {"MARTLET_ALLOWED_ORIGINS": ",".join(LISTED), "MARTLET_DRAIN_SECONDS": "0"}
    with Server("serve", "--port", 0, "--demo", env=environment) as server:
        yield server


def is_upgraded(server, *origins, host=HOST):
    with RawSocket(server.port) as raw:
        head = request("/connection/websocket", host=host).decode()
        fields = "".join(f"Origin: {origin}\r\n" for origin in origins)
        raw.send((head[:-2] + fields + "\r\n").encode("latin-1"))
        status, answer = raw.read_head()
        assert status in (101, 403), status
        # No page may read the answer either.
        assert "access-control-allow-origin" not in answer
        return status == 101


def test_there_are_a_hundred():
    assert len(LIST_CASES) >= 100 and len({origin for origin, _ in LIST_CASES}) == len(LIST_CASES)


@pytest.mark.parametrize("origin, allowed", LIST_CASES)
def test_list(listing, origin, allowed):
    assert is_upgraded(listing, origin) == allowed


@pytest.mark.parametrize("origin, host, allowed", SAME_CASES)
def test_same_origin(demo, origin, host, allowed):
    assert is_upgraded(demo, origin, host=host) == allowed


@pytest.mark.parametrize("origins", [LISTED[:2], LISTED[:1] * 2, ["https://evil.com", LISTED[0]], [LISTED[0], ""], [LISTED[0], "null"]])
def test_several_fields(listing, origins):
    assert not is_upgraded(listing, *origins)


def test_the_own_origin_is_not_implied_by_a_list(listing):
    assert not is_upgraded(listing, f"http://{HOST}")


def test_without_an_origin(listing, demo):
    """Programs send none; who they are must be proved otherwise."""
    assert is_upgraded(listing) and is_upgraded(demo)


def test_any_origin():
    with Server("serve", "--port", 0, "--demo", env={"MARTLET_ALLOWED_ORIGINS": "*", "MARTLET_DRAIN_SECONDS": "0"}) as server:
        for origin, _ in LIST_CASES:
            assert is_upgraded(server, origin)


@pytest.mark.parametrize("origin", ["https://example.com\0", "https://example.com\x01", "https://example.com\x7f"])
def test_control_characters_are_no_http(listing, origin):
    with RawSocket(listing.port) as raw:
        raw.send(request(extra=[f"Origin: {origin}"]))
        assert raw.read_head()[0] == 400


def test_sub_requests_to_the_api_need_a_key_from_any_page(listing):
    """An Origin gives no right: a page of a listed origin cannot call the HTTP API."""
    with RawSocket(listing.port) as raw:
        raw.send(b"POST /api/info HTTP/1.1\r\nHost: x\r\nOrigin: https://example.com\r\nContent-Length: 2\r\n\r\n{}")
        assert raw.read_head()[0] == 401
