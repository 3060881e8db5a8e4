"""The client protocol of `martlet serve`, command by command, including what no SDK would send."""

import asyncio
import json
import re
import time
import uuid

import pytest
from messaging import SECRET, Commands, write_configuration
from programs import Server
from tokens import jwt
from websockets.exceptions import InvalidStatus


def token(user="ann", **claims):
    return jwt(SECRET, sub=user, **claims)


def fresh(namespace="chat"):
    return f"{namespace}:{uuid.uuid4().hex[:12]}"


# Connecting


async def test_connect_reply(serve):
    async with Commands.open(serve) as it:
        reply = await it.connect(token())
        assert uuid.UUID(reply["client"])
        assert reply["version"]
        assert (reply["ping"], reply["pong"]) == (25, True)
        assert reply["expires"] is True and 590 <= reply["ttl"] <= 600


async def test_a_token_without_an_end_is_refused(serve):
    async with Commands.open(serve) as it:
        await it.send({"id": 1, "connect": {"token": token(expires_in=None)}})
        assert await it.closed() == 3500


async def test_connect_reply_for_a_token_without_an_end(tmp_path):
    with Server(
        "serve", "--port", 0, "--config", write_configuration(tmp_path), env={"MARTLET_TOKEN_REQUIRE_EXPIRY": "false"}
    ) as server:
        async with Commands.open(server) as it:
            reply = await it.connect(token(expires_in=None))
            assert not reply.get("expires") and not reply.get("ttl")


async def test_expired_token(serve):
    async with Commands.open(serve) as it:
        assert (await it.call(connect={"token": token(expires_in=-1)}))["error"]["code"] == 109


@pytest.mark.parametrize(
    "command", ["subscribe", "publish", "presence", "history", "unsubscribe", "presence_stats", "rpc", "refresh"]
)
async def test_command_before_connect(serve, command):
    async with Commands.open(serve) as it:
        await it.send({"id": 1, command: {"channel": "chat:x", "data": 1}})
        assert await it.closed() == 3501


async def test_second_connect(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"id": 2, "connect": {"token": token()}})
        assert await it.closed() == 3501


async def test_connect_and_more_in_one_frame(serve):
    channel = fresh()
    async with Commands.open(serve) as it:
        await it.send(
            {"id": 1, "connect": {"token": token()}},
            {"id": 2, "subscribe": {"channel": channel}},
            {"id": 3, "publish": {"channel": channel, "data": 1}},
        )
        assert "connect" in await it.reply(1)
        assert "subscribe" in await it.reply(2)
        assert "publish" in await it.reply(3)
        assert (await it.push())["pub"]["data"] == 1


async def test_no_connect_command_in_time(tmp_path):
    """Silent clients are sent away after limits.connect_seconds, and those that do not answer pings with 3012."""
    path = write_configuration(tmp_path, "connect_seconds: 1, ping_seconds: 2, pong_seconds: 1")
    with Server("serve", "--port", 0, "--config", path) as server:
        async with Commands.open(server) as silent, Commands.open(server) as deaf, Commands.open(server) as good:
            connected = await deaf.connect(token())
            assert connected["ping"] == 2
            await good.connect(token())
            assert await silent.closed(5) == 3502

            async def do_not_answer():
                assert await deaf.next() == {}
                assert await deaf.closed(5, answers_pings=False) == 3012

            async def answer():
                for _ in range(8):  # `call` answers pings that come before its reply.
                    assert "error" not in await good.call(ping={})
                    await asyncio.sleep(0.5)

            await asyncio.gather(do_not_answer(), answer())


# Not the protocol


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "nonsense",
        "[]",
        "1",
        '"text"',
        "null",
        '{"id":1,"connect":{}}x',
        '{"id":1,"connect":[]}',
        '{"id":"one","connect":{}}',
        '{"id":-1,"connect":{}}',
        '{"id":1.5,"connect":{}}',
        '{"id":99999999999999999999,"connect":{}}',
        '{"id":1,"connect":{"token":5}}',
        '{"id":1,"connect":{"token":"\\ud83d"}}',
        '{"id":1,"connect":{"token":"a\tb"}}',
        '{"connect":{}}',
        "{}{}",
        "{'id':1}",
        '{"id":1,"connect":{},}',
        '{"id":01,"connect":{}}',
    ],
)
async def test_text_that_is_no_command(serve, text):
    async with Commands.open(serve) as it:
        await it.send(text)
        # An anonymous connect that could be read is refused with a code of its own.
        assert await it.closed() in (3501, 3500)


async def test_text_that_is_no_command_after_connecting(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send("nonsense")
        assert await it.closed() == 3501


@pytest.mark.parametrize("count", [0, 1, 20])
async def test_text_that_is_no_command_behind_others(serve, count):
    """The commands before it are under way, or wait for one another, when it ends the connection."""
    async with Commands.open(serve) as it:
        subscriptions = [{"id": 2 + number, "subscribe": {"channel": fresh()}} for number in range(count)]
        await it.send({"id": 1, "connect": {"token": token()}}, *subscriptions, "nonsense", *subscriptions)
        assert await it.closed() == 3501


async def test_deep_nesting(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        deep = "[" * 30_000 + "]" * 30_000
        await it.send('{"id":2,"publish":{"channel":"chat:x","data":' + deep + "}}")
        assert await it.closed() == 3501


async def test_nesting_of_100_000_is_over_the_size_of_a_message(serve):
    async with Commands.open(serve) as it:
        await it.send("[" * 100_000)
        assert await it.closed() == 1009


async def test_unknown_command(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"id": 2, "frobnicate": {}})
        try:
            answer = await it.next()
        except Exception:
            assert await it.closed() == 3501
        else:
            assert answer["error"]["code"] in (104, 107)


async def test_unknown_members_are_ignored(serve):
    """A newer client may send what this server does not know."""
    async with Commands.open(serve) as it:
        reply = await it.call(connect={"token": token(), "later": {"a": [1]}}, also="this")
        assert reply["connect"]["client"]
        reply = await it.call(subscribe={"channel": fresh(), "flag": 1, "delta": "", "unheard": [1, {}]})
        assert "subscribe" in reply


async def test_command_without_an_identifier(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"subscribe": {"channel": "chat:x"}})
        assert await it.closed() == 3501


async def test_send_needs_no_identifier(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"send": {"data": {"to": "nobody"}}})
        assert "error" not in await it.call(ping={})


async def test_pongs_and_blank_lines_are_fine(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.socket.send('{}\n\n{"id":2,"ping":{}}\n')
        assert "error" not in await it.reply(2)


async def test_binary_frames_do_not_disturb(serve):
    async with Commands.open(serve) as it:
        await it.socket.send(b"\x00\xff\xfe")
        assert await it.closed() in (1003, 3501)


async def test_no_other_subprotocol_is_promised(serve):
    async with Commands.open(serve, subprotocols=["unknown"]) as it:
        assert it.socket.subprotocol is None
        assert "client" in await it.connect(token())


# Who may connect from where


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://127.0.0.1", "null"]
)
async def test_foreign_origin(serve, origin):
    with pytest.raises(InvalidStatus) as refused:
        async with Commands.open(serve, origin=origin.format(port=serve.port)):
            pass
    assert refused.value.response.status_code == 403


async def test_own_origin(serve):
    async with Commands.open(serve, origin=f"http://127.0.0.1:{serve.port}") as it:
        assert "client" in await it.connect(token())


# Subscribing and publishing


async def test_subscribe_reply(serve, api):
    channel = fresh()
    async with Commands.open(serve) as it:
        await it.connect(token())
        api.publish(channel, "before")
        reply = await it.call(subscribe={"channel": channel, "recoverable": True, "positioned": True})
        subscribed = reply["subscribe"]
        assert subscribed["recoverable"] is True and subscribed["positioned"] is True
        assert subscribed["offset"] == 1 and subscribed["epoch"]
        position = api.publish(channel, "after", tags={"a": "b"})
        push = await it.push()
        assert push == {"channel": channel, "pub": {"data": "after", "offset": 2, "tags": {"a": "b"}}}
        assert position == {"offset": 2, "epoch": subscribed["epoch"]}


async def test_recover(serve, api):
    channel = fresh("short")
    async with Commands.open(serve) as it:
        await it.connect(token())
        for number in range(1, 6):
            epoch = api.publish(channel, number)["epoch"]

        async def recover(offset, epoch=epoch, flag=0):
            reply = await it.call(
                subscribe={"channel": channel, "recover": True, "epoch": epoch, "offset": offset, "flag": flag}
            )
            if "subscribe" in reply:
                assert "unsubscribe" in await it.call(unsubscribe={"channel": channel})
                reply = reply["subscribe"]
                return reply.get("recovered", False), [pub["offset"] for pub in reply.get("publications", [])]
            return reply["error"]["code"]

        assert await recover(5) == (True, [])
        assert await recover(4) == (True, [5])
        assert await recover(2) == (True, [3, 4, 5])
        assert await recover(1) == (False, [])
        assert await recover(0) == (False, [])
        assert await recover(6) == (False, [])
        assert await recover(4, "another") == (False, [])
        assert await recover(1, flag=2) == 112
        assert await recover(4, "another", flag=2) == 112
        assert await recover(4, flag=2) == (True, [5])
        assert await recover((1 << 64) - 1) == (False, [])


async def test_subscribe_twice(serve):
    channel = fresh()
    async with Commands.open(serve) as it:
        await it.connect(token())
        assert "subscribe" in await it.call(subscribe={"channel": channel})
        assert (await it.call(subscribe={"channel": channel}))["error"]["code"] == 105


@pytest.mark.parametrize(
    "channel, code",
    [
        ("closed:x", 103),
        ("nowhere:x", 102),
        ("nowhere", 102),
        ("chat:" + "x" * 251, 107),
        ("chat:a\nb", 107),
        ("chat:a\x7fb", 107),
        ("chat:\0", 107),
    ],
)
async def test_channels_that_cannot_be_subscribed_to(serve, channel, code):
    async with Commands.open(serve) as it:
        await it.connect(token())
        reply = await it.call(subscribe={"channel": channel})
        assert reply["error"]["code"] == code and reply["error"]["message"]


async def test_the_longest_channel_name(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        assert "subscribe" in await it.call(subscribe={"channel": "chat:" + "é" * 125})


async def test_the_129th_channel(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        prefix = fresh()
        for number in range(128):
            assert "subscribe" in await it.call(subscribe={"channel": f"{prefix}-{number}"})
        assert (await it.call(subscribe={"channel": f"{prefix}-128"}))["error"]["code"] == 106
        assert "unsubscribe" in await it.call(unsubscribe={"channel": f"{prefix}-0"})
        assert "subscribe" in await it.call(subscribe={"channel": f"{prefix}-128"})


async def test_publish_without_a_subscription(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        assert (await it.call(publish={"channel": fresh(), "data": 1}))["error"]["code"] == 103
        assert "publish" in await it.call(publish={"channel": fresh("plain"), "data": 1})
        assert (await it.call(publish={"channel": fresh("closed"), "data": 1}))["error"]["code"] == 103


async def test_publish_without_data(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"id": 2, "publish": {"channel": fresh("plain")}})
        assert await it.closed() == 3501


@pytest.mark.parametrize("method", ["subscribe", "unsubscribe", "presence", "presence_stats", "history"])
async def test_commands_without_a_channel(serve, method):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"id": 2, method: {"channel": ""}})
        assert await it.closed() == 3501


async def test_publish_over_64_kib(serve):
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.send({"id": 2, "publish": {"channel": fresh("plain"), "data": "x" * 65_536}})
        assert await it.closed() == 1009


async def test_data_is_passed_on_as_it_was_written(serve):
    """The server does not read numbers: what a double cannot hold goes through."""
    channel = fresh("plain")
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.call(subscribe={"channel": channel})
        raw = '{"id":3,"publish":{"channel":"%s","data":{"n":1.10,"big":123456789012345678901234567890,"s":"\\u0041"}}}'
        await it.send(raw % channel)
        frames = []
        while not any("push" in frame for frame in frames):
            frames.append(await asyncio.wait_for(it.socket.recv(), 10))
        assert re.search(r'"n":\s?1\.10,"big":\s?123456789012345678901234567890', "".join(frames))


async def test_newlines_in_data_do_not_break_lines(serve):
    channel = fresh("plain")
    async with Commands.open(serve) as it:
        await it.connect(token())
        await it.call(subscribe={"channel": channel})
        # White space between tokens is allowed in JSON, a newline too; it must not end a push early.
        await it.socket.send(json.dumps({"id": 3, "publish": {"channel": channel, "data": {"a": [1, 2]}}}))
        assert (await it.push())["pub"]["data"] == {"a": [1, 2]}


async def test_what_the_token_does_not_allow_is_denied(serve):
    channel = fresh("closed")
    async with Commands.open(serve) as it:
        await it.connect(token())
        for command in ("presence", "presence_stats", "history"):
            assert (await it.call(**{command: {"channel": channel}}))["error"]["code"] in (103, 108)


# Ends


async def test_connection_that_is_not_refreshed_ends(serve):
    async with Commands.open(serve) as it:
        connected = await it.connect(token(expires_in=1))
        assert connected["expires"] is True and connected["ttl"] <= 1
        # The server waits 25 s for a client that is late, and no longer: pings in between do not prolong it.
        started = time.monotonic()
        assert await it.closed(45) == 3005
        assert 24 < time.monotonic() - started < 28


async def test_refresh(serve):
    async with Commands.open(serve) as it:
        await it.connect(token(expires_in=60))
        refreshed = await it.call(refresh={"token": token(expires_in=500)})
        assert refreshed["refresh"]["expires"] is True and 480 < refreshed["refresh"]["ttl"] <= 500


async def test_refresh_with_the_token_of_somebody_else(serve):
    async with Commands.open(serve) as it:
        await it.connect(token("ann"))
        await it.send({"id": 2, "refresh": {"token": token("bob")}})
        assert await it.closed() in (3500, 3501)


async def test_a_client_that_goes_away_while_it_subscribes(serve):
    for _ in range(50):
        async with Commands.open(serve) as it:
            await it.send({"id": 1, "connect": {"token": token()}}, {"id": 2, "subscribe": {"channel": fresh()}})
            it.socket.transport.abort()


async def test_a_slow_consumer_is_ended_and_the_others_are_not(serve, api):
    channel = fresh("plain")
    before = serve.resident_bytes()
    async with Commands.open(serve, max_queue=1) as slow, Commands.open(serve) as quick:
        for it in (slow, quick):
            await it.connect(token())
            await it.call(subscribe={"channel": channel})
        # The slow one's socket is not read any more.
        slow.socket.transport.pause_reading()
        for number in range(400):
            await asyncio.to_thread(api.publish, channel, [number, "x" * 60_000])
            push = await quick.push()
            assert push["pub"]["data"][0] == number
        assert serve.resident_bytes() - before < 32 << 20
        slow.socket.transport.resume_reading()
        # Cut without a close frame where this took longer than the time for the closing handshake, 5 s.
        assert await slow.closed() in (3008, 1006)
