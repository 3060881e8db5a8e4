"""`martlet echo --subprotocol` with clients that require one."""

import pytest
from programs import Server, martlet
from websockets.asyncio.client import connect


@pytest.fixture(scope="module")
def speaking():
    with Server("echo", "--port", 0, "--subprotocol", "v1.chat", "--subprotocol", "v2.chat") as server:
        yield server
        server.assert_running()


@pytest.mark.parametrize("offered, chosen", [
    (["v1.chat"], "v1.chat"), (["v2.chat", "v1.chat"], "v2.chat"), (["v3.chat", "v1.chat"], "v1.chat"),
    (["v3.chat"], None), (None, None),
])
async def test_the_first_that_is_spoken(speaking, offered, chosen):
    async with connect(speaking.url, subprotocols=offered, proxy=None) as socket:
        assert socket.subprotocol == chosen
        await socket.send("hello")
        assert await socket.recv() == "hello"


async def test_without_the_flag_none_is_spoken(echo):
    async with connect(echo.url, subprotocols=["v1.chat"], proxy=None) as socket:
        assert socket.subprotocol is None


def test_what_is_no_token():
    done = martlet("echo", "--port", 0, "--subprotocol", "a b")
    assert done.returncode == 2 and "is not a token" in done.stderr
