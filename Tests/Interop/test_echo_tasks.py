"""`martlet echo --tasks`, which serves by async/await, with the client of the websockets package."""

import asyncio
import os

import pytest
from programs import Server
from websockets.asyncio.client import connect

LIMIT = 1 << 20
SIZES = [0, 1, 125, 126, 65_535, 65_536, LIMIT - 1, LIMIT]


@pytest.fixture(scope="module")
def server():
    with Server("echo", "--tasks", "--loops", 1, "--port", 0) as server:
        yield server
        server.assert_running()


def client(server):
    return connect(server.url, max_size=None, compression=None, proxy=None, open_timeout=30)


@pytest.mark.parametrize("size", SIZES)
async def test_messages_come_back(server, size):
    data, text = os.urandom(size), "a" * (size % 4) + "𝄞" * (size // 4)
    async with client(server) as socket:
        await socket.send(data)
        await socket.send(text)
        assert await socket.recv() == data
        assert await socket.recv() == text


@pytest.mark.parametrize(("count", "size"), [(2_000, 64), (200, 65_536)])
async def test_much_at_a_time_on_many_connections_keeps_its_order(server, count, size):
    """More than the server takes before its answers are read."""

    async def exchange(name):
        sent = [f"{name} {number} ".ljust(size, "x") for number in range(count)]
        async with client(server) as socket:
            async def send():
                for message in sent:
                    await socket.send(message)

            sending = asyncio.create_task(send())
            await asyncio.sleep(0)
            assert [await socket.recv() for _ in sent] == sent
            await sending

    await asyncio.gather(*(exchange(name) for name in range(8)))


async def test_what_came_before_the_close_is_answered(server):
    async with client(server) as socket:
        for number in range(100):
            await socket.send(str(number))
        closing = asyncio.create_task(socket.close())
        assert [message async for message in socket] == [str(number) for number in range(100)]
        await closing
    assert socket.protocol.close_rcvd.code == 1000
