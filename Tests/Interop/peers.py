"""Other people's WebSocket implementations behind one face, as clients and as servers.

A peer has two asynchronous context managers: `connect(url, ...)` gives a socket, `serve(talk, ...)` calls `talk(socket)`
for each client and gives the port. A socket has `send`, `receive`, `ping` (waits for the pong), `close`, `abort`,
`closing` (waits for the end; the code that the other side gave) and `subprotocol`. Texts are str, binaries are bytes.
"""

import asyncio
import contextlib

import aiohttp
import aiohttp.web
import picows
from websockets.asyncio.client import connect as websockets_connect
from websockets.asyncio.server import serve as websockets_serve
from websockets.exceptions import ConnectionClosed

LARGEST = 64 << 20
WAIT_SECONDS = 20


class Websockets:
    """PyPI's websockets."""

    name = "websockets"

    class Socket:
        def __init__(self, connection):
            self.connection = connection
            self.send, self.subprotocol = connection.send, connection.subprotocol

        async def receive(self):
            return await asyncio.wait_for(self.connection.recv(), WAIT_SECONDS)

        async def ping(self, payload):
            await asyncio.wait_for(await self.connection.ping(payload), WAIT_SECONDS)

        async def close(self, code=1000, reason=""):
            await self.connection.close(code, reason)
            return self.code()

        async def closing(self):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.receive()
            return self.code()

        def code(self):
            return self.connection.protocol.close_rcvd.code if self.connection.protocol.close_rcvd else 1006

        async def send_fragments(self, parts):
            await self.connection.send(parts)

        def abort(self):
            self.connection.transport.abort()

        @property
        def is_compressed(self):
            return bool(self.connection.protocol.extensions)

    @contextlib.asynccontextmanager
    async def connect(self, url, subprotocols=(), compress=False, tls=None):
        options = {"max_size": LARGEST, "proxy": None, "compression": "deflate" if compress else None}
        if tls:
            options["ssl"] = tls
        async with websockets_connect(url, subprotocols=list(subprotocols) or None, **options) as connection:
            yield self.Socket(connection)

    @contextlib.asynccontextmanager
    async def serve(self, talk, subprotocols=(), compress=False, tls=None):
        options = {"max_size": LARGEST, "compression": "deflate" if compress else None, "ssl": tls}
        if subprotocols:
            options["subprotocols"] = list(subprotocols)
        async with websockets_serve(lambda it: talk(self.Socket(it)), "127.0.0.1", 0, **options) as server:
            yield server.sockets[0].getsockname()[1]


class Aiohttp:
    """PyPI's aiohttp."""

    name = "aiohttp"

    class Socket:
        def __init__(self, socket, transport):
            self.socket, self.transport = socket, transport
            # The client's class and the server's have different names for it.
            self.subprotocol = socket.protocol if hasattr(socket, "protocol") else socket.ws_protocol

        async def send(self, message):
            await (self.socket.send_str if isinstance(message, str) else self.socket.send_bytes)(message)

        async def receive(self):
            while True:
                message = await self.socket.receive(WAIT_SECONDS)
                if message.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                    return message.data
                if message.type is aiohttp.WSMsgType.PONG:
                    self.pong = bytes(message.data)
                    return None
                raise EOFError(message)

        async def ping(self, payload):
            await self.socket.ping(payload)
            assert await self.receive() is None and self.pong == payload

        async def close(self, code=1000, reason=""):
            await self.socket.close(code=code, message=reason.encode())
            return self.socket.close_code

        async def closing(self):
            with contextlib.suppress(EOFError):
                while True:
                    await self.receive()
            return self.socket.close_code

        def abort(self):
            self.transport.abort()

        @property
        def is_compressed(self):
            return bool(self.socket.compress)

    @contextlib.asynccontextmanager
    async def connect(self, url, subprotocols=(), compress=False, tls=None):
        options = {"protocols": subprotocols, "autoping": False, "max_msg_size": LARGEST, "compress": 15 if compress else 0}
        async with aiohttp.ClientSession() as session, session.ws_connect(url, ssl=tls or True, **options) as socket:
            yield self.Socket(socket, socket._conn.transport if socket._conn else None)

    @contextlib.asynccontextmanager
    async def serve(self, talk, subprotocols=(), compress=False, tls=None):
        async def handle(request):
            options = {"protocols": subprotocols, "autoping": False, "max_msg_size": LARGEST, "compress": compress}
            socket = aiohttp.web.WebSocketResponse(**options)
            await socket.prepare(request)
            await talk(self.Socket(socket, request.transport))
            return socket

        application = aiohttp.web.Application()
        application.router.add_get("/{path:.*}", handle)
        runner = aiohttp.web.AppRunner(application, shutdown_timeout=1)
        await runner.setup()
        site = aiohttp.web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
        await site.start()
        try:
            yield site._server.sockets[0].getsockname()[1]
        finally:
            await runner.cleanup()


class Picows:
    """PyPI's picows, which leaves assembling fragments to its user."""

    name = "picows"

    class Socket(picows.WSListener):
        def __init__(self, talk=None):
            self.talk, self.queue, self.parts, self.code = talk, asyncio.Queue(), [], 1006

        def on_ws_connected(self, transport):
            self.transport = transport
            headers = transport.response.headers
            self.subprotocol = headers.get("Sec-WebSocket-Protocol")
            self.is_compressed = "permessage-deflate" in (headers.get("Sec-WebSocket-Extensions") or "")
            if self.talk:
                self.task = asyncio.create_task(self.talk(self))

        def on_ws_frame(self, transport, frame):
            match frame.msg_type:
                case picows.WSMsgType.PING:
                    transport.send_pong(frame.get_payload_as_bytes())
                case picows.WSMsgType.PONG:
                    self.queue.put_nowait(("pong", frame.get_payload_as_bytes()))
                case picows.WSMsgType.CLOSE:
                    payload = frame.get_payload_as_memoryview()
                    self.code = int.from_bytes(payload[:2], "big") if len(payload) else 1005
                    transport.send_close(frame.get_close_code(), frame.get_close_message())
                    transport.disconnect()
                case kind:
                    if kind is not picows.WSMsgType.CONTINUATION:
                        self.kind = kind
                    self.parts.append(frame.get_payload_as_bytes())
                    if frame.fin:
                        whole, self.parts = b"".join(self.parts), []
                        text = self.kind is picows.WSMsgType.TEXT
                        self.queue.put_nowait(("message", whole.decode() if text else whole))

        def on_ws_disconnected(self, transport):
            self.queue.put_nowait(("end", None))

        async def _next(self, wanted):
            kind, value = await asyncio.wait_for(self.queue.get(), WAIT_SECONDS)
            if kind != wanted:
                raise EOFError(kind)
            return value

        async def send(self, message):
            kind = picows.WSMsgType.TEXT if isinstance(message, str) else picows.WSMsgType.BINARY
            self.transport.send(kind, message.encode() if isinstance(message, str) else message)

        async def receive(self):
            return await self._next("message")

        async def ping(self, payload):
            self.transport.send_ping(payload)
            assert await self._next("pong") == payload

        async def close(self, code=1000, reason=""):
            # Its send_close takes the codes of its enumeration only.
            self.transport.send(picows.WSMsgType.CLOSE, code.to_bytes(2, "big") + reason.encode())
            return await self.closing()

        async def closing(self):
            with contextlib.suppress(EOFError):
                while True:
                    await self.receive()
            return self.code

        def abort(self):
            self.transport.underlying_transport.abort()

    @contextlib.asynccontextmanager
    async def connect(self, url, subprotocols=(), compress=False, tls=None):
        fields = {"Sec-WebSocket-Protocol": ", ".join(subprotocols)} if subprotocols else {}
        if compress:
            fields["Sec-WebSocket-Extensions"] = "permessage-deflate"
        transport, socket = await picows.ws_connect(
            self.Socket, url, extra_headers=fields, ssl_context=tls, enable_auto_pong=False)
        try:
            yield socket
        finally:
            transport.disconnect(False)

    @contextlib.asynccontextmanager
    async def serve(self, talk, subprotocols=(), compress=False, tls=None):
        def listener(request):
            offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
            chosen = [name for name in subprotocols if name in offered]
            fields = {"Sec-WebSocket-Protocol": chosen[0]} if chosen else {}
            return picows.WSUpgradeResponseWithListener(
                picows.WSUpgradeResponse.create_101_response(fields), self.Socket(talk))

        server = await picows.ws_create_server(listener, "127.0.0.1", 0, ssl=tls, enable_auto_pong=False)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()


PEERS = [Websockets(), Aiohttp(), Picows()]
