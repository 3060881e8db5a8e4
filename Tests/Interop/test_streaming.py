"""Messages of any size, piece by piece, with PyPI's websockets at the other end of `martlet echo --stream`."""

import asyncio
import hashlib

import pytest
import websockets
from programs import Server

PIECE = bytes(range(256)) * 256
MEBIBYTE = 1 << 20


@pytest.fixture(scope="module")
def streaming_echo():
    with Server("echo", "--stream", "--deflate", "--loops", 1, "--port", 0) as server:
        yield server
        server.assert_running()


def connect(server, **options):
    return websockets.connect(f"ws://127.0.0.1:{server.port}/", max_size=None, proxy=None, **options)


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_a_large_message_in_constant_memory(streaming_echo, compression):
    pieces = 64 * 16 if compression is None else 24 * 16
    async with connect(streaming_echo, compression=compression) as socket:
        before = streaming_echo.resident_bytes()
        largest = 0
        expected, received = hashlib.sha256(), hashlib.sha256()

        async def parts():
            for _ in range(pieces):
                expected.update(PIECE)
                yield PIECE

        sending = asyncio.create_task(socket.send(parts()))
        count = 0
        async for part in socket.recv_streaming():
            received.update(part)
            count += len(part)
            largest = max(largest, streaming_echo.resident_bytes())
        await sending
        assert count == pieces * len(PIECE)
        assert received.digest() == expected.digest()
        # The message has dozens of MiB; what the server holds of it is queues and buffers.
        assert largest - before < 8 * MEBIBYTE


async def test_a_client_that_does_not_read_is_held_back(streaming_echo):
    async with connect(streaming_echo, compression=None, max_queue=1) as socket:
        before = streaming_echo.resident_bytes()
        sent = 0

        async def parts():
            nonlocal sent
            while True:
                sent += len(PIECE)
                yield PIECE

        sending = asyncio.create_task(socket.send(parts()))
        last = -1
        while sent != last:
            last = sent
            await asyncio.sleep(0.3)
        assert streaming_echo.resident_bytes() - before < 8 * MEBIBYTE
        sending.cancel()


async def test_whole_and_fragmented_messages_and_pings_mix(streaming_echo):
    async with connect(streaming_echo, compression=None) as socket:
        await socket.send(["Hä", "", "llo"])
        await socket.send("whole")
        await asyncio.wait_for(await socket.ping(), 5)
        await socket.send([b"\x00", b"\x01\x02"])
        assert await socket.recv() == "Hällo"
        assert await socket.recv() == "whole"
        assert await socket.recv() == b"\x00\x01\x02"


async def test_text_that_is_not_utf8_is_found_in_the_middle(streaming_echo):
    async with connect(streaming_echo, compression=None) as socket:
        await socket.send([b"good", b"\xff"], text=True)
        with pytest.raises(websockets.ConnectionClosed) as error:
            while True:
                await socket.recv()
        assert error.value.rcvd.code == 1007
