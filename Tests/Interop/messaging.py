"""What the tests of the client protocol share: a configured server, a raw client, a proxy that can be cut."""

import asyncio
import contextlib
import json

import requests
from websockets.asyncio.client import connect as websockets_connect
from websockets.exceptions import ConnectionClosed

SECRET = "a secret of the tests, 32 bytes and more"
API_KEY = "a-key-of-the-tests"

CONFIGURATION = """
{
  // JSON5 on purpose: comments, keys without quotes, trailing commas.
  drain_seconds: 0,
  token: { secret: '%(secret)s' },
  api: { keys: ['%(key)s'] },
  limits: { %(limits)s },
  namespaces: {
    chat: {
      subscribe: ['authenticated'], publish: ['subscribers'], history: ['subscribers'],
      presence: ['subscribers'], history_size: 1000, history_ttl_seconds: '10m', allow_recovery: true,
      keep_presence: true, join_leave: true,
    },
    short: {
      subscribe: ['authenticated'], publish: ['authenticated'], history: ['authenticated'], history_size: 3,
      history_ttl_seconds: 600, allow_recovery: true,
    },
    plain: { subscribe: ['authenticated'], publish: ['authenticated'] },
    closed: {},
    users: { user_limited_channels: true },
  },
}
"""


def write_configuration(folder, limits=""):
    path = folder / "martlet.json5"
    path.write_text(CONFIGURATION % {"secret": SECRET, "key": API_KEY, "limits": limits})
    return path


class API:
    """The HTTP API without a client library."""

    def __init__(self, server, key=API_KEY):
        self.url, self.key = f"{server.http}/api", key

    def post(self, method, body=None, *, data=None, headers=None):
        headers = {"X-API-Key": self.key} if headers is None else headers
        data = json.dumps(body or {}) if data is None else data
        return requests.post(f"{self.url}/{method}", data=data, headers=headers, timeout=10)

    def call(self, method, **body):
        """The result; an error fails the test."""
        response = self.post(method, body)
        assert response.status_code == 200, response.text
        answer = response.json()
        assert "error" not in answer, answer
        return answer["result"]

    def error(self, method, **body):
        """The code of the error that the call must end with."""
        response = self.post(method, body)
        assert response.status_code == 200, response.text
        return response.json()["error"]["code"]

    def publish(self, channel, data, **options):
        return self.call("publish", channel=channel, data=data, **options)


class Commands:
    """A client of the JSON protocol that sends exactly what it is told to."""

    def __init__(self, socket):
        self.socket, self.replies, self.pushes = socket, [], []
        self.identifier = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def open(cls, server, **options):
        options = {"max_size": None, "compression": None, "proxy": None, "close_timeout": 2, **options}
        async with websockets_connect(server.websocket, **options) as socket:
            yield cls(socket)

    async def send(self, *commands):
        """Sends the commands in one frame; text goes as it is."""
        await self.socket.send(
            "\n".join(command if isinstance(command, str) else json.dumps(command) for command in commands)
        )

    async def next(self, timeout=10):
        """The next object from the server, pings included."""
        if not self.replies:
            frame = await asyncio.wait_for(self.socket.recv(), timeout)
            assert isinstance(frame, str), "the JSON protocol has text frames"
            self.replies += [json.loads(line) for line in frame.split("\n") if line]
        return self.replies.pop(0)

    async def call(self, timeout=10, **command):
        """Sends one command and returns its reply; pushes that come first are kept in `pushes`."""
        self.identifier += 1
        await self.send({"id": self.identifier, **command})
        return await self.reply(self.identifier, timeout)

    async def reply(self, identifier, timeout=10):
        while True:
            answer = await self.next(timeout)
            if answer.get("id") == identifier:
                return answer
            if "push" in answer:
                self.pushes.append(answer["push"])
            elif answer == {}:
                await self.send({})
            else:
                raise AssertionError(f"unexpected {answer}")

    async def push(self, timeout=10):
        """The next push."""
        if self.pushes:
            return self.pushes.pop(0)
        while True:
            answer = await self.next(timeout)
            if "push" in answer:
                return answer["push"]
            assert answer == {}, answer
            await self.send({})

    async def connect(self, token=None, **parameters):
        reply = await self.call(connect={**({"token": token} if token else {}), **parameters})
        return reply["connect"] if "connect" in reply else reply

    async def closed(self, timeout=10, answers_pings=True):
        """Waits for the server to close; returns its code."""
        await asyncio.wait_for(self._drain(answers_pings), timeout)
        return self.socket.protocol.close_rcvd.code if self.socket.protocol.close_rcvd else 1006

    async def _drain(self, answers_pings):
        with contextlib.suppress(ConnectionClosed):
            while True:
                frame = await self.socket.recv()
                if frame == "{}" and answers_pings:
                    await self.send({})


class CuttableProxy:
    """A TCP proxy in front of a port. `cut` aborts every connection without a word, as a lost network does."""

    def __init__(self, port):
        self.target, self.writers, self.refusing = port, set(), False

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.cut()
        self.server.close()

    async def _serve(self, reader, writer):
        if self.refusing:
            return writer.transport.abort()
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.target)
        self.writers |= {writer, upstream_writer}
        await asyncio.gather(self._pump(reader, upstream_writer), self._pump(upstream_reader, writer))
        self.writers -= {writer, upstream_writer}

    async def _pump(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        writer.transport.abort()

    def cut(self):
        for writer in self.writers:
            writer.transport.abort()
