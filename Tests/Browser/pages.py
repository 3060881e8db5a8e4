"""Browser pages that are watched, and the server and the network under them."""

import http.client
import json
import re
import select
import socket
import threading

from playwright.sync_api import expect

from programs import Server

# What the browser itself writes when a server is away.
OUTAGE = re.compile(r"WebSocket connection to '.*' failed|net::ERR_CONNECTION_(REFUSED|RESET)")

WATCH = """
addEventListener('securitypolicyviolation', (event) => {
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


class Demo:
    """`martlet serve --demo`, which can be killed and come back on its port."""

    def __init__(self):
        self.server = Server("serve", "--port", 0, "--demo")
        self.port = self.server.port

    @property
    def http(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def publish(self, channel, *items):
        """Publishes as a backend does, one after the other."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        for data in items:
            body = json.dumps({"channel": channel, "data": data})
            connection.request("POST", "/api/publish", body, {"X-API-Key": "demo-key"})
            answer = json.load(connection.getresponse())
            assert "error" not in answer, answer
        connection.close()

    def kill(self):
        """SIGKILL: nobody is told anything."""
        self.server.process.kill()
        self.server.process.wait()
        self.server.process.stdout.close()
        self.server.errors.close()

    def start(self):
        self.server = Server("serve", "--port", self.port, "--demo")

    def stop(self):
        self.server.__exit__(None, None, None)


class Network:
    """A TCP proxy before a server; `cut` ends every connection and refuses others until `mend`."""

    def __init__(self, port):
        self.target = port
        self.port = 0
        self.connections = set()
        self.lock = threading.Lock()
        self.listener = None
        self.mend()

    @property
    def http(self):
        return f"http://127.0.0.1:{self.port}"

    def mend(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def cut(self):
        # Only a shutdown wakes the thread that accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for end in self.connections:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.connections.clear()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                near.close()
                continue
            with self.lock:
                self.connections |= {near, far}
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near, far):
        other = {near: far, far: near}
        try:
            while True:
                for end in select.select([near, far], [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    other[end].sendall(data)
        except (OSError, ValueError):
            pass
        finally:
            with self.lock:
                self.connections -= {near, far}
            near.close()
            far.close()


class Windows:
    """Opens pages in browser contexts of their own, as different people would, and remembers what went wrong."""

    def __init__(self, browser):
        self.browser = browser
        self.contexts = []
        self.problems = []

    def open(self, url, name=None, context=None, **options):
        context = context or self.context(name, **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(f"{page.url}: {error}"))
        page.goto(url)
        return page

    def context(self, name=None, **options):
        context = self.browser.new_context(**options)
        self.contexts.append(context)
        context.add_init_script(WATCH)
        if name:
            text = json.dumps(json.dumps(name))
            context.add_init_script(f"localStorage.getItem('martlet.name') ?? localStorage.setItem('martlet.name', {text})")
        return context

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.text} ({message.location.get('url', '')})")

    def check(self, allows_outage=False):
        problems = [p for p in self.problems if not (allows_outage and OUTAGE.search(p))]
        assert not problems, "\n".join(problems)

    def close(self):
        for context in self.contexts:
            context.close()


def connected(page):
    expect(page.locator("#connection")).to_have_text("Connected", timeout=30_000)


def say(page, text):
    page.fill("#text", text)
    page.press("#text", "Enter")


def texts(page):
    """What the messages on a chat page say, in order."""
    return page.locator(".message .bubble p").all_inner_texts()
