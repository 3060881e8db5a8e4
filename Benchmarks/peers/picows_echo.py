"""PyPI's picows on uvloop: echoes, or sends each message to everybody.

    picows_echo.py PORT echo|broadcast [CERTIFICATE KEY]
"""

import asyncio
import ssl
import sys

import uvloop
from picows import WSListener, WSMsgType, ws_create_server

port, mode, *certificate = sys.argv[1:]
guests = set()


class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            transport.send(frame.msg_type, frame.get_payload_as_memoryview())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


class Everybody(WSListener):
    def on_ws_connected(self, transport):
        guests.add(transport)

    def on_ws_disconnected(self, transport):
        guests.discard(transport)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            message = frame.get_payload_as_bytes()
            for guest in guests:
                guest.send(frame.msg_type, message)
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()


async def main():
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
    listener = Echo if mode == "echo" else Everybody
    server = await ws_create_server(lambda _: listener(), "127.0.0.1", int(port), ssl=tls, backlog=4096)
    print("listening on", port, flush=True)
    await server.serve_forever()


uvloop.run(main())
