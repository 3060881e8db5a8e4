"""PyPI's websockets on uvloop: echoes, or sends each message to everybody.

    websockets_echo.py PORT echo|broadcast none|deflate [CERTIFICATE KEY]
"""

import asyncio
import ssl
import sys

import uvloop
from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed

port, mode, compression, *certificate = sys.argv[1:]
guests = set()


async def echo(socket):
    try:
        async for message in socket:
            await socket.send(message)
    except ConnectionClosed:
        pass


async def tell_everybody(socket):
    guests.add(socket)
    try:
        async for message in socket:
            broadcast(guests, message)
    except ConnectionClosed:
        pass
    finally:
        guests.discard(socket)


async def main():
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
    talk = echo if mode == "echo" else tell_everybody
    options = {"compression": "deflate" if compression == "deflate" else None, "ssl": tls, "max_size": 16 << 20}
    async with serve(talk, "127.0.0.1", int(port), ping_interval=None, backlog=4096, **options) as server:
        print("listening on", port, flush=True)
        await server.serve_forever()


uvloop.run(main())
