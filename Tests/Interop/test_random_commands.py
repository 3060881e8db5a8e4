"""Random commands from fixed seeds, whole and mutated, from clients that come and go: the server survives, forgets them
all, and serves others meanwhile."""

import asyncio
import contextlib
import json
import random

import pytest
from messaging import SECRET, Commands
from tokens import jwt
from websockets.exceptions import ConnectionClosed

CHANNELS = ["chat:a", "chat:b", "short:a", "plain:a", "closed:a", "$chat:a", "users:a#ann,bob", "nowhere:a", "", "chat:" + "x" * 300]


def random_command(randomness, identifier):
    channel = randomness.choice(CHANNELS)
    position = {"epoch": randomness.choice(["", "x"]), "offset": randomness.choice([0, 1, 5, 1 << 40])}
    token = jwt(SECRET, sub=randomness.choice(["ann", "bob"]), channel=channel)
    body = randomness.choice(
        [
            {"subscribe": {"channel": channel, "recoverable": True, "join_leave": True}},
            {"subscribe": {"channel": channel, "recover": True, "flag": randomness.randrange(4), **position}},
            {"subscribe": {"channel": channel, "token": token}},
            {"unsubscribe": {"channel": channel}},
            {"publish": {"channel": channel, "data": {"n": randomness.random()}}},
            {"presence": {"channel": channel}},
            {"presence_stats": {"channel": channel}},
            {"history": {"channel": channel, "limit": randomness.randrange(-2, 5), "reverse": randomness.random() < 0.5}},
            {"history": {"channel": channel, "limit": 3, "since": position}},
            {"sub_refresh": {"channel": channel, "token": token}},
            {"refresh": {"token": jwt(SECRET, sub="ann")}},
            {"rpc": {"method": "x", "data": {}}},
            {"send": {"data": 1}},
            {"ping": {}},
            {},
        ]
    )
    return {"id": identifier, **body} if body else {}


def mutated(randomness, text):
    text = list(text)
    for _ in range(randomness.randrange(1, 4)):
        position = randomness.randrange(len(text))
        text[position : position + randomness.randrange(3)] = randomness.choice(
            ["", '"', "{", "}", "[", "]", ",", ":", "\\", "0", "-", "e", "\n", "\t", "\x00", "é", "null", "true", "1e999"]
        )
    return "".join(text)


async def misbehave(serve, seed):
    randomness = random.Random(seed)
    async with Commands.open(serve) as it:
        with contextlib.suppress(ConnectionClosed):
            commands = [random_command(randomness, 2 + number) for number in range(randomness.randrange(1, 40))]
            lines = [json.dumps(command) for command in commands]
            if seed % 3 == 0:
                lines = [mutated(randomness, line) if randomness.random() < 0.2 else line for line in lines]
            connecting = json.dumps({"id": 1, "connect": {"token": jwt(SECRET, sub="ann", channels=["closed:b"])}})
            lines.insert(0 if seed % 5 else randomness.randrange(len(lines)), connecting)
            while lines:
                count = randomness.randrange(1, 12)
                await it.send(*lines[:count])
                del lines[:count]
            if seed % 2:
                for _ in range(randomness.randrange(10)):
                    await asyncio.wait_for(it.socket.recv(), 0.2)
        if seed % 4:
            it.socket.transport.abort()


@pytest.mark.parametrize("seed", range(5))
async def test_random_commands(serve, api, seed):
    async def watch():
        """A client that behaves is served meanwhile."""
        async with Commands.open(serve) as it:
            await it.connect(jwt(SECRET, sub="watcher"))
            assert "subscribe" in await it.call(subscribe={"channel": f"plain:watch-{seed}"})
            for number in range(30):
                assert "publish" in await it.call(publish={"channel": f"plain:watch-{seed}", "data": number})
                assert (await it.push())["pub"]["data"] == number

    async def tolerate(number):
        with contextlib.suppress(TimeoutError):
            await misbehave(serve, number)

    await asyncio.gather(watch(), *(tolerate(seed * 100 + number) for number in range(100)))
    # Everybody else has gone: no subscription and no presence may be left.
    async with asyncio.timeout(10):
        while True:
            left = await asyncio.to_thread(api.call, "channels")
            if not any(channel["num_clients"] for channel in left["channels"].values()):
                break
            await asyncio.sleep(0.05)
    for channel in ["chat:a", "chat:b", "$chat:a"]:
        presence = await asyncio.to_thread(api.call, "presence_stats", channel=channel)
        assert presence == {"num_clients": 0, "num_users": 0}
    assert (await asyncio.to_thread(api.call, "info"))["nodes"][0]["num_clients"] == 0


async def test_server_and_client_end_subscriptions_at_once(serve, api):
    """A backend unsubscribes, subscribes and disconnects users while they do the same."""
    name = "restless"

    async def client(number):
        randomness = random.Random(number)
        for _ in range(15):
            async with Commands.open(serve) as it:
                with contextlib.suppress(ConnectionClosed):
                    await it.send({"id": 1, "connect": {"token": jwt(SECRET, sub=name)}})
                    for identifier in range(2, 12):
                        command = randomness.choice(["subscribe", "unsubscribe"])
                        await it.send({"id": identifier, command: {"channel": "chat:restless"}})
                        await asyncio.sleep(0)

    async def backend():
        for number in range(150):
            method = ["unsubscribe", "subscribe", "disconnect"][number % 3]
            await asyncio.to_thread(api.call, method, user=name, channel="chat:restless")

    await asyncio.gather(backend(), *(client(number) for number in range(8)))
    async with asyncio.timeout(10):
        while (await asyncio.to_thread(api.call, "presence_stats", channel="chat:restless"))["num_clients"]:
            await asyncio.sleep(0.05)
