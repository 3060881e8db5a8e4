"""What the test suites of the SDKs expect of a server, with the configuration that docs/conformance.md gives for them."""

import asyncio
import pathlib
import uuid

import pytest
from messaging import API, Commands
from programs import Server
from tokens import jwt

CONFIGURATION = pathlib.Path(__file__).with_name("sdk-suites.json5")
SECRET, KEY = "secret", "test-api-key"


@pytest.fixture(scope="module")
def server():
    with Server("serve", "--port", 0, "--config", CONFIGURATION) as server:
        yield server


@pytest.fixture
def api(server):
    return API(server, KEY)


def fresh(namespace=""):
    return (f"{namespace}:" if namespace else "") + f"test_{uuid.uuid4().hex[:12]}"


async def test_an_anonymous_client_may_do_everything(server):
    channel = fresh()
    async with Commands.open(server) as it:
        await it.connect()
        assert (await it.call(publish={"channel": channel, "data": {}}))["publish"] == {}
        history = (await it.call(history={"channel": channel, "limit": 100}))["history"]
        assert len(history["publications"]) == 1
        await it.call(subscribe={"channel": channel, "flag": 1})
        assert len((await it.call(presence={"channel": channel}))["presence"]["presence"]) == 1
        assert (await it.call(presence_stats={"channel": channel}))["presence_stats"] == {
            "num_clients": 1, "num_users": 1}
        assert (await it.call(rpc={"method": "method", "data": {}}))["error"]["code"] == 108
        assert (await it.call(subscribe={"channel": "test:test"}))["error"]["code"] == 102


async def test_a_subscription_token_without_user_or_end(server):
    async with Commands.open(server) as it:
        await it.connect()
        token = jwt(SECRET, channel="test1", expires_in=None)
        assert "subscribe" in await it.call(subscribe={"channel": "test1", "token": token})


async def test_commands_sent_along_with_an_expired_token(server):
    """The error is what the SDK has to see; then it comes again with the token that it has fetched meanwhile."""
    async with Commands.open(server) as it:
        await it.send(
            {"id": 1, "connect": {"token": jwt(SECRET, sub="ann", expires_in=-10)}},
            {"id": 2, "subscribe": {"channel": fresh()}})
        assert (await it.next())["error"]["code"] == 109
        reply = await it.call(connect={"token": jwt(SECRET, sub="ann")})
        assert "connect" in reply


async def test_each_recovered_publication_moves_the_client_on(server, api):
    channel = fresh("recovery")
    async with Commands.open(server) as it:
        await it.connect()
        epoch = (await it.call(subscribe={"channel": channel}))["subscribe"]["epoch"]
        await it.call(unsubscribe={"channel": channel})
        for number in (1, 2, 3):
            await asyncio.to_thread(api.publish, channel, number)
        for offset in (0, 1, 2, 3):
            reply = (await it.call(
                subscribe={"channel": channel, "recover": True, "epoch": epoch, "offset": offset}))["subscribe"]
            assert (reply.get("offset", 0), reply["recovered"]) == (offset, True)
            assert [pub["offset"] for pub in reply.get("publications", [])] == list(range(offset + 1, 4))
            await it.call(unsubscribe={"channel": channel})


async def test_a_lost_position_is_an_error_for_those_who_ask(server, api):
    channel = fresh("smallhistory")
    async with Commands.open(server) as it:
        await it.connect()
        epoch = (await it.call(subscribe={"channel": channel}))["subscribe"]["epoch"]
        await it.call(unsubscribe={"channel": channel})
        for number in range(5):
            await asyncio.to_thread(api.publish, channel, number)
        request = {"channel": channel, "recover": True, "epoch": epoch}
        assert (await it.call(subscribe={**request, "flag": 3}))["error"]["code"] == 112
        reply = (await it.call(subscribe={**request, "flag": 1}))["subscribe"]
        assert (reply["was_recovering"], reply.get("recovered", False), reply["offset"]) == (True, False, 5)


async def test_differences(server, api):
    channel = fresh("delta")
    async with Commands.open(server) as it:
        await it.connect()
        assert (await it.call(subscribe={"channel": channel, "delta": "fossil"}))["subscribe"]["delta"] is True
        for number in range(3):
            await asyncio.to_thread(api.publish, channel, {"counter": number, "payload": "a" * 500})
        pushes = [(await it.push())["pub"] for _ in range(3)]
        assert [pub.get("delta", False) for pub in pushes] == [False, True, True]
        assert all(isinstance(pub["data"], str) for pub in pushes)


@pytest.mark.parametrize("code, seen", [(3000, 1000), (3501, 3501), (4501, 4501)])
async def test_the_end_by_the_server(server, api, code, seen):
    name = f"user-{uuid.uuid4().hex}"
    async with Commands.open(server) as it:
        await it.connect(jwt(SECRET, sub=name))
        await asyncio.to_thread(api.call, "disconnect", user=name, disconnect={"code": code, "reason": "test"})
        assert await it.closed() == seen
