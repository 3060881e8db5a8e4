"""An application behind `martlet serve`: answers its questions, takes its webhooks, publishes its keys."""

import asyncio
import contextlib
import json

from aiohttp import web

from messaging import API_KEY, SECRET
from programs import Server

CONFIGURATION = """
{
  drain_seconds: 0,
  token: { secret: '%(secret)s', jwks_url: '%(url)s/keys' },
  api: { keys: ['%(key)s'] },
  backend: {
    connect_url: '%(url)s/connect', refresh_url: '%(url)s/refresh', subscribe_url: '%(url)s/subscribe',
    sub_refresh_url: '%(url)s/sub_refresh', publish_url: '%(url)s/publish', rpc_url: '%(url)s/rpc',
    namespaces: ['asked'], pass_headers: ['Cookie'], headers: ['X-Key: of the application'], include_meta: true,
    timeout_seconds: 1,
  },
  webhooks: { url: '%(url)s/hook', secret: 'signs hooks' },
  namespaces: {
    asked: { history_size: 10, history_ttl_seconds: 60 },
    room: { subscribe: ['authenticated'], keep_presence: true },
  },
}
"""


class Application:
    def __init__(self):
        self.answers = {}
        self.requests = asyncio.Queue()
        self.hooks = asyncio.Queue()
        self.keys = []
        self.connections = set()
        self.hook_status = 200

    async def start(self):
        app = web.Application()
        app.router.add_post("/hook", self.hook)
        app.router.add_get("/keys", self.key_set)
        app.router.add_post("/{event}", self.ask)
        self.runner = web.AppRunner(app)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.url = "http://127.0.0.1:%d" % site._server.sockets[0].getsockname()[1]

    async def ask(self, request):
        self.connections.add(request.transport.get_extra_info("peername"))
        event, body = request.match_info["event"], await request.json()
        self.requests.put_nowait((event, body, request.headers))
        answer = self.answers[event]
        if callable(answer):
            answer = await answer(body)
        return answer if isinstance(answer, web.Response) else web.json_response(answer)

    async def hook(self, request):
        self.hooks.put_nowait((request.headers, await request.read()))
        return web.Response(status=self.hook_status)

    async def key_set(self, _):
        return web.json_response({"keys": self.keys})

    async def request(self):
        return await asyncio.wait_for(self.requests.get(), 10)

    async def events(self, count):
        """The next events, of however many batches."""
        events = []
        while len(events) < count:
            _, body = await asyncio.wait_for(self.hooks.get(), 10)
            events += json.loads(body)["events"]
        return events


@contextlib.asynccontextmanager
async def application(folder, keys=(), **answers):
    """An application with these answers, and a server that asks it."""
    app = Application()
    app.keys, app.answers = list(keys), answers
    await app.start()
    path = folder / "martlet.json5"
    path.write_text(CONFIGURATION % {"secret": SECRET, "key": API_KEY, "url": app.url})
    try:
        with await asyncio.to_thread(Server, "serve", "--port", 0, "--config", path) as server:
            yield app, server
            server.assert_running()
    finally:
        await app.runner.cleanup()
