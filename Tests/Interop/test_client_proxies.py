"""`martlet connect` through proxies of our own, for CONNECT and SOCKS 5; test_foreign_proxies.py has other people's."""

import asyncio
import base64
import contextlib
import ipaddress
import ssl
import struct

import pytest
from programs import Server, martlet
from proxies import HAProxy


async def pump(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(ConnectionError, OSError):
        writer.write_eof()


class Proxy:
    """A proxy on a port of its own. Whatever host it is asked for, it leads to 127.0.0.1: it looks names up itself."""

    def __init__(self, user=None, refusal=None):
        self.user = user
        self.refusal = refusal
        self.asked = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if port := await self.agree(reader, writer):
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await self.say_established(writer)
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
                far_writer.close()
        writer.close()


class ConnectProxy(Proxy):
    scheme = "http"

    async def agree(self, reader, writer):
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, authority, version = lines[0].split(" ")
        assert method == "CONNECT" and version == "HTTP/1.1" and f"Host: {authority}" in lines
        self.asked.append(authority)
        if self.refusal:
            writer.write(f"HTTP/1.1 {self.refusal}\r\nContent-Length: 0\r\n\r\n".encode())
            return None
        if self.user:
            value = "Basic " + base64.b64encode(self.user.encode()).decode()
            if f"Proxy-Authorization: {value}" not in lines:
                writer.write(
                    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=x\r\n\r\n"
                )
                return None
        return int(authority.rpartition(":")[2])

    async def say_established(self, writer):
        for byte in b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n":
            writer.write(bytes([byte]))
            await writer.drain()


class SOCKSProxy(Proxy):
    scheme = "socks5"

    async def agree(self, reader, writer):
        version, count = await reader.readexactly(2)
        methods = await reader.readexactly(count)
        wanted = 2 if self.user else 0
        assert version == 5
        if wanted not in methods:
            writer.write(b"\x05\xff")
            return None
        writer.write(bytes([5, wanted]))
        if self.user:
            assert await reader.readexactly(1) == b"\x01"
            user = await reader.readexactly((await reader.readexactly(1))[0])
            password = await reader.readexactly((await reader.readexactly(1))[0])
            isRight = (user + b":" + password).decode() == self.user
            writer.write(b"\x01\x00" if isRight else b"\x01\x01")
            if not isRight:
                return None
        version, command, _, kind = await reader.readexactly(4)
        assert (version, command) == (5, 1)
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        self.asked.append(f"{host}:{port}")
        if self.refusal:
            writer.write(bytes([5, self.refusal]))
            return None
        return port

    async def say_established(self, writer):
        for byte in b"\x05\x00\x00\x03\x04name\x1f\x90":
            writer.write(bytes([byte]))
            await writer.drain()


KINDS = [ConnectProxy, SOCKSProxy]


async def connect(url, proxy=None, env=None, input="hello\n"):
    flags = ["--proxy", proxy] if proxy else []
    return await asyncio.to_thread(martlet, "connect", url, *flags, input=input, env=env)


@pytest.mark.parametrize("kind", KINDS)
async def test_through_a_proxy(echo, kind):
    async with kind() as proxy:
        big = "x" * 300_000 + "\n"
        done = await connect(f"ws://no.such.host:{echo.port}/", f"{kind.scheme}://127.0.0.1:{proxy.port}", input=big)
        assert done.returncode == 0 and done.stdout == big, done.stderr
        assert proxy.asked == [f"no.such.host:{echo.port}"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("host", ["10.1.2.3", "[2001:db8::1]"])
async def test_addresses(echo, kind, host):
    async with kind() as proxy:
        done = await connect(f"ws://{host}:{echo.port}/", f"{kind.scheme}://localhost:{proxy.port}")
        assert done.stdout == "hello\n", done.stderr
        assert proxy.asked in ([f"{host}:{echo.port}"], [f"{host.strip('[]')}:{echo.port}"])


@pytest.mark.parametrize("kind", KINDS)
async def test_user_and_password(echo, kind):
    async with kind(user="ann@home:p:w/ü") as proxy:
        url, place = f"ws://no.such.host:{echo.port}/", f"127.0.0.1:{proxy.port}"
        done = await connect(url, f"{kind.scheme}://ann%40home:p%3Aw%2F%C3%BC@{place}")
        assert done.stdout == "hello\n", done.stderr
        wrong = await connect(url, f"{kind.scheme}://ann:secret@{place}")
        assert wrong.returncode == 1 and "does not take this user name and password" in wrong.stderr
        assert "secret" not in wrong.stderr
        without = await connect(url, f"{kind.scheme}://{place}")
        assert without.returncode == 1 and "wants a user name and a password" in without.stderr


async def test_refusals_in_words(echo):
    for kind, refusal, words in [
        (ConnectProxy, "403 Forbidden", "does not allow connections to no.such.host:80: 403 Forbidden"),
        (ConnectProxy, "502 Bad Gateway", "could not reach no.such.host:80: 502 Bad Gateway"),
        (SOCKSProxy, 2, "does not allow connections to no.such.host:80"),
        (SOCKSProxy, 4, "host unreachable"),
        (SOCKSProxy, 5, "connection refused"),
    ]:
        async with kind(refusal=refusal) as proxy:
            done = await connect("ws://no.such.host/", f"{kind.scheme}://127.0.0.1:{proxy.port}")
            assert done.returncode == 1 and words in done.stderr, done.stderr


async def test_the_environment(echo):
    async with ConnectProxy() as http, SOCKSProxy() as socks:
        url = f"ws://no.such.host:{echo.port}/"
        variables = {"HTTP_PROXY": f"http://127.0.0.1:{http.port}", "ALL_PROXY": f"socks5h://127.0.0.1:{socks.port}"}
        assert (await connect(url, env=variables)).stdout == "hello\n"
        assert (len(http.asked), len(socks.asked)) == (1, 0)
        # A CGI program does not believe HTTP_PROXY.
        assert (await connect(url, env={**variables, "REQUEST_METHOD": "GET"})).stdout == "hello\n"
        assert (len(http.asked), len(socks.asked)) == (1, 1)
        for direct in ({**variables, "NO_PROXY": "such.host"}, {**variables, "no_proxy": "*"}):
            done = await connect(url, env=direct)
            assert done.returncode == 1 and "cannot find the address" in done.stderr
        assert (await connect(echo.url, env=variables)).stdout == "hello\n"
        assert (await connect(url, "none", env=variables)).returncode == 1
        assert (len(http.asked), len(socks.asked)) == (1, 1)


async def test_what_is_no_proxy(echo):
    """A WebSocket server takes CONNECT for a bad request, and a SOCKS greeting for nothing at all."""
    for scheme in ("http", "socks5"):
        done = await connect("ws://no.such.host/", f"{scheme}://127.0.0.1:{echo.port}")
        assert done.returncode == 1 and "the proxy" in done.stderr


@pytest.fixture(scope="module")
def secure_echo(authority):
    certificate, key = authority.issue("echo", "DNS:no.such.host")
    with Server("echo", "--port", 0, "--tls-certificate", certificate, "--tls-key", key) as server:
        yield server
        server.assert_running()


async def talk_within_tls(url, proxy, authorities, size=300_000):
    text = "x" * size + "\n"
    flags = ["--proxy", proxy, "--ca", authorities]
    done = await asyncio.to_thread(martlet, "connect", url, *flags, input="hello\n" + text)
    assert done.returncode == 0 and done.stdout == "hello\n" + text, done.stderr


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_within_tls(secure_echo, echo, authority, version):
    """A CONNECT proxy that is spoken to by OpenSSL of Python's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(*authority.issue("proxy"))
    async with ConnectProxy() as proxy:
        front = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, ssl=context)
        address = f"https://localhost:{front.sockets[0].getsockname()[1]}"
        await talk_within_tls(f"wss://no.such.host:{secure_echo.port}/", address, authority.file)
        await talk_within_tls(f"ws://no.such.host:{echo.port}/", address, authority.file)
        assert proxy.asked == [f"no.such.host:{secure_echo.port}", f"no.such.host:{echo.port}"]
        # Each layer is verified for itself.
        wrong = await asyncio.to_thread(
            martlet, "connect", f"wss://other.host:{secure_echo.port}/", "--proxy", address, "--ca", authority.file)
        assert wrong.returncode == 1 and "other.host" in wrong.stderr
        wrong = await asyncio.to_thread(
            martlet, "connect", f"wss://no.such.host:{secure_echo.port}/", "--proxy", address)
        assert wrong.returncode == 1 and "certificate" in wrong.stderr
        front.close()


async def test_tls_within_tls_through_haproxy(secure_echo, authority, tmp_path):
    """HAProxy ends the outer TLS and passes the bytes to a CONNECT proxy."""
    async with ConnectProxy() as proxy:
        with await asyncio.to_thread(HAProxy, tmp_path, backends=[proxy.port], mode="tcp") as front:
            both = tmp_path / "authorities.pem"
            both.write_text(authority.file.read_text() + front.certificate.read_text())
            url = f"wss://no.such.host:{secure_echo.port}/"
            await talk_within_tls(url, f"https://localhost:{front.tls_port}", both)
            assert proxy.asked == [f"no.such.host:{secure_echo.port}"]
