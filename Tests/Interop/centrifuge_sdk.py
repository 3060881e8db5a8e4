"""What the tests with centrifuge-python share: clients, subscriptions, and logs of their events."""

import asyncio
import contextlib
import uuid

from centrifuge import Client, ClientEventHandler, SubscriptionEventHandler
from messaging import SECRET
from tokens import jwt


class Log(ClientEventHandler, SubscriptionEventHandler):
    """Records the events of a client or a subscription by name."""

    def __init__(self):
        self.events = asyncio.Queue()
        self.connecting = []
        self.errors = []

    async def next(self, kind, timeout=10):
        """The next event; it must be of this kind."""
        name, context = await asyncio.wait_for(self.events.get(), timeout)
        assert name == kind, (name, context)
        return context

    async def publications(self, count, timeout=20):
        """The next publications as (offset, data)."""
        contexts = [await self.next("publication", timeout) for _ in range(count)]
        return [(context.pub.offset, context.pub.data) for context in contexts]

    async def on_connecting(self, context):
        self.connecting.append(context.code)

    async def on_error(self, context):
        self.errors.append(context)

    async def on_subscribing(self, context):
        pass


def recorder(name):
    async def record(self, context):
        self.events.put_nowait((name, context))

    return record


for event in ["connected", "disconnected", "subscribed", "unsubscribed", "publication", "join", "leave"]:
    setattr(Log, f"on_{event}", recorder(event))


@contextlib.asynccontextmanager
async def client(url, token="", **options):
    """A client and the log of its events."""
    log = Log()
    client = Client(url, events=log, token=token, proxy=None, max_reconnect_delay=0.5, **options)
    await client.connect()
    try:
        yield client, log
    finally:
        await client.disconnect()


@contextlib.asynccontextmanager
async def user(server, name, **options):
    """A connected client of this user."""
    async with client(server.websocket, jwt(SECRET, sub=name), **options) as (it, log):
        await log.next("connected")
        yield it, log


async def subscribe(client, channel, **options):
    """A subscription that has begun, and the log of its events."""
    log = Log()
    subscription = client.new_subscription(channel, events=log, **options)
    await subscription.subscribe()
    context = await log.next("subscribed")
    subscription.first = context
    return subscription, log


def fresh(namespace):
    """A channel that no other test uses."""
    return f"{namespace}:{uuid.uuid4().hex[:12]}"
