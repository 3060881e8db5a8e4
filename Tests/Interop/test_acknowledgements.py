"""What a client has not acknowledged comes again: over each transport, and after the client was gone."""

import asyncio
import json
import subprocess
import uuid

import fallbacks
import pytest
from messaging import API, API_KEY, SECRET, Commands
from programs import MARTLET, Server, environment, martlet
from tokens import jwt
from websockets.asyncio.client import connect

CONFIGURATION = """
{
  drain_seconds: 0,
  token: { secret: '%s' },
  api: { keys: ['%s'] },
  namespaces: {
    jobs: {
      subscribe: ['authenticated'], history_size: 100, history_ttl_seconds: 600, allow_acknowledgement: true,
      unacknowledged_publications: 5, consumers: 2, consumer_retention_seconds: 60,
    },
    chat: { subscribe: ['authenticated'], history_size: 100, history_ttl_seconds: 600 },
  },
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("configuration") / "martlet.json5"
    path.write_text(CONFIGURATION % (SECRET, API_KEY))
    with Server("serve", "--port", 0, "--config", path) as server:
        yield server


@pytest.fixture
def channel():
    return f"jobs:{uuid.uuid4().hex[:12]}"


def token(user="ann"):
    return jwt(SECRET, sub=user)


def consume(channel):
    return {"id": 2, "subscribe": {"channel": channel, "consumer": "phone"}}


@pytest.mark.parametrize("kind", fallbacks.FALLBACKS)
def test_what_was_not_acknowledged_comes_again(server, channel, kind):
    api = API(server)

    def begin():
        client = fallbacks.connect(server.http, kind, {"token": token()})
        client.send(consume(channel))
        reply = fallbacks.until(client, lambda reply: reply.get("id") == 2)[-1]["subscribe"]
        assert reply["consumer"] == "phone"
        return client, [(pub["offset"], pub["data"]) for pub in reply.get("publications", [])]

    client, missed = begin()
    assert missed == []
    for number in (1, 2, 3):
        api.publish(channel, number)
    for _ in range(3):
        fallbacks.until(client, lambda reply: "push" in reply)
    client.send({"id": 3, "ack": {"channel": channel, "offset": 1}})
    assert fallbacks.until(client, lambda reply: reply.get("id") == 3)[-1] == {"id": 3, "ack": {}}
    # Without a number: the reply to what follows comes next.
    client.send({"ack": {"channel": channel, "offset": 2}}, {"id": 4, "ping": {}})
    assert fallbacks.until(client, lambda reply: True)[-1]["id"] == 4
    client.close()
    api.publish(channel, 4)
    # The connection that is gone may be there still: its successor takes its place over.
    again, missed = begin()
    assert missed == [(3, 3), (4, 4)]
    again.close()


async def test_over_a_websocket(server, channel):
    api = API(server)
    for number, missed in [(1, []), (2, [1]), (3, [1, 2])]:
        async with Commands.open(server) as client:
            await client.connect(token())
            reply = (await client.call(subscribe=consume(channel)["subscribe"]))["subscribe"]
            assert [pub["data"] for pub in reply.get("publications", [])] == missed
            api.publish(channel, number)
            assert (await client.push())["pub"]["offset"] == number
    async with Commands.open(server) as client:
        await client.connect(token())
        await client.call(subscribe=consume(channel)["subscribe"])
        assert (await client.call(ack={"channel": channel, "offset": 3}))["ack"] == {}
    async with Commands.open(server) as client:
        await client.connect(token())
        reply = (await client.call(subscribe=consume(channel)["subscribe"]))["subscribe"]
        assert reply["recovered"] and "publications" not in reply


@pytest.mark.parametrize("count, is_ended", [(4, False), (5, False), (6, True)])
async def test_too_much_on_its_way(server, channel, count, is_ended):
    api = API(server)
    async with Commands.open(server) as client:
        await client.connect(token())
        await client.call(subscribe=consume(channel)["subscribe"])
        for number in range(1, count + 1):
            api.publish(channel, number)
        shown = [(await client.push())["pub"]["offset"] for _ in range(min(count, 5))]
        assert shown == list(range(1, min(count, 5) + 1))
        await client.call(ack={"channel": channel, "offset": shown[-1]})
        if is_ended:
            assert (await client.push())["unsubscribe"]["code"] == 2500
            reply = (await client.call(subscribe=consume(channel)["subscribe"]))["subscribe"]
            assert [pub["offset"] for pub in reply["publications"]] == [6]
        else:
            await client.call(ping={})
            assert client.pushes == []


async def test_one_at_a_time(server, channel):
    async with Commands.open(server) as first, Commands.open(server) as second:
        for client in (first, second):
            await client.connect(token())
            await client.call(subscribe=consume(channel)["subscribe"])
        end = await first.push()
        assert end["unsubscribe"] == {"code": 2000, "reason": "taken over"}
        API(server).publish(channel, 1)
        assert (await second.push())["pub"]["offset"] == 1


def varint(number):
    return bytes([number]) if number < 128 else bytes([number & 127 | 128]) + varint(number >> 7)


def field(number, value):
    """A Protobuf field: a number, or bytes behind their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


async def test_in_protobuf(server, channel):
    name = channel.encode()
    publication = lambda number: field(4, str(number).encode()) + field(6, number)

    async def talk(*commands):
        """What comes until the last command is answered, without lengths and pings."""
        async with connect(
            server.websocket, subprotocols=["centrifuge-protobuf"], proxy=None, compression=None
        ) as socket:
            opening = field(1, 1) + field(4, field(1, token().encode()))
            messages = []
            for identifier, command in enumerate([opening, *commands], 1):
                await socket.send(varint(len(command)) + command)
                while not messages or not messages[-1].startswith(field(1, identifier)):
                    frame = await asyncio.wait_for(socket.recv(), 10)
                    while frame:
                        assert frame[0] < 128, "these are short"
                        messages.append(frame[1:1 + frame[0]])
                        frame = frame[1 + frame[0]:]
            return messages

    subscribe = field(1, 2) + field(5, field(1, name) + field(1001, b"phone"))
    assert (await talk(subscribe))[-1].endswith(field(1001, b"phone"))
    for number in (1, 2):
        API(server).publish(channel, number)
    acknowledge = field(1, 3) + field(1001, field(1, name) + field(2, 1))
    replies = await talk(subscribe, acknowledge)
    assert field(7, publication(1)) + field(7, publication(2)) in replies[-2]
    assert replies[-1] == field(1, 3) + field(1001, b"")
    reply = (await talk(subscribe))[-1]
    assert field(7, publication(2)) in reply and field(7, publication(1)) not in reply


async def test_refusals(server, channel):
    codes = []
    async with Commands.open(server) as client:
        await client.connect(token())
        for subscribe in [
            {"channel": "chat:x", "consumer": "c"}, {"channel": channel, "consumer": "n" * 256},
            {"channel": channel, "consumer": ""},
        ]:
            codes.append((await client.call(subscribe=subscribe))["error"]["code"])
        codes.append((await client.call(ack={"channel": channel, "offset": 1}))["error"]["code"])
    assert codes == [108, 107, 107, 108]
    clients = []
    for number in range(3):
        async with Commands.open(server) as client:
            await client.connect(token(f"user{number}"))
            reply = await client.call(subscribe=consume(channel)["subscribe"])
            clients.append(reply.get("error", {}).get("code"))
    assert clients == [None, None, 106]


def test_the_program_consumes(server, channel):
    arguments = ["subscribe", channel, "--url", server.url, "--token", token(), "--consumer", "w", "--data-only"]
    # It begins with what is published after its first visit.
    publisher = subprocess.Popen(
        [MARTLET, *arguments, "--count", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment())
    for line in publisher.stderr:
        if "subscribed" in line:
            break
    for number in (1, 2, 3):
        API(server).publish(channel, number)
    assert publisher.communicate(timeout=20)[0] == "1\n"
    for number in (2, 3):
        assert martlet(*arguments, "--count", 1).stdout == f"{number}\n"


def test_the_program_says_that_nobody_listens(server):
    result = martlet("subscribe", "chat:x", "--url", server.url, "--token", token(), "--consumer", "w")
    assert result.returncode == 1 and "not available (108)" in result.stderr


async def test_what_is_counted(server):
    text = json.dumps(API(server).call("info"))
    assert "messages_acknowledged" in text
