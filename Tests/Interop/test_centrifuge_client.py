"""`martlet serve` with centrifuge-python, a maintained client of the protocol, used as applications use it."""

import asyncio
import contextlib
import random
import uuid

import pytest
from centrifuge import CentrifugeError, Client, StreamPosition
from centrifuge_sdk import Log, client, fresh, subscribe, user
from messaging import SECRET, CuttableProxy
from programs import martlet
from tokens import jwt


# Connecting


async def test_anonymous_clients_of_the_demo(demo):
    async with client(demo.websocket) as (_, log):
        context = await log.next("connected")
        assert uuid.UUID(context.client)
        assert context.version


@pytest.mark.parametrize("namespace", ["chat", "news", "devices"])
async def test_demo_namespaces_can_be_subscribed_to(demo, namespace):
    async with client(demo.websocket) as (it, _):
        await subscribe(it, fresh(namespace))


async def test_demo_chat(demo):
    channel = fresh("chat")
    async with client(demo.websocket) as (one, _), client(demo.websocket) as (two, _):
        speaker, _ = await subscribe(one, channel)
        _, log = await subscribe(two, channel)
        await speaker.publish({"text": "hello"})
        assert (await log.next("publication")).pub.data == {"text": "hello"}


async def test_token_of_the_command_line(serve):
    made = martlet("token", "--user", "ann", "--expires", "1h", env={"MARTLET_TOKEN_SECRET": SECRET})
    assert made.returncode == 0, made.stderr
    async with client(serve.websocket, made.stdout.strip()) as (it, log):
        await log.next("connected")
        subscription, _ = await subscribe(it, fresh("chat"))
        (info,) = (await subscription.presence()).clients.values()
        assert info.user == "ann"


async def test_subscription_token_of_the_command_line(serve):
    channel = fresh("closed")
    made = martlet("token", "--user", "ann", "--channel", channel, env={"MARTLET_TOKEN_SECRET": SECRET})
    assert made.returncode == 0, made.stderr
    async with user(serve, "ann") as (it, _):
        await subscribe(it, channel, token=made.stdout.strip())


@pytest.mark.parametrize(
    "token",
    [
        jwt("another secret", sub="ann"),
        jwt(SECRET, sub="ann", header={"alg": "none"}),
        jwt(SECRET, sub="ann", header={"alg": "RS256", "typ": "JWT"}),
        jwt(SECRET, sub="ann")[:-2],
        jwt(SECRET, sub="ann") + "A",
        jwt(SECRET, sub="ann").rsplit(".", 1)[0] + ".",
        jwt(SECRET, sub=7),
        "not a token",
        "a.b.c",
        "..",
    ],
    ids=["other secret", "none", "RS256", "cut", "longer", "unsigned", "sub", "text", "a.b.c", "dots"],
)
async def test_bad_token_ends_the_connection_for_good(serve, token):
    async with client(serve.websocket, token) as (_, log):
        assert (await log.next("disconnected")).code == 3500


async def test_no_token_where_one_is_needed(serve):
    async with client(serve.websocket) as (_, log):
        # Not a code that makes a client try again and again.
        code = (await log.next("disconnected")).code
        assert code in (3500, 3501, 3507)


@pytest.mark.parametrize(
    "token", [jwt(SECRET, sub="ann", expires_in=-10), jwt(SECRET, sub="ann", nbf=1 << 40)], ids=["expired", "not before"]
)
async def test_token_whose_time_it_is_not_is_renewed(serve, token):
    async def get_token():
        return jwt(SECRET, sub="ann")

    async with client(serve.websocket, token, get_token=get_token) as (_, log):
        await log.next("connected")


async def test_connection_that_would_expire_is_refreshed(serve):
    asked = []

    async def get_token():
        asked.append(True)
        return jwt(SECRET, sub="ann", expires_in=2 if len(asked) == 1 else 600)

    async with client(serve.websocket, jwt(SECRET, sub="ann", expires_in=2), get_token=get_token) as (it, log):
        await log.next("connected")
        subscription, publications = await subscribe(it, fresh("chat"))
        # The client refreshes by itself when its time is over; wait until it has done so twice.
        async with asyncio.timeout(15):
            while len(asked) < 2:
                await asyncio.sleep(0.05)
        await subscription.publish("still here")
        assert (await publications.next("publication")).pub.data == "still here"
        assert log.connecting == [0]


# Publishing and subscribing


@pytest.mark.parametrize(
    "data",
    [
        {"text": "hello", "n": [1, 2.5, None, True]},
        {},
        [],
        "text",
        0,
        False,
        {"unicode": "𝄞 é \u2028 \\ \" /", "control": "\t\r\n\b\f\u0001"},
        {"big": 12345678901234567890, "small": 1e-300},
        "x" * 60_000,
    ],
)
async def test_data_arrives_unchanged(serve, data):
    channel = fresh("chat")
    async with user(serve, "ann") as (ann, _), user(serve, "bob") as (bob, _):
        speaker, own = await subscribe(ann, channel)
        _, others = await subscribe(bob, channel)
        await speaker.publish(data)
        for log in (own, others):
            publication = (await log.next("publication")).pub
            assert publication.data == data
            assert publication.info.user == "ann"


async def test_order_and_offsets_with_many_publishers(serve):
    channel = fresh("chat")
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(user(serve, f"user{n}")) for n in range(5)]
        subscriptions = [await subscribe(it, channel, recoverable=True) for it, _ in clients]

        async def talk(number):
            for index in range(40):
                await subscriptions[number][0].publish([number, index])

        await asyncio.gather(*(talk(number) for number in range(5)))
        seen = [await log.publications(200) for _, log in subscriptions]
    assert [offset for offset, _ in seen[0]] == list(range(1, 201))
    assert all(one == seen[0] for one in seen), "every subscriber sees one order"
    for number in range(5):
        assert [index for _, (speaker, index) in seen[0] if speaker == number] == list(range(40))


async def test_unsubscribed_client_gets_nothing_more(serve, api):
    channel, other = fresh("chat"), fresh("chat")
    async with user(serve, "ann") as (it, _):
        left, left_log = await subscribe(it, channel)
        _, stayed_log = await subscribe(it, other)
        await left.unsubscribe()
        assert (await left_log.next("unsubscribed")).code == 0
        api.publish(channel, "not for you")
        api.publish(other, "for you")
        assert (await stayed_log.next("publication")).pub.data == "for you"
        assert left_log.events.empty()
        await left.subscribe()
        await left_log.next("subscribed")
        api.publish(channel, "again")
        assert (await left_log.next("publication")).pub.data == "again"


async def test_denied_subscription(serve):
    async with user(serve, "ann") as (it, _):
        for channel, code in [("closed:x", 103), ("nowhere:x", 102), ("$chat:x", 103), ("users:a#bob", 103)]:
            log = Log()
            await it.new_subscription(channel, events=log).subscribe()
            assert (await log.next("unsubscribed")).code == code, channel


async def test_user_limited_channel(serve):
    async with user(serve, "ann") as (it, _):
        await subscribe(it, "users:talk#ann,bob")


async def test_private_channel_with_a_token(serve, api):
    channel = "$" + fresh("chat")
    async with user(serve, "ann") as (it, _):
        token = jwt(SECRET, sub="ann", channel=channel, info={"role": "host"})
        subscription, log = await subscribe(it, channel, token=token)
        (info,) = (await subscription.presence()).clients.values()
        assert info.chan_info == {"role": "host"}
        api.publish(channel, 1)
        assert (await log.next("publication")).pub.data == 1


@pytest.mark.parametrize(
    "claims", [{"sub": "bob", "channel": "closed:x"}, {"sub": "ann", "channel": "closed:y"}, {"sub": "ann"}]
)
async def test_subscription_token_for_something_else(serve, claims):
    async with user(serve, "ann") as (it, client_log):
        log = Log()
        await it.new_subscription("closed:x", events=log, token=jwt(SECRET, **claims)).subscribe()
        ended = {asyncio.create_task(one.events.get()) for one in (log, client_log)}
        done, waiting = await asyncio.wait(ended, timeout=10, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        name, context = done.pop().result()
        assert (name, context.code) in {("unsubscribed", 103), ("disconnected", 3500)}


# Presence, joins and leaves, history


async def test_presence(serve):
    channel = fresh("chat")
    token = jwt(SECRET, sub="ann", info={"name": "Ann"})
    async with client(serve.websocket, token) as (ann, log), user(serve, "bob") as (bob, _):
        me = (await log.next("connected")).client
        subscription, _ = await subscribe(ann, channel)
        await subscribe(bob, channel)
        clients = (await subscription.presence()).clients
        assert sorted(info.user for info in clients.values()) == ["ann", "bob"]
        assert clients[me].client == me and clients[me].conn_info == {"name": "Ann"}
        stats = await subscription.presence_stats()
        assert (stats.num_clients, stats.num_users) == (2, 2)


async def test_join_and_leave(serve):
    channel = fresh("chat")
    async with user(serve, "ann") as (ann, _):
        _, log = await subscribe(ann, channel, join_leave=True)
        assert (await log.next("join")).info.user == "ann"
        async with user(serve, "bob") as (bob, bob_log):
            subscription, _ = await subscribe(bob, channel)
            assert (await log.next("join")).info.user == "bob"
            await subscription.unsubscribe()
            assert (await log.next("leave")).info.user == "bob"
            await subscription.subscribe()
            assert (await log.next("join")).info.user == "bob"
        # A client that is gone has left, too.
        assert (await log.next("leave")).info.user == "bob"


async def test_presence_forgets_a_lost_connection(serve):
    channel = fresh("chat")
    async with CuttableProxy(serve.port) as proxy, user(serve, "ann") as (ann, _):
        subscription, log = await subscribe(ann, channel, join_leave=True)
        await log.next("join")
        lost = Client(f"ws://127.0.0.1:{proxy.port}/connection/websocket", token=jwt(SECRET, sub="bob"), proxy=None)
        await lost.connect()
        await lost.new_subscription(channel).subscribe()
        assert (await log.next("join")).info.user == "bob"
        proxy.refusing = True
        proxy.cut()
        assert (await log.next("leave")).info.user == "bob"
        assert (await subscription.presence_stats()).num_clients == 1
        await lost.disconnect()


async def test_history(serve):
    async with user(serve, "ann") as (it, _):
        subscription, _ = await subscribe(it, fresh("chat"), recoverable=True)
        for number in range(1, 11):
            await subscription.publish(number)
        nothing = await subscription.history(limit=0)
        assert (nothing.publications, nothing.offset) == ([], 10)
        epoch = nothing.epoch

        async def read(**options):
            return [(one.offset, one.data) for one in (await subscription.history(**options)).publications]

        def pairs(numbers):
            return [(number, number) for number in numbers]

        assert await read(limit=100) == pairs(range(1, 11))
        assert await read(limit=3) == pairs([1, 2, 3])
        assert await read(limit=3, reverse=True) == pairs([10, 9, 8])
        assert await read(limit=3, since=StreamPosition(4, epoch)) == pairs([5, 6, 7])
        assert await read(limit=3, since=StreamPosition(4, epoch), reverse=True) == pairs([3, 2, 1])
        assert await read(limit=3, since=StreamPosition(10, epoch)) == []
        with pytest.raises(CentrifugeError) as raised:
            await read(limit=3, since=StreamPosition(4, "another epoch"))
        assert raised.value.code == 112


async def test_what_is_off_is_not_available(serve):
    async with user(serve, "ann") as (it, _):
        subscription, _ = await subscribe(it, fresh("plain"))
        for call in (subscription.history(limit=1), subscription.presence(), subscription.presence_stats()):
            with pytest.raises(CentrifugeError) as raised:
                await call
            assert raised.value.code in (103, 108)


# Recovery


async def test_what_was_missed_arrives_once_and_in_order(serve, api):
    channel = fresh("chat")
    async with CuttableProxy(serve.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with client(url, jwt(SECRET, sub="ann")) as (it, client_log):
            await client_log.next("connected")
            subscription, log = await subscribe(it, channel, recoverable=True)
            api.publish(channel, 0)
            assert await log.publications(1) == [(1, 0)]
            proxy.refusing = True
            proxy.cut()
            for number in range(1, 21):
                api.publish(channel, number)
            proxy.refusing = False
            context = await log.next("subscribed")
            assert (context.was_recovering, context.recovered) == (True, True)
            api.publish(channel, 21)
            assert await log.publications(21) == [(number + 1, number) for number in range(1, 22)]
            assert log.events.empty()


async def test_nothing_was_missed(serve, api):
    channel = fresh("chat")
    async with CuttableProxy(serve.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with client(url, jwt(SECRET, sub="ann")) as (it, _):
            _, log = await subscribe(it, channel, recoverable=True)
            proxy.cut()
            context = await log.next("subscribed")
            assert (context.was_recovering, context.recovered) == (True, True)
            api.publish(channel, "next")
            assert await log.publications(1) == [(1, "next")]


async def test_more_was_missed_than_is_kept(serve, api):
    channel = fresh("short")
    async with CuttableProxy(serve.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with client(url, jwt(SECRET, sub="ann")) as (it, _):
            _, log = await subscribe(it, channel, recoverable=True)
            api.publish(channel, 0)
            await log.publications(1)
            proxy.refusing = True
            proxy.cut()
            for number in range(1, 6):
                api.publish(channel, number)
            proxy.refusing = False
            context = await log.next("subscribed")
            assert (context.was_recovering, context.recovered) == (True, False)
            assert context.stream_position.offset == 6
            api.publish(channel, 6)
            # All or nothing: none of what is still kept, only what is new.
            assert await log.publications(1) == [(7, 6)]


async def test_cut_again_and_again_nothing_is_lost_or_doubled(serve, api):
    channel, total = fresh("chat"), 600
    randomness = random.Random(7)
    async with CuttableProxy(serve.port) as proxy:
        url = f"ws://127.0.0.1:{proxy.port}/connection/websocket"
        async with client(url, jwt(SECRET, sub="ann"), min_reconnect_delay=0.01) as (it, _):
            _, log = await subscribe(it, channel, recoverable=True)

            async def publish():
                for number in range(total):
                    await asyncio.to_thread(api.publish, channel, number)
                    if randomness.random() < 0.02:
                        proxy.cut()

            publishing = asyncio.create_task(publish())
            seen = []
            while len(seen) < total:
                name, context = await asyncio.wait_for(log.events.get(), 20)
                if name == "publication":
                    seen.append((context.pub.offset, context.pub.data))
                else:
                    assert name == "subscribed" and context.recovered
            await publishing
    assert seen == [(number + 1, number) for number in range(total)]


# What the server does to a client


async def test_server_ends_a_subscription(serve, api):
    channel = fresh("chat")
    async with user(serve, name := uuid.uuid4().hex) as (it, _):
        _, log = await subscribe(it, channel)
        api.call("unsubscribe", user=name, channel=channel)
        assert 2000 <= (await log.next("unsubscribed")).code < 2500


async def test_server_ends_a_connection(serve, api):
    async with user(serve, name := uuid.uuid4().hex) as (_, log):
        api.call("disconnect", user=name)
        assert (await log.next("disconnected")).code == 3503


async def test_server_ends_a_connection_and_the_client_comes_back(serve, api):
    async with user(serve, name := uuid.uuid4().hex) as (_, log):
        api.call("disconnect", user=name, disconnect={"code": 3011, "reason": "elsewhere"})
        await log.next("connected")
        assert log.connecting == [0, 3011]


async def test_server_side_subscription(serve, api):
    channel = fresh("chat")
    async with user(serve, name := uuid.uuid4().hex) as (_, log):
        api.call("subscribe", user=name, channel=channel)
        assert (await log.next("subscribed")).channel == channel
        api.publish(channel, {"n": 1})
        context = await log.next("publication")
        assert (context.channel, context.pub.data) == (channel, {"n": 1})
        api.call("unsubscribe", user=name, channel=channel)
        assert (await log.next("unsubscribed")).channel == channel


async def test_channels_of_the_token_are_subscribed_at_once(serve, api):
    channel = fresh("closed")
    async with client(serve.websocket, jwt(SECRET, sub="ann", channels=[channel])) as (_, log):
        await log.next("connected")
        assert (await log.next("subscribed")).channel == channel
        api.publish(channel, "for whom the token names")
        assert (await log.next("publication")).pub.data == "for whom the token names"


async def test_rpc_without_a_method(serve):
    async with user(serve, "ann") as (it, _):
        with pytest.raises(CentrifugeError) as raised:
            await it.rpc("anything", {})
        assert raised.value.code in (104, 108)
