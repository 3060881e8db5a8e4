"""`martlet echo` with the client of the websockets package."""

import asyncio
import os
import random

import pytest
from websockets.asyncio.client import connect as websockets_connect
from websockets.exceptions import ConnectionClosedError

LIMIT = 1 << 20
SIZES = [0, 1, 2, 124, 125, 126, 127, 128, 65_535, 65_536, 65_537, LIMIT - 1, LIMIT]
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999]


def connect(server, path="/", **options):
    return websockets_connect(
        server.url + path, **{"max_size": None, "compression": None, "proxy": None, "open_timeout": 30, **options}
    )


@pytest.mark.parametrize("size", SIZES)
async def test_binary(echo, size):
    message = os.urandom(size)
    async with connect(echo) as socket:
        await socket.send(message)
        assert await socket.recv() == message


@pytest.mark.parametrize("size", SIZES)
async def test_text(echo, size):
    # A character of four bytes stands across every power of two that a server might cut at.
    message = ("a" * (size % 4)) + "𝄞" * (size // 4)
    assert len(message.encode()) == size
    async with connect(echo) as socket:
        await socket.send(message)
        assert await socket.recv() == message


async def test_text_and_binary_keep_their_kind_and_order(echo):
    async with connect(echo) as socket:
        sent = ["text", b"binary", "", b"", "ünï", b"\xff\x00"]
        for message in sent:
            await socket.send(message)
        assert [await socket.recv() for _ in sent] == sent


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * LIMIT])
async def test_message_over_the_limit_closes_with_1009(echo, size):
    async with connect(echo) as socket:
        with pytest.raises(ConnectionClosedError):
            await socket.send(b"x" * size)
            await socket.recv()
        assert socket.protocol.close_rcvd.code == 1009


async def test_fragments_over_the_limit_close_with_1009(echo):
    async with connect(echo) as socket:
        with pytest.raises(ConnectionClosedError):
            await socket.send([b"x" * (LIMIT // 2)] * 3)
            await socket.recv()
        assert socket.protocol.close_rcvd.code == 1009


@pytest.mark.parametrize("parts", [["a", "b"], ["", "é", ""], ["𝄞" * 1000] * 5, [b"", b""], [b"\x00" * 70_000] * 3])
async def test_fragments_come_back_as_one_message(echo, parts):
    async with connect(echo) as socket:
        await socket.send(parts)
        assert await socket.recv() == type(parts[0])().join(parts)


async def test_control_frames_between_fragments(echo):
    async with connect(echo) as socket:

        async def parts():
            for part in ["one ", "two ", "three"]:
                yield part
                # The pong comes while the message is still incomplete.
                await asyncio.wait_for(await socket.ping(part), 5)

        await socket.send(parts())
        assert await socket.recv() == "one two three"


@pytest.mark.parametrize("size", [0, 1, 124, 125])
async def test_ping_is_answered_with_its_payload(echo, size):
    async with connect(echo) as socket:
        await asyncio.wait_for(await socket.ping(os.urandom(size)), 5)


async def test_many_pings_and_unasked_pongs(echo):
    async with connect(echo) as socket:
        pongs = []
        for number in range(100):
            await socket.pong(b"nobody asked")
            pongs.append(await socket.ping(number.to_bytes(4, "big")))
        await asyncio.wait_for(asyncio.gather(*pongs), 10)
        await socket.send("after")
        assert await socket.recv() == "after"


@pytest.mark.parametrize("code", CODES)
async def test_close_code_is_echoed(echo, code):
    socket = await connect(echo)
    await socket.close(code, "reason" if code % 2 else "")
    assert socket.protocol.close_rcvd.code == code
    assert socket.protocol.close_rcvd_then_sent is False


async def test_close_without_a_code(echo):
    socket = await connect(echo)
    socket.protocol.send_close()
    socket.send_data()
    await socket.wait_closed()
    assert socket.protocol.close_rcvd.code in (1000, 1005)


async def test_no_subprotocol_is_chosen(echo):
    async with connect(echo, subprotocols=["chat", "mqtt"]) as socket:
        assert socket.subprotocol is None
        await socket.send("x")
        assert await socket.recv() == "x"


async def test_offered_compression_is_declined(echo):
    async with connect(echo, compression="deflate") as socket:
        assert socket.protocol.extensions == []
        await socket.send("x" * 1000)
        assert await socket.recv() == "x" * 1000


async def test_two_hundred_connections_at_once(echo):
    randomness = random.Random(1)

    async def talk(number):
        async with connect(echo) as socket:
            messages = [f"{number}:{index}:" + "x" * randomness.randrange(3000) for index in range(20)]
            for message in messages:
                await socket.send(message)
            assert [await socket.recv() for _ in messages] == messages

    await asyncio.gather(*(talk(number) for number in range(200)))


async def test_large_messages_in_both_directions_at_once(echo):
    message = os.urandom(LIMIT)
    async with connect(echo) as socket:

        async def send():
            for _ in range(48):
                await socket.send(message)

        sending = asyncio.create_task(send())
        for _ in range(48):
            assert await asyncio.wait_for(socket.recv(), 30) == message
        await sending


async def test_a_client_that_does_not_read_is_bounded(echo):
    """A client sends 64 MiB and reads nothing: the server must not keep all of it in memory."""
    before = echo.resident_bytes()
    async with connect(echo, max_queue=1, close_timeout=1) as socket:
        message = os.urandom(LIMIT)

        async def send():
            for _ in range(64):
                await socket.send(message)

        with pytest.raises((ConnectionClosedError, TimeoutError)):
            # Ends by time-out where the server stops reading, by a closed connection where it gives up on the client.
            await asyncio.wait_for(send(), 3)
        assert echo.resident_bytes() - before < 24 << 20
        socket.transport.abort()
