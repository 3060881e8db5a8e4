"""`martlet serve` as a service: its log, and what changes when it reads its configuration again."""

import datetime
import json
import os
import pty
import signal
import subprocess
import threading
import time

import pytest
import requests
from messaging import Commands
from programs import MARTLET, Server, environment
from raw_websocket import RawSocket, request
from tokens import jwt

OLD, NEW = "an old secret of the tests, of 32 bytes", "a new secret of the tests, of 32 bytes"


class Service:
    """A server with a configuration that changes."""

    def __init__(self, folder, **settings):
        self.path = folder / "martlet.json5"
        self.write(**settings)
        self.server = Server("serve", "--config", self.path)

    def write(self, **settings):
        namespaces = {"chat": {"subscribe": ["authenticated"]}}
        self.path.write_text(json.dumps({"port": 0, "drain_seconds": 0, "namespaces": namespaces, **settings}))

    def events(self):
        """The lines of the log so far."""
        self.server.errors.flush()
        self.server.errors.seek(0)
        return [json.loads(line) for line in self.server.errors.read().splitlines()]

    def event(self, message, count=1):
        """Waits for the event of that message, the `count`th one."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            found = [event for event in self.events() if event["message"] == message]
            if len(found) >= count:
                return found[count - 1]
            time.sleep(0.02)
        raise AssertionError((message, self.events()))

    def reload(self, count=1, message="the configuration was read again"):
        self.server.process.send_signal(signal.SIGHUP)
        return self.event(message, count)

    def open(self, origin):
        """The status of a WebSocket of a page of that origin."""
        with RawSocket(self.server.port) as raw:
            raw.send(request(path="/connection/websocket", extra=[f"Origin: {origin}"]))
            return raw.read_head()[0]

    def __enter__(self):
        return self

    def __exit__(self, *what):
        return self.server.__exit__(*what)


def test_lines_of_the_log(tmp_path):
    with Service(tmp_path) as service:
        start = service.event("listening")
        assert start["level"] == "info" and start["url"] == service.server.url
        assert start["process"] == service.server.pid
        at = datetime.datetime.fromisoformat(start["time"])
        assert abs((datetime.datetime.now(datetime.UTC) - at).total_seconds()) < 60
        # What a stranger sends ends no line, and is no line of its own.
        forged = 'x", "level": "error", "message": "forged'
        answer = requests.post(
            f"{service.server.http}/api/publish%0a{{}}", headers={"X-API-Key": forged}, timeout=10)
        assert answer.status_code == 401
        refused = service.event("a call of the server API has no key that fits")
        assert refused["path"] == "/api/publish%0A%7B%7D" and refused["address"] == "127.0.0.1"
        assert service.open('https://evil.example"}\x7f{"') in (400, 403)
        assert service.open("https://evil.example") == 403
        assert service.event("a web page of another origin was refused")["level"] == "warning"
        # A flood of them is ten lines.
        for _ in range(30):
            service.open("https://evil.example")
        refused = [event for event in service.events() if event["message"].startswith("a web page of another")]
        assert len(refused) == 10
        metrics = requests.get(f"{service.server.http}/metrics", timeout=10).text
        left_out = [line for line in metrics.splitlines() if line.startswith("martlet_log_lines_left_out_total ")]
        assert int(left_out[0].split()[1]) >= 20
        assert "martlet_log_lines_dropped_total 0" in metrics.splitlines()


def test_the_end_is_logged(tmp_path):
    log = tmp_path / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [MARTLET, "serve", "--port", "0", "--drain-seconds", "0"], env=environment(), stdout=subprocess.PIPE,
            stderr=errors)
        process.stdout.readline()
        process.terminate()
        assert process.wait(20) == 0
        process.stdout.close()
    messages = [json.loads(line)["message"] for line in log.read_text().splitlines()]
    assert messages[-2:] == ["draining", "stopped"]


def test_nobody_who_reads_holds_the_server_back(tmp_path):
    """Standard error is a pipe that is full."""
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [MARTLET, "serve", "--port", "0", "--drain-seconds", "0"],
        env=environment({"MARTLET_LOG_LEVEL": "debug", "MARTLET_ALLOW_ANONYMOUS": "true"}), stdout=subprocess.PIPE,
        stderr=writing, text=True)
    try:
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b"." * 4096)
        except BlockingIOError:
            pass
        os.set_blocking(writing, True)
        line = next(line for line in process.stdout if "listening on" in line)
        port = int(line.rsplit(":", 1)[1])
        for _ in range(300):
            answer = requests.post(
                f"http://127.0.0.1:{port}/connection/uni_sse", data="nonsense", timeout=10)
            assert answer.status_code in (200, 400)
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        os.close(reading)
        os.close(writing)


def test_whoever_reads_may_go_away():
    process = subprocess.Popen(
        [MARTLET, "serve", "--port", "0", "--drain-seconds", "0"], env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True)
    line = next(line for line in process.stdout if "listening on" in line)
    process.stderr.readline()
    process.stderr.close()
    url = f"http://127.0.0.1:{line.rsplit(':', 1)[1].strip()}"
    for _ in range(3):
        assert requests.post(f"{url}/api/info", timeout=10).status_code == 401
    assert requests.get(f"{url}/health", timeout=10).status_code == 200
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()


def test_a_terminal_gets_text(tmp_path):
    main, terminal = pty.openpty()
    process = subprocess.Popen(
        [MARTLET, "serve", "--port", "0", "--drain-seconds", "0", "--demo"], env=environment({"TERM": "xterm"}),
        stdout=subprocess.PIPE, stderr=terminal)
    os.close(terminal)
    text = bytearray()

    def read():
        try:
            while piece := os.read(main, 4096):
                text.extend(piece)
        except OSError:
            pass

    reader = threading.Thread(target=read)
    reader.start()
    for line in process.stdout:
        if b"listening on" in line:
            break
    process.terminate()
    assert process.wait(20) == 0
    process.stdout.close()
    reader.join(10)
    os.close(main)
    assert b"DEMO: everything in" in text and b'{"time"' not in text
    assert b" info    draining milliseconds=0\r\n" in text


async def test_a_token_of_the_old_key_is_refused(tmp_path):
    with Service(tmp_path, token={"secret": OLD}) as service:
        async with Commands.open(service.server) as there:
            await there.connect(token=jwt(OLD, sub="ann"))
            service.write(token={"secret": OLD, "secrets": [NEW]})
            assert service.reload()["in_force"] == ["token.secrets"]
            for secret in (OLD, NEW):
                async with Commands.open(service.server) as other:
                    await other.connect(token=jwt(secret, sub="ben"))
            service.write(token={"secret": NEW})
            assert service.reload(2)["in_force"] == ["token.secret", "token.secrets"]
            async with Commands.open(service.server) as other:
                await other.send({"id": 1, "connect": {"token": jwt(OLD, sub="ben")}})
                assert await other.closed() == 3500
            assert service.event("a token was refused")["command"] == "connect"
            async with Commands.open(service.server) as other:
                await other.connect(token=jwt(NEW, sub="ben"))
            # Who was there stays, until its token is over.
            assert "subscribe" in await there.call(subscribe={"channel": "chat:a"})
            await there.send({"id": 99, "refresh": {"token": jwt(OLD, sub="ann")}})
            assert await there.closed() == 3500


async def test_origins_and_limits(tmp_path):
    with Service(tmp_path, token={"secret": OLD}) as service:
        async with Commands.open(service.server) as there:
            await there.connect(token=jwt(OLD, sub="ann"))
            assert service.open("https://a.example") == 403
            changed = {"allowed_origins": ["https://a.example"], "limits": {"message_bytes": 1_000}, "loops": 1}
            service.write(token={"secret": OLD}, **changed)
            event = service.reload()
            assert event["in_force"] == ["allowed_origins", "limits.message_bytes"]
            assert event["needs_restart"] == ["loops"]
            assert service.open("https://a.example") == 101
            async with Commands.open(service.server) as other:
                await other.connect(token=jwt(OLD, sub="ben"))
                await other.send({"id": 2, "ping": {}, "pad": "x" * 1_000})
                assert await other.closed() == 1009
            assert await there.call(ping={}, pad="x" * 1_000)


async def test_rates_and_channels(tmp_path):
    with Service(tmp_path, token={"secret": OLD}, rate_limits={"connection_commands": "1000:1000"}) as service:
        async with Commands.open(service.server) as there:
            await there.connect(token=jwt(OLD, sub="ann"))
            assert "subscribe" in await there.call(subscribe={"channel": "chat:a"})
            changed = {"rate_limits": {"connection_commands": "1:4"}, "limits": {"channels_per_connection": 1}}
            service.write(token={"secret": OLD}, **changed)
            assert service.reload()["in_force"] == ["limits.channels_per_connection", "rate_limits.connection_commands"]
            assert (await there.call(subscribe={"channel": "chat:b"}))["error"]["code"] == 106
            codes = [(await there.call(presence={"channel": "chat:a"}))["error"]["code"] for _ in range(6)]
            assert codes[-1] == 111
            assert "subscribe" not in await there.call(subscribe={"channel": "chat:c"})


@pytest.mark.parametrize(
    "mistake, words",
    [
        ({"token": {"public_keys": ["/no/such.pem"]}, "allowed_origins": ["*"]}, "/no/such.pem"),
        ({"token": {"issuers": ["nonsense"]}, "allowed_origins": ["*"]}, "JWKS_URL"),
        ({"allowed_origins": ["*"], "limits": {"ping_seconds": 1}}, "limits.pong_seconds"),
        ({"allowed_origins": ["*"], "nonsense": 1}, "unknown key"),
    ],
)
def test_a_mistake_changes_nothing(tmp_path, mistake, words):
    with Service(tmp_path) as service:
        service.write(**mistake)
        event = service.reload(message="the configuration has a mistake; the old one stays")
        assert event["level"] == "error" and words in event["error"]
        assert service.open("https://a.example") == 403
        service.write()
        event = service.reload()
        assert event["in_force"] == [] and event["needs_restart"] == []
