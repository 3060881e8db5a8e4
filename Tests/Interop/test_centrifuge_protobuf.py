"""`martlet serve` with centrifuge-python in Protobuf: what applications do, and every error that they may meet."""

import asyncio
import uuid

import pytest
from centrifuge import CentrifugeError, StreamPosition
from centrifuge_sdk import client, fresh, subscribe, user
from messaging import API, SECRET, CuttableProxy, write_configuration
from programs import Server
from tokens import jwt
from websockets.asyncio.client import connect as websockets_connect

PROTOBUF = {"use_protobuf": True}


async def test_the_subprotocol_is_chosen(serve):
    async with websockets_connect(serve.websocket, subprotocols=["other", "centrifuge-protobuf"], proxy=None) as it:
        assert it.subprotocol == "centrifuge-protobuf"
    async with websockets_connect(serve.websocket, subprotocols=["other"], proxy=None) as it:
        assert it.subprotocol is None


async def test_connect(serve):
    async with client(serve.websocket, jwt(SECRET, sub="ann"), **PROTOBUF) as (_, log):
        context = await log.next("connected")
        assert uuid.UUID(context.client) and context.version


async def test_a_bad_token_ends_the_connection_for_good(serve):
    async with client(serve.websocket, "not a token", **PROTOBUF) as (_, log):
        assert (await log.next("disconnected")).code == 3500


async def test_an_expired_token_is_renewed(serve):
    async def get_token():
        return jwt(SECRET, sub="ann")

    token = jwt(SECRET, sub="ann", expires_in=-10)
    async with client(serve.websocket, token, get_token=get_token, **PROTOBUF) as (_, log):
        await log.next("connected")


async def test_refresh_of_connection_and_subscription(serve):
    channel, asked = fresh("closed"), []

    async def get_token():
        asked.append("connection")
        return jwt(SECRET, sub="ann", expires_in=2 if asked.count("connection") == 1 else 600)

    async def get_subscription_token(channel):
        asked.append("subscription")
        return jwt(SECRET, sub="ann", channel=channel, expires_in=2 if asked.count("subscription") == 1 else 600)

    token = jwt(SECRET, sub="ann", expires_in=2)
    async with client(serve.websocket, token, get_token=get_token, **PROTOBUF) as (it, log):
        await log.next("connected")
        await subscribe(it, channel, get_token=get_subscription_token)
        async with asyncio.timeout(15):
            while asked.count("connection") < 2 or asked.count("subscription") < 2:
                await asyncio.sleep(0.05)
        assert log.connecting == [0] and log.errors == []


@pytest.mark.parametrize("data", [b"{}", b'{"text": [1, 2.50]}', b"\x00\xff\n", b"x" * 60_000])
async def test_data_arrives_as_the_bytes_that_they_are(serve, data):
    channel = fresh("chat")
    async with user(serve, "ann", **PROTOBUF) as (ann, _), user(serve, "bob", **PROTOBUF) as (bob, _):
        speaker, own = await subscribe(ann, channel)
        _, others = await subscribe(bob, channel)
        await speaker.publish(data)
        for log in (own, others):
            publication = (await log.next("publication")).pub
            assert publication.data == data and publication.info.user == "ann"


async def test_both_encodings_in_a_channel(serve, api):
    channel = fresh("chat")
    async with user(serve, "ann", **PROTOBUF) as (ann, _), user(serve, "bob") as (bob, _):
        in_protobuf, protobuf_log = await subscribe(ann, channel, recoverable=True)
        in_json, json_log = await subscribe(bob, channel, recoverable=True)
        await in_protobuf.publish(b'{"n": 1}')
        await in_json.publish({"n": 2})
        await in_protobuf.publish(b"\xff")
        api.publish(channel, {"n": 3})
        assert await json_log.publications(4) == [(1, {"n": 1}), (2, {"n": 2}), (3, "/w=="), (4, {"n": 3})]
        assert await protobuf_log.publications(4) == [(1, b'{"n": 1}'), (2, b'{"n":2}'), (3, b"\xff"), (4, b'{"n":3}')]


async def test_presence_joins_and_leaves(serve):
    channel = fresh("chat")
    info = {"name": "Ann"}
    token = jwt(SECRET, sub="ann", info=info)
    async with client(serve.websocket, token, **PROTOBUF) as (ann, ann_log):
        identifier = (await ann_log.next("connected")).client
        subscription, log = await subscribe(ann, channel, join_leave=True)
        joined = (await log.next("join")).info
        assert (joined.user, joined.client, joined.conn_info) == ("ann", identifier, b'{"name":"Ann"}')
        async with user(serve, "bob", **PROTOBUF) as (bob, _):
            await subscribe(bob, channel)
            assert (await log.next("join")).info.user == "bob"
            clients = (await subscription.presence()).clients
            assert sorted(it.user for it in clients.values()) == ["ann", "bob"]
            stats = await subscription.presence_stats()
            assert (stats.num_clients, stats.num_users) == (2, 2)
        assert (await log.next("leave")).info.user == "bob"


async def test_history(serve, api):
    channel = fresh("chat")
    async with user(serve, "ann", **PROTOBUF) as (it, _):
        subscription, log = await subscribe(it, channel)
        for number in range(1, 6):
            api.publish(channel, number)
        await log.publications(5)
        page = await subscription.history(limit=2)
        assert [(it.offset, it.data) for it in page.publications] == [(1, b"1"), (2, b"2")]
        assert page.offset == 5 and page.epoch
        page = await subscription.history(limit=2, reverse=True)
        assert [it.offset for it in page.publications] == [5, 4]
        page = await subscription.history(limit=-1, since=StreamPosition(offset=3, epoch=page.epoch))
        assert [it.offset for it in page.publications] == [4, 5]
        assert (await subscription.history()).publications == []
        with pytest.raises(CentrifugeError) as raised:
            await subscription.history(limit=1, since=StreamPosition(offset=3, epoch="another"))
        assert raised.value.code == 112


async def test_what_was_missed_arrives_once_and_in_order(serve, api):
    channel = fresh("chat")
    async with CuttableProxy(serve.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with client(url, jwt(SECRET, sub="ann"), **PROTOBUF) as (it, _):
            _, log = await subscribe(it, channel, recoverable=True)
            api.publish(channel, 0)
            assert await log.publications(1) == [(1, b"0")]
            proxy.refusing = True
            proxy.cut()
            for number in range(1, 21):
                api.publish(channel, number)
            proxy.refusing = False
            context = await log.next("subscribed")
            assert (context.was_recovering, context.recovered) == (True, True)
            api.publish(channel, 21)
            assert await log.publications(21) == [(number + 1, str(number).encode()) for number in range(1, 22)]


async def test_server_side_subscription(serve, api):
    channel, more = fresh("closed"), fresh("chat")
    name = uuid.uuid4().hex
    async with client(serve.websocket, jwt(SECRET, sub=name, channels=[channel]), **PROTOBUF) as (_, log):
        await log.next("connected")
        assert (await log.next("subscribed")).channel == channel
        api.call("subscribe", user=name, channel=more)
        assert (await log.next("subscribed")).channel == more
        api.publish(more, {"n": 1})
        context = await log.next("publication")
        assert (context.channel, context.pub.data) == (more, b'{"n":1}')
        api.call("unsubscribe", user=name, channel=more)
        assert (await log.next("unsubscribed")).channel == more
        api.call("disconnect", user=name)
        assert (await log.next("disconnected")).code == 3503


@pytest.mark.parametrize(
    "channel, options, code",
    [
        ("nowhere:x", {}, 102),
        ("closed:x", {}, 103),
        ("closed:x", {"token": "not a token"}, 103),
        ("chat:" + "x" * 251, {}, 107),
    ],
)
async def test_subscriptions_that_fail(serve, channel, options, code):
    async with user(serve, "ann", **PROTOBUF) as (it, _):
        subscription = it.new_subscription(channel, **options)
        errors = asyncio.Queue()

        async def on_unsubscribed(context):
            errors.put_nowait(context)

        subscription.events.on_unsubscribed = on_unsubscribed
        await subscription.subscribe()
        assert (await asyncio.wait_for(errors.get(), 10)).code == code


async def test_commands_that_fail(serve):
    async with user(serve, "ann", **PROTOBUF) as (it, _):
        plain = fresh("plain")
        for call, code in [
            (it.publish(fresh("closed"), b"x"), 103),
            (it.publish("nowhere:x", b"x"), 102),
            (it.history(plain), 108),
            (it.presence(plain), 108),
            (it.presence_stats(plain), 108),
            (it.rpc("anything", b""), 108),
        ]:
            with pytest.raises(CentrifugeError) as raised:
                await call
            assert raised.value.code == code, raised.value


async def test_broken_bytes_end_the_connection(serve):
    async with websockets_connect(serve.websocket, subprotocols=["centrifuge-protobuf"], proxy=None) as it:
        await it.send(b"\x05\x08")
        await it.wait_closed()
        assert it.close_code == 3501
    async with websockets_connect(serve.websocket, subprotocols=["centrifuge-protobuf"], proxy=None) as it:
        await it.send("{}")
        await it.wait_closed()
        assert it.close_code == 1003


@pytest.fixture(scope="module")
def compressing(tmp_path_factory):
    configuration = write_configuration(tmp_path_factory.mktemp("deflate"))
    with Server("serve", "--port", 0, "--deflate", "--config", configuration) as server:
        yield server
        server.assert_running()


async def test_publications_are_compressed_once_for_each_encoding(compressing):
    channel, text = fresh("plain"), "tick " * 200
    api = API(compressing)
    async with user(compressing, "ann", **PROTOBUF) as (one, _), user(compressing, "bob") as (two, _):
        _, log = await subscribe(one, channel)
        _, other = await subscribe(two, channel)
        before = counters(api)
        api.publish(channel, text)
        assert (await log.next("publication")).pub.data == b'"' + text.encode() + b'"'
        assert (await other.next("publication")).pub.data == text
        after = counters(api)
    assert after["shared_frames_compressed"] - before["shared_frames_compressed"] == 2


def counters(api):
    return api.call("info")["nodes"][0]["metrics"]["items"]
