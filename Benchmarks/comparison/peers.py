"""The servers that are compared: how each is started, and what it can do."""

import dataclasses
import os

from . import places


@dataclasses.dataclass(frozen=True)
class Hub:
    """A server that sends to all what is posted to it: `post` is the path for that, `path` the one for WebSockets.

    `greeting` is what a connection says to subscribe, `channel` the channel to publish to by Martlet's HTTP API, `key` the
    key for that.
    """

    post: str
    path: str = "/"
    greeting: str | None = None
    channel: str | None = None
    key: str | None = None


@dataclasses.dataclass(frozen=True)
class Peer:
    """A server, or a server with certain options.

    `command(port, mode, tls, deflate)` gives the words that start it; `mode` is "echo" or "broadcast".
    """

    name: str
    title: str
    family: str
    command: object
    tasks: frozenset = frozenset({"echo"})
    hub: Hub | None = None
    environment: dict = dataclasses.field(default_factory=dict)


def certificate(tls):
    return [places.CERTIFICATE, places.KEY] if tls else []


def martlet(port, mode, tls, deflate):
    if mode == "broadcast":
        return [places.SWIFT_BENCHMARKS / "broadcast", port]
    flags = ["--tls-certificate", places.CERTIFICATE, "--tls-key", places.KEY] if tls else []
    return [places.MARTLET, "echo", "--loops", "1", "--port", port, *flags, *(["--deflate"] if deflate else [])]


def martlet_uring(port, mode, tls, deflate):
    flag = [] if mode == "broadcast" else ["--driver"]
    return [*martlet(port, mode, tls, deflate), *flag, "io_uring"]


def uws(compression):
    def command(port, mode, tls, deflate):
        return [places.BUILT / "uws_echo", port, mode, compression if deflate else "none", *certificate(tls)]
    return command


def node(port, mode, tls, deflate):
    return ["node", places.SOURCES / "node_echo.cjs", port, mode, "deflate" if deflate else "none", *certificate(tls)]


def websockets(port, mode, tls, deflate):
    compression = "deflate" if deflate else "none"
    return [places.PYTHON, places.SOURCES / "websockets_echo.py", port, mode, compression, *certificate(tls)]


def nchan(port, mode, tls, deflate):
    folder = places.STORE / "nchan"
    folder.mkdir(parents=True, exist_ok=True)
    words = {"PORT": str(port), "FOLDER": str(folder), "TLS": "ssl" if tls else ""}
    words["CERTIFICATE"] = f"ssl_certificate {places.CERTIFICATE}; ssl_certificate_key {places.KEY};" if tls else ""
    text = (places.SOURCES / "nchan.conf").read_text()
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    path = folder / "nginx.conf"
    path.write_text(text)
    return ["/usr/sbin/nginx", "-c", path, "-p", folder]


SUBSCRIBE = '{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"news:1"}}'

ALL = [
    Peer("martlet", "Martlet", "martlet", martlet,
         frozenset({"echo", "broadcast", "tls", "deflate", "idle", "connect", "tls-connect", "tls-idle"})),
    Peer("martlet-uring", "Martlet, io_uring", "martlet", martlet_uring,
         frozenset({"echo", "broadcast", "tls", "idle", "connect"})),
    Peer("martlet-async", "Martlet, async/await", "martlet",
         lambda port, *_: [places.SWIFT_BENCHMARKS / "asyncecho", port], frozenset({"echo", "idle", "connect"})),
    Peer("martlet-serve", "Martlet's server", "martlet",
         lambda port, *_: [places.MARTLET, "serve", "--demo", "--loops", "1", "--port", port],
         frozenset({"broadcast", "idle"}),
         hub=Hub("/api/publish", "/connection/websocket", SUBSCRIBE, "news:1", "demo-key")),
    Peer("uws", "uWebSockets", "uws", uws("shared"),
         frozenset({"echo", "broadcast", "tls", "deflate", "idle", "connect", "tls-connect", "tls-idle"})),
    Peer("uws-dedicated", "uWebSockets, own compressors", "uws", uws("dedicated"), frozenset({"deflate"})),
    Peer("gorilla", "gorilla (Go)", "gorilla",
         lambda port, mode, tls, _: [places.BUILT / "gorilla_echo", port, mode, *certificate(tls)],
         frozenset({"echo", "broadcast", "tls", "idle", "connect", "tls-connect", "tls-idle"}),
         environment={"GOMAXPROCS": "1"}),
    Peer("node-ws", "ws (Node.js)", "node-ws", node,
         frozenset({"echo", "broadcast", "tls", "deflate", "idle", "connect", "tls-connect", "tls-idle"}),
         environment={"NODE_PATH": "/usr/share/nodejs"}),
    Peer("picows", "picows (Python)", "picows",
         lambda port, mode, tls, _:
             [places.PYTHON, places.SOURCES / "picows_echo.py", port, mode, *certificate(tls)],
         frozenset({"echo", "broadcast", "tls", "idle", "connect", "tls-connect", "tls-idle"})),
    Peer("websockets", "websockets (Python)", "websockets", websockets,
         frozenset({"echo", "broadcast", "tls", "deflate", "idle", "connect", "tls-connect", "tls-idle"})),
    Peer("nchan", "nchan (nginx)", "nchan", nchan,
         frozenset({"idle", "connect", "tls-connect", "tls-idle", "broadcast"}), hub=Hub("/publish")),
    Peer("floor", "bare C loop, unchecked", "floor",
         lambda port, *_: [places.BUILT / "floor_echo", port], frozenset({"echo"})),
]
# Who echoes can be paced.
ALL = [
    dataclasses.replace(peer, tasks=peer.tasks | {"paced"}) if "echo" in peer.tasks else peer for peer in ALL
]
BY_NAME = {peer.name: peer for peer in ALL}


def environment(peer):
    return {**os.environ, **peer.environment}
