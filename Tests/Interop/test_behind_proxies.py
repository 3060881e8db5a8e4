"""nginx and HAProxy in front: what passes through, who ends what, and how a backend is taken out of service."""

import asyncio
import contextlib
import os
import shutil
import signal
import ssl
import time

import pytest
import requests
from messaging import API_KEY, Commands
from programs import Server
from proxies import HAProxy, Nginx
from websockets.asyncio.client import connect as websockets_connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

LIMIT = 1 << 20
FRONTS = {"nginx": Nginx, "haproxy": HAProxy}


@pytest.fixture(params=FRONTS)
def Front(request):
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed")
    return FRONTS[request.param]


@pytest.fixture
def front(Front, echo, tmp_path):
    """A proxy in front of `martlet echo`."""
    with Front(tmp_path, backends=[echo.port]) as front:
        yield front


def connect(url, **options):
    return websockets_connect(url, **{"compression": None, "proxy": None, "max_size": None, **options})


def trusting(front):
    return ssl.create_default_context(cafile=front.certificate)


async def exchange(socket):
    for message in ["", "ünï", b"\0\xff", os.urandom(65_536), os.urandom(LIMIT)]:
        await socket.send(message)
        assert await asyncio.wait_for(socket.recv(), 10) == message
    await asyncio.wait_for(await socket.ping(b"through"), 10)


# What passes through


async def test_upgrade_messages_and_close(front):
    async with connect(front.url) as socket:
        await exchange(socket)
        await socket.close(4000, "enough")
        assert socket.protocol.close_rcvd.code == 4000


async def test_tls_ends_at_the_proxy(front):
    async with connect(f"wss://localhost:{front.tls_port}", ssl=trusting(front)) as socket:
        await exchange(socket)


async def test_a_hundred_connections(front):
    async def talk(number):
        async with connect(front.url, open_timeout=30) as socket:
            for index in range(10):
                await socket.send(f"{number} {index}")
                assert await asyncio.wait_for(socket.recv(), 30) == f"{number} {index}"

    await asyncio.gather(*(talk(number) for number in range(100)))


async def test_violations_are_told_through_the_proxy(front):
    async with connect(front.url) as socket:
        with pytest.raises(ConnectionClosed):
            await socket.send(b"x" * (LIMIT + 1))
            await socket.recv()
        assert socket.protocol.close_rcvd.code == 1009


async def test_refusals_pass_through(front):
    """A request that is no upgrade gets the server's 426; nothing of it stays on the proxy's connection."""
    for _ in range(3):
        assert requests.get(f"http://127.0.0.1:{front.port}/", timeout=10).status_code == 426
    async with connect(front.url) as socket:
        await exchange(socket)


def test_many_requests_over_kept_alive_connections(Front, demo, tmp_path):
    with Front(tmp_path, backends=[demo.port]) as front, requests.Session() as session:
        page = session.get(f"{demo.http}/", timeout=10)
        assert page.status_code == 200
        for _ in range(50):
            assert session.get(f"http://127.0.0.1:{front.port}/", timeout=10).content == page.content
            answer = session.post(
                f"http://127.0.0.1:{front.port}/api/publish", headers={"X-API-Key": API_KEY}, timeout=10,
                json={"channel": "news:proxy", "data": "x" * 1_000})
            assert answer.status_code == 200 and "result" in answer.json()


async def test_a_client_that_goes_away_is_noticed(Front, tmp_path):
    """The connection to the backend ends with the one to the client: nothing leaks behind a proxy."""
    with Server("echo", "--port", 0) as server, Front(tmp_path, backends=[server.port]) as front:
        descriptors = server.open_descriptors()
        sockets = [await connect(front.url) for _ in range(20)]
        assert server.open_descriptors() >= descriptors + 20
        for socket in sockets:
            socket.transport.abort()
        deadline = time.monotonic() + 10
        # The proxy may keep a few connections of its own.
        while server.open_descriptors() > descriptors + 5:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


# Origins


async def test_pages_behind_a_proxy_are_of_the_same_origin(Front, demo, tmp_path):
    with Front(tmp_path, backends=[demo.port]) as front:
        url = f"ws://127.0.0.1:{front.port}/connection/websocket"
        async with connect(url, origin=f"http://127.0.0.1:{front.port}"):
            pass
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, origin="http://127.0.0.1:1"):
                pass
        assert refused.value.response.status_code == 403


async def test_pages_behind_tls_need_their_origin_listed(Front, tmp_path):
    with contextlib.ExitStack() as stack:
        listed = "https://localhost"
        environment = {"MARTLET_ALLOWED_ORIGINS": listed, "MARTLET_DRAIN_SECONDS": "0"}
        server = stack.enter_context(Server("serve", "--port", 0, "--demo", env=environment))
        front = stack.enter_context(Front(tmp_path, backends=[server.port]))
        url = f"wss://localhost:{front.tls_port}/connection/websocket"
        async with connect(url, origin=listed, ssl=trusting(front)):
            pass
        with pytest.raises(InvalidStatus) as refused:
            async with connect(url, origin="https://localhost.evil", ssl=trusting(front)):
                pass
        assert refused.value.response.status_code == 403


async def test_pages_behind_a_trusted_proxy_with_tls_are_of_the_same_origin(Front, tmp_path):
    environment = {"MARTLET_PROXY_TRUSTED": "127.0.0.1", "MARTLET_DRAIN_SECONDS": "0"}
    with Server("serve", "--port", 0, "--demo", env=environment) as server:
        with Front(tmp_path, backends=[server.port]) as front:
            url = f"wss://localhost:{front.tls_port}/connection/websocket"
            # What the client itself says of forwarding counts for nothing.
            lies = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil"}
            async with connect(
                url, origin=f"https://localhost:{front.tls_port}", ssl=trusting(front), additional_headers=lies
            ):
                pass
            for origin in (f"http://localhost:{front.tls_port}", "https://localhost", "http://evil", "https://evil"):
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(url, origin=origin, ssl=trusting(front), additional_headers=lies):
                        pass
                assert refused.value.response.status_code == 403


# The PROXY protocol


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
@pytest.mark.parametrize("mode", ["tcp", "http"])
@pytest.mark.parametrize("header", ["send-proxy", "send-proxy-v2"])
async def test_the_proxy_protocol_names_the_client(tmp_path, mode, header):
    """Two connections an address: those of one client fill it, those of another are served."""
    environment = {
        "MARTLET_PROXY_TRUSTED": "127.0.0.1", "MARTLET_PROXY_PROTOCOL": "required",
        "MARTLET_LIMITS_CONNECTIONS_PER_ADDRESS": "2", "MARTLET_DRAIN_SECONDS": "0",
    }
    with Server("serve", "--port", 0, "--demo", env=environment) as server:
        with HAProxy(tmp_path, backends=[server.port], server=header, mode=mode) as front:
            url = f"{front.url}/connection/websocket"
            async with connect(url, local_addr=("127.0.0.2", 0)) as one, connect(url, local_addr=("127.0.0.2", 0)):
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(url, local_addr=("127.0.0.2", 0)):
                        pass
                assert refused.value.response.status_code == 429
                async with connect(url, local_addr=("127.0.0.3", 0)) as other:
                    for socket in (one, other):
                        await Commands(socket).connect()


@pytest.mark.skipif(not shutil.which("haproxy"), reason="haproxy is not installed")
async def test_a_proxy_that_names_nobody_is_refused_where_it_must(tmp_path):
    environment = {"MARTLET_PROXY_TRUSTED": "127.0.0.1", "MARTLET_PROXY_PROTOCOL": "required", "MARTLET_DRAIN_SECONDS": "0"}
    with Server("serve", "--port", 0, "--demo", env=environment) as server:
        with HAProxy(tmp_path, backends=[server.port], mode="tcp") as front:
            with pytest.raises((InvalidMessage, InvalidStatus, OSError)):
                async with connect(f"{front.url}/connection/websocket"):
                    pass


# Idle time and heartbeat


async def test_a_heartbeat_keeps_an_idle_connection_open(Front, tmp_path):
    """A proxy cuts after 3 s of silence, the server pings each second: the connection must outlive many of them."""
    environment = {
        "MARTLET_LIMITS_PING_SECONDS": "2", "MARTLET_LIMITS_PONG_SECONDS": "1", "MARTLET_DRAIN_SECONDS": "0"}
    with Server("serve", "--port", 0, "--demo", env=environment) as server:
        with Front(tmp_path, backends=[server.port], idle_seconds=4) as front:
            async with connect(f"{front.url}/connection/websocket", ping_interval=None) as socket:
                client = Commands(socket)
                await client.connect()
                deadline = time.monotonic() + 9
                pings = 0
                while time.monotonic() < deadline:
                    assert await client.next() == {}
                    await client.send({})
                    pings += 1
                assert pings >= 3
                assert "error" not in await client.call(ping={})


async def test_a_proxy_that_gives_up_first_cuts_cleanly(Front, tmp_path):
    """Without a heartbeat in time the proxy's own time-out ends both sides; the server survives and frees it."""
    with Server("echo", "--port", 0) as server, Front(tmp_path, backends=[server.port], idle_seconds=1) as front:
        descriptors = server.open_descriptors()
        async with connect(front.url, ping_interval=None) as socket:
            with pytest.raises(ConnectionClosed):
                await asyncio.wait_for(socket.recv(), 10)
        deadline = time.monotonic() + 10
        while server.open_descriptors() > descriptors + 2:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


# Taking a backend out of service


async def test_clients_move_to_the_other_backend(Front, tmp_path):
    """SIGTERM to one of two backends: its clients are told to reconnect (3001) and find the other one."""
    environment = {"MARTLET_DRAIN_SECONDS": "1"}
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(Server("serve", "--port", 0, "--demo", env=environment)) for _ in range(2)]
        front = stack.enter_context(Front(tmp_path, backends=[server.port for server in servers]))
        url = f"{front.url}/connection/websocket"
        sockets = [await connect(url) for _ in range(6)]
        clients = [Commands(socket) for socket in sockets]
        for client in clients:
            await client.connect()
        servers[0].process.terminate()
        servers[0].assert_running = lambda: None
        done, staying = await asyncio.wait(
            [asyncio.create_task(client.closed(30, answers_pings=True)) for client in clients], timeout=6)
        assert len(done) == 3 and {task.result() for task in done} == {3001}
        assert servers[0].process.wait(10) == 0
        for _ in done:
            async with connect(url) as socket:
                await Commands(socket).connect()
        for task in staying:
            task.cancel()
        await asyncio.gather(*staying, return_exceptions=True)
        for socket in sockets:
            await socket.close()


async def test_a_reload_of_the_proxy_leaves_connections_alone(echo, tmp_path):
    """nginx lets its old worker serve what it has; HAProxy as started here has no such mode."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    with Nginx(tmp_path, backends=[echo.port]) as front:
        async with connect(front.url) as before:
            await exchange(before)
            front.process.send_signal(signal.SIGHUP)
            await asyncio.sleep(0.5)
            await exchange(before)
            async with connect(front.url) as after:
                await exchange(after)
