"""`martlet serve --deflate`: publications are compressed once for many, and read by other people's implementations."""

import asyncio
import uuid

import pytest
from centrifuge_sdk import client, subscribe
from messaging import API, SECRET, Commands, write_configuration
from programs import Server, martlet
from tokens import jwt

TICKS = [{"symbol": f"S{n}", "price": n * 1.25, "volume": n} for n in range(40)]


@pytest.fixture(scope="module")
def compressing(tmp_path_factory):
    configuration = write_configuration(tmp_path_factory.mktemp("deflate"))
    with Server("serve", "--port", 0, "--deflate", "--config", configuration) as server:
        yield server
        server.assert_running()


@pytest.fixture(scope="module")
def with_context(tmp_path_factory):
    configuration = write_configuration(tmp_path_factory.mktemp("context"))
    settings = {"MARTLET_DEFLATE_ENABLED": "true", "MARTLET_DEFLATE_TAKEOVER": "true"}
    with Server("serve", "--port", 0, "--config", configuration, env=settings) as server:
        yield server
        server.assert_running()


def fresh():
    return f"plain:{uuid.uuid4().hex[:12]}"


def counters(server):
    return API(server).call("info")["nodes"][0]["metrics"]["items"]


async def listen(server, channel, **options):
    """A connection that is subscribed, and the context that closes it."""
    context = Commands.open(server, **options)
    commands = await context.__aenter__()
    await commands.connect(token=jwt(SECRET, sub="ann"))
    await commands.call(subscribe={"channel": channel})
    return context, commands


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_websockets_gets_what_was_published(compressing, compression):
    channel = fresh()
    context, commands = await listen(compressing, channel, compression=compression)
    before = counters(compressing)
    for number in range(3):
        API(compressing).publish(channel, {"n": number, "ticks": TICKS})
        push = await commands.push()
        assert push["pub"]["data"] == {"n": number, "ticks": TICKS}
    extensions = [type(extension).__name__ for extension in commands.socket.protocol.extensions]
    assert extensions == (["PerMessageDeflate"] if compression else [])
    after = counters(compressing)
    difference = {name: after[name] - before[name] for name in after if name.startswith("shared_")}
    assert difference["shared_frames_compressed"] == (3 if compression else 0)
    if compression:
        assert difference["shared_bytes_after_compression"] * 3 < difference["shared_bytes_before_compression"]
    await context.__aexit__(None, None, None)


async def test_many_subscribers_and_one_compression(compressing):
    channel = fresh()
    opened = await asyncio.gather(*(listen(compressing, channel, compression="deflate") for _ in range(100)))
    before = counters(compressing)
    API(compressing).publish(channel, TICKS)
    for _, commands in opened:
        assert (await commands.push())["pub"]["data"] == TICKS
    after = counters(compressing)
    assert after["shared_frames_compressed"] - before["shared_frames_compressed"] == 1
    for context, _ in opened:
        await context.__aexit__(None, None, None)


async def test_context_takeover(with_context):
    """The second publication refers to the first: fewer bytes arrive for it."""
    channel = fresh()
    context, commands = await listen(with_context, channel, compression="deflate")
    for _ in range(3):
        API(with_context).publish(channel, TICKS)
        assert (await commands.push())["pub"]["data"] == TICKS
    assert counters(with_context)["shared_frames_compressed"] == 0
    await context.__aexit__(None, None, None)


async def test_commands_and_history_are_compressed_too(compressing):
    channel = f"chat:{uuid.uuid4().hex[:12]}"
    context, commands = await listen(compressing, channel, compression="deflate")
    await commands.call(publish={"channel": channel, "data": TICKS})
    reply = await commands.call(history={"channel": channel, "limit": 10})
    assert [publication["data"] for publication in reply["history"]["publications"]] == [TICKS]
    await context.__aexit__(None, None, None)


@pytest.mark.parametrize("server", ["compressing", "with_context"])
async def test_centrifuge_python(server, request):
    """centrifuge-python speaks through `websockets`, which offers permessage-deflate unasked."""
    server = request.getfixturevalue(server)
    channel = fresh()
    async with client(server.websocket, jwt(SECRET, sub="ann")) as (it, log):
        await log.next("connected")
        subscription, log = await subscribe(it, channel)
        for number in range(20):
            await subscription.publish({"n": number, "ticks": TICKS})
        data = [data for _, data in await log.publications(20)]
        assert data == [{"n": number, "ticks": TICKS} for number in range(20)]


def test_settings_are_checked():
    for variable, value in [("LEVEL", "10"), ("LEVEL", "0"), ("WINDOW_BITS", "7"), ("WINDOW_BITS", "16")]:
        done = martlet("serve", "--port", 0, env={f"MARTLET_DEFLATE_{variable}": value})
        assert done.returncode == 2 and f"MARTLET_DEFLATE_{variable}" in done.stderr
