"""Other people's implementations, each as client of `martlet echo` and as server of the library's client."""

import asyncio
import os

import pytest
from echo_client import echo_client
from peers import PEERS, Websockets
from programs import Server, martlet

LIMIT = 1 << 20
MESSAGES = ["", b"", "a", b"\0", "ünï ☃ 𝄞", bytes(range(256))]
MESSAGES += [os.urandom(size) for size in (125, 126, 127, 65_535, 65_536, 65_537)]
MESSAGES += ["x" * 125, "é" * 63, "𝄞" * 20_000]


@pytest.fixture(params=PEERS, ids=lambda peer: peer.name)
def peer(request):
    return request.param


# Their client, Martlet's server


async def test_messages_come_back(echo, peer):
    async with peer.connect(echo.url) as socket:
        for message in [*MESSAGES, os.urandom(LIMIT)]:
            await socket.send(message)
            assert await socket.receive() == message


async def test_many_messages_keep_their_order(echo, peer):
    async with peer.connect(echo.url) as socket:
        for number in range(1_000):
            await socket.send(str(number) if number % 2 else number.to_bytes(4, "big"))
        for number in range(1_000):
            assert await socket.receive() == (str(number) if number % 2 else number.to_bytes(4, "big"))


async def test_ping(echo, peer):
    async with peer.connect(echo.url) as socket:
        for payload in (b"", b"x", os.urandom(125)):
            await socket.ping(payload)


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
async def test_close(echo, peer, code):
    async with peer.connect(echo.url) as socket:
        assert await socket.close(code, "enough") == code


async def test_message_over_the_limit(echo, peer):
    async with peer.connect(echo.url) as socket:
        await socket.send(b"x" * (LIMIT + 1))
        assert await socket.closing() == 1009


async def test_no_subprotocol_is_invented(echo, peer):
    async with peer.connect(echo.url, subprotocols=["one", "two"]) as socket:
        assert socket.subprotocol is None
        await socket.send("x")
        assert await socket.receive() == "x"


async def test_compression_is_declined_unless_asked_for(echo, peer):
    async with peer.connect(echo.url, compress=True) as socket:
        assert not socket.is_compressed
        await socket.send("x" * 1_000)
        assert await socket.receive() == "x" * 1_000


@pytest.fixture(scope="module")
def compressing():
    with Server("echo", "--port", 0, "--deflate") as server:
        yield server


# Compressible and not, small and as large as it may be, inflated.
COMPRESSIBLE = ["", "a", "martlet " * 1_000, "x" * LIMIT, bytes(LIMIT), os.urandom(LIMIT), "☃" * 300_000, *MESSAGES]


@pytest.mark.parametrize("peer", PEERS[:2], ids=lambda peer: peer.name)
async def test_compressed_messages_come_back(compressing, peer):
    async with peer.connect(compressing.url, compress=True) as socket:
        assert socket.is_compressed
        for message in COMPRESSIBLE:
            await socket.send(message)
            assert await socket.receive() == message
        await socket.send(bytes(LIMIT + 1))
        assert await socket.closing() == 1009


async def test_shutdown_closes_with_1001(peer):
    with Server("echo", "--port", 0) as server:
        async with peer.connect(server.url) as socket:
            await socket.send("x")
            assert await socket.receive() == "x"
            server.process.terminate()
            assert await socket.closing() == 1001
        assert await asyncio.to_thread(server.process.wait, 10) == 0
        server.assert_running = lambda: None


# Their server, Martlet's client


async def served(peer, talk, *flags, **options):
    """Lets the client run against their server; what it did, and what `talk` returned."""
    done = asyncio.get_running_loop().create_future()

    async def once(socket):
        try:
            done.set_result(await talk(socket))
        except BaseException as error:
            if not done.done():
                done.set_exception(error)

    async with peer.serve(once, **options) as port:
        client = await echo_client(f"ws://127.0.0.1:{port}/", *flags)
        return client, await asyncio.wait_for(done, 10)


async def test_client_sends_messages_back(peer):
    async def talk(socket):
        for message in [*MESSAGES, os.urandom(LIMIT), "☃" * (1 << 20)]:
            await socket.send(message)
            assert await socket.receive() == message
        return await socket.close(4_000, "the end")

    client, code = await served(peer, talk)
    assert code == 4_000 and client.closed == (4_000, "the end")
    assert client.error == "closedAbnormally"


async def test_client_keeps_order(peer):
    async def talk(socket):
        for number in range(1_000):
            await socket.send(str(number))
        for number in range(1_000):
            assert await socket.receive() == str(number)
        return await socket.close()

    client, code = await served(peer, talk)
    assert code == 1000 and client.closed == (1000, "") and client.error is None


async def test_client_answers_pings(peer):
    async def talk(socket):
        for payload in (b"", b"x", os.urandom(125)):
            await socket.ping(payload)
        await socket.close()

    await served(peer, talk)


async def test_client_takes_the_subprotocol_that_the_server_chose(peer):
    async def talk(socket):
        assert socket.subprotocol == "two"
        await socket.close()

    client, _ = await served(
        peer, talk, "--subprotocol", "one", "--subprotocol", "two", subprotocols=["two"])
    assert client.subprotocol == "two"


async def test_client_tells_a_lost_connection(peer):
    async def talk(socket):
        await socket.send("x")
        assert await socket.receive() == "x"
        socket.abort()

    client, _ = await served(peer, talk)
    assert client.error == "closedAbnormally" and client.closed[0] == 1006


@pytest.mark.parametrize("kind", ["standard", "context"])
@pytest.mark.parametrize("peer", PEERS[:2], ids=lambda peer: peer.name)
async def test_client_sends_compressed_messages_back(peer, kind):
    async def talk(socket):
        assert socket.is_compressed
        for message in COMPRESSIBLE:
            await socket.send(message)
            assert await socket.receive() == message
        return await socket.close()

    client, _ = await served(peer, talk, "--deflate", kind, compress=True)
    assert client.closed == (1000, "")


@pytest.mark.parametrize("kind", ["standard", "context"])
async def test_client_whose_offer_is_declined(peer, kind):
    async def talk(socket):
        assert not socket.is_compressed
        await socket.send("x" * 1_000)
        assert await socket.receive() == "x" * 1_000
        return await socket.close()

    await served(peer, talk, "--deflate", kind)


async def test_connect_command(peer):
    async def talk(socket):
        assert await socket.receive() == "hello"
        await socket.send("wörld")
        await socket.send(b"\x01\xff")
        return await socket.closing()

    done = asyncio.get_running_loop().create_future()

    async def once(socket):
        done.set_result(await talk(socket))

    async with peer.serve(once) as port:
        ended = await asyncio.to_thread(martlet, "connect", f"ws://127.0.0.1:{port}/", input="hello\n")
        assert await asyncio.wait_for(done, 10) == 1000
    assert (ended.returncode, ended.stdout.splitlines()) == (0, ["wörld", "Af8="])


async def test_client_joins_fragments():
    async def talk(socket):
        for parts in (["a", "b"], ["", "é", ""], ["𝄞" * 1_000] * 50, [b"", b""], [b"\0" * 70_000] * 3):
            await socket.send_fragments(parts)
            assert await socket.receive() == type(parts[0])().join(parts)
        await socket.close()

    await served(Websockets(), talk)
