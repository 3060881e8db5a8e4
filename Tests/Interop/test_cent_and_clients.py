"""What an application does through `cent`, as its clients see it, in both encodings."""

import asyncio
import json
import uuid

import cent
import pytest
from cent import CentApiResponseError
from centrifuge_sdk import client, fresh, subscribe
from messaging import API_KEY, SECRET
from tokens import jwt

pytestmark = pytest.mark.parametrize("encoding", ["json", "protobuf"])


class Application:
    """`cent` without blocking the clients' loop."""

    def __init__(self, server):
        self.client = cent.Client(f"{server.http}/api", API_KEY)

    def __getattr__(self, name):
        return lambda request: asyncio.to_thread(getattr(self.client, name), request)


@pytest.fixture
def application(serve):
    return Application(serve)


def connect(server, name, encoding, **claims):
    return client(server.websocket, jwt(SECRET, sub=name, **claims), use_protobuf=encoding == "protobuf")


def value(data):
    """Data as a client gets it."""
    return json.loads(data) if isinstance(data, bytes) else data


@pytest.fixture
def name():
    return uuid.uuid4().hex


async def test_publish_and_broadcast(serve, application, name, encoding):
    one, two = fresh("chat"), fresh("chat")
    async with connect(serve, name, encoding) as (it, _):
        _, log = await subscribe(it, one)
        _, other = await subscribe(it, two)
        published = await application.publish(cent.PublishRequest(channel=one, data={"n": 1}, tags={"k": "v"}))
        publication = (await log.next("publication")).pub
        assert (publication.offset, value(publication.data)) == (published.offset, {"n": 1})
        assert publication.tags == {"k": "v"}
        await application.broadcast(cent.BroadcastRequest(channels=[one, two], data=[2]))
        assert value((await log.next("publication")).pub.data) == [2]
        assert value((await other.next("publication")).pub.data) == [2]


async def test_skipped_history(serve, application, name, encoding):
    channel = fresh("chat")
    async with connect(serve, name, encoding) as (it, _):
        subscription, log = await subscribe(it, channel)
        await application.publish(cent.PublishRequest(channel=channel, data=1, skip_history=True))
        assert (await log.next("publication")).pub.offset == 0
        assert (await subscription.history(limit=10)).publications == []


async def test_an_idempotency_key(serve, application, name, encoding):
    channel = fresh("chat")
    async with connect(serve, name, encoding) as (it, _):
        _, log = await subscribe(it, channel)
        request = cent.PublishRequest(channel=channel, data=1, idempotency_key="once")
        first, second = await application.publish(request), await application.publish(request)
        assert (first.offset, first.epoch) == (second.offset, second.epoch)
        await log.next("publication")
        await application.publish(cent.PublishRequest(channel=channel, data=2))
        assert value((await log.next("publication")).pub.data) == 2


async def test_subscribe_and_unsubscribe(serve, application, name, encoding):
    channel = fresh("closed")
    async with connect(serve, name, encoding) as (_, log):
        await log.next("connected")
        await application.subscribe(cent.SubscribeRequest(user=name, channel=channel, data={"hello": 1}))
        assert (await log.next("subscribed")).channel == channel
        await application.publish(cent.PublishRequest(channel=channel, data=1))
        assert value((await log.next("publication")).pub.data) == 1
        await application.unsubscribe(cent.UnsubscribeRequest(user=name, channel=channel))
        assert (await log.next("unsubscribed")).channel == channel


async def test_subscribe_and_recover(serve, application, name, encoding):
    channel = fresh("chat")
    published = [await application.publish(cent.PublishRequest(channel=channel, data=n)) for n in range(3)]
    async with connect(serve, name, encoding) as (_, log):
        await log.next("connected")
        since = cent.StreamPosition(offset=1, epoch=published[0].epoch)
        await application.subscribe(cent.SubscribeRequest(user=name, channel=channel, recover_since=since))
        assert (await log.next("subscribed")).channel == channel
        missed = [(await log.next("publication")).pub for _ in range(2)]
        assert [(it.offset, value(it.data)) for it in missed] == [(2, 1), (3, 2)]


@pytest.mark.parametrize(
    "options, events",
    [
        ({}, [("disconnected", 3503)]),
        ({"disconnect": cent.Disconnect(code=4000, reason="later")}, [("connecting", 4000), ("connected", None)]),
        ({"disconnect": cent.Disconnect(code=4500, reason="never")}, [("disconnected", 4500)]),
    ],
)
async def test_disconnect(serve, application, name, encoding, options, events):
    async with connect(serve, name, encoding) as (_, log):
        await log.next("connected")
        await application.disconnect(cent.DisconnectRequest(user=name, **options))
        for kind, code in events:
            if kind == "connecting":
                continue
            context = await log.next(kind)
            assert code is None or context.code == code
        assert log.connecting == [0] + [code for kind, code in events if kind == "connecting"]


async def test_refresh(serve, application, name, encoding):
    async with connect(serve, name, encoding) as (_, log):
        await log.next("connected")
        await application.refresh(cent.RefreshRequest(user=name, expired=True))
        # The client comes back: its token is still good.
        await log.next("connected")
        assert log.connecting == [0, 3005]


async def test_presence_and_history(serve, application, name, encoding):
    channel = fresh("chat")
    async with connect(serve, name, encoding, info={"n": 1}) as (it, log):
        identifier = (await log.next("connected")).client
        subscription, _ = await subscribe(it, channel)
        here = (await application.presence(cent.PresenceRequest(channel=channel))).presence
        assert [(key, one.user, one.conn_info) for key, one in here.items()] == [(identifier, name, {"n": 1})]
        stats = await application.presence_stats(cent.PresenceStatsRequest(channel=channel))
        assert (stats.num_clients, stats.num_users) == (1, 1)
        await subscription.publish(b"[1]" if encoding == "protobuf" else [1])
        page = await application.history(cent.HistoryRequest(channel=channel, limit=10))
        (publication,) = page.publications
        assert (publication.data, publication.info.user) == ([1], name)
        await application.history_remove(cent.HistoryRemoveRequest(channel=channel))
        assert (await subscription.history(limit=10)).publications == []
        found = (await application.channels(cent.ChannelsRequest(pattern=channel))).channels
        assert found[channel].num_clients == 1


async def test_errors(serve, application, encoding):
    for call, code in [
        (application.publish(cent.PublishRequest(channel="nowhere:x", data=1)), 102),
        (application.publish(cent.PublishRequest(channel="", data=1)), 107),
        (application.history(cent.HistoryRequest(channel=fresh("plain"))), 108),
        (application.presence(cent.PresenceRequest(channel=fresh("plain"))), 108),
        (application.presence_stats(cent.PresenceStatsRequest(channel="nowhere:x")), 102),
    ]:
        with pytest.raises(CentApiResponseError) as raised:
            await asyncio.wait_for(call, 10)
        assert raised.value.code == code
