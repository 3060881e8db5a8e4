"""Many connections at once, coming and going, each kind of server in a process of its own."""

import asyncio
import contextlib
import pathlib
import subprocess
import sys
import time

import pytest
from messaging import API_KEY, API, Commands
from programs import Server
from websockets.asyncio.client import connect as websockets_connect

CONNECTIONS = 10_000
# What the server may need for an idle connection, in bytes of resident memory.
BYTES_PER_CONNECTION = 3 * 1024


class IdleClients:
    """The process of idle_clients.py."""

    def __init__(self, port, kind):
        script = pathlib.Path(__file__).with_name("idle_clients.py")
        self.process = subprocess.Popen(
            [sys.executable, str(script), str(port), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def running(kind):
    arguments = ["serve", "--demo"] if kind == "serve" else ["echo"]
    with Server(*arguments, "--port", 0, env={"MARTLET_API_KEYS": API_KEY, "MARTLET_DRAIN_SECONDS": "0"}) as server:
        with IdleClients(server.port, kind) as clients:
            yield server, clients
            assert clients.process.poll() is None


def wait_for_descriptors(server, count):
    deadline = time.monotonic() + 20
    while server.open_descriptors() > count:
        assert time.monotonic() < deadline, f"{server.open_descriptors()} descriptors are still open"
        time.sleep(0.05)


async def echo_load(server):
    async def talk(number):
        async with websockets_connect(server.url, compression=None, proxy=None, open_timeout=30) as socket:
            for index in range(100):
                message = f"{number}:{index}" + "x" * (index * 37)
                await socket.send(message)
                assert await asyncio.wait_for(socket.recv(), 10) == message

    await asyncio.gather(*(talk(number) for number in range(50)))


async def chat_load(server):
    """Fifty subscribers of one channel, a backend that publishes."""
    api, channel = API(server), "news:load"
    async with contextlib.AsyncExitStack() as stack:
        subscribers = [await stack.enter_async_context(Commands.open(server)) for _ in range(50)]
        for it in subscribers:
            await it.connect()
            assert "subscribe" in await it.call(subscribe={"channel": channel})

        async def publish():
            for number in range(100):
                await asyncio.to_thread(api.publish, channel, number)

        async def read(it):
            return [(await it.push())["pub"]["data"] for _ in range(100)]

        _, *seen = await asyncio.gather(publish(), *(read(it) for it in subscribers))
    assert all(one == list(range(100)) for one in seen)


@pytest.mark.parametrize("kind", ["echo", "serve"])
def test_ten_thousand_idle_connections_and_load_beside_them(kind):
    with running(kind) as (server, clients):
        clients.ask("open 100")
        before = server.resident_bytes()
        assert clients.ask(f"open {CONNECTIONS - 100}") == f"opened {CONNECTIONS}"
        grown = server.resident_bytes() - before
        print(f"{kind}: {grown / (CONNECTIONS - 100):.0f} bytes of resident memory a connection")
        assert grown < BYTES_PER_CONNECTION * CONNECTIONS
        asyncio.run(echo_load(server) if kind == "echo" else chat_load(server))
        assert clients.ask("round") == f"answered {CONNECTIONS}"
        assert server.resident_bytes() - before < 2 * BYTES_PER_CONNECTION * CONNECTIONS
        descriptors = server.open_descriptors()
        assert clients.ask("close") == f"closed {CONNECTIONS}"
        wait_for_descriptors(server, descriptors - CONNECTIONS + 10)


@pytest.mark.parametrize("kind", ["echo", "serve"])
def test_memory_is_flat_while_connections_come_and_go(kind):
    """Four times 5,000 connections; after the first round, memory must not grow by more than 1 MiB a round."""
    with running(kind) as (server, clients):
        descriptors, resident = server.open_descriptors(), []
        for _ in range(4):
            assert clients.ask("open 5000") == "opened 5000"
            assert clients.ask("round") == "answered 5000"
            assert clients.ask("close") == "closed 5000"
            wait_for_descriptors(server, descriptors + 10)
            resident.append(server.resident_bytes())
        print(f"{kind}: resident after each round: {[size >> 10 for size in resident]} KiB")
        assert resident[-1] - resident[0] < 3 << 20
