"""The program's commands as scripts and people use them."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import pathlib
import re
import selectors
import signal
import socket
import subprocess
import time

import pytest
import requests
from messaging import API_KEY, SECRET, Commands, write_configuration
from programs import MARTLET, Server, environment, martlet
from raw_websocket import CLOSE, close_payload, connect, frame
from tokens import jwt

COMMANDS = ["serve", "echo", "connect", "publish", "subscribe", "devices", "token", "config", "version"]


def refuses(*arguments, env=None, containing="", status=2):
    """The command must end with this status and one line on standard error, which is returned."""
    done = martlet(*arguments, env=env)
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert containing.lower() in lines[0].lower(), lines[0]
    return lines[0]


# Help and version


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command):
    done = martlet(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"martlet {command}" in done.stdout and "--help" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert len(done.stdout.splitlines()) >= 5


def test_overview():
    done = martlet("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert re.search(rf"^\s+{command}\b", done.stdout, re.MULTILINE), command
    assert martlet("help").stdout == done.stdout


def test_no_command():
    done = martlet()
    assert done.returncode == 2 and done.stdout == "" and "usage" in done.stderr.lower()


def test_version():
    for spelling in (["version"], ["--version"]):
        done = martlet(*spelling)
        assert done.returncode == 0 and re.fullmatch(r"martlet \d+\.\d+\.\d+\S*\n", done.stdout)


# What cannot be used


def test_unknown_command():
    refuses("sevre", containing="serve")
    refuses("frobnicate", containing="frobnicate")
    refuses("")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flag(command):
    refuses(command, "--frobnicate", containing="--frobnicate")


def test_unknown_flag_with_a_suggestion():
    assert "--port" in refuses("serve", "--prot", "8000")
    assert "--max-message" in refuses("echo", "--max-mesage", "5")


@pytest.mark.parametrize("port", ["x", "-1", "65536", "80.5", "", "99999999999999999999", "0x50", " 80"])
def test_bad_port(port):
    refuses("serve", "--port", port, containing="port")
    refuses("echo", f"--port={port}", containing="port")


@pytest.mark.parametrize(
    "arguments",
    [
        ["echo", "--loops", "-1"],
        ["echo", "--loops", "many"],
        ["echo", "--max-message", "0"],
        ["echo", "--max-message", "big"],
        ["echo", "--max-message", "99999999999999999999"],
        ["echo", "--max-fragments", "-1"],
        ["echo", "--max-fragments", "none"],
        ["echo", "--port"],
        ["echo", "unexpected"],
        ["serve", "--config"],
        ["publish"],
        ["publish", "channel"],
        ["publish", "a", "b", "c"],
        ["subscribe"],
        ["connect"],
        ["connect", "http://example.com/"],
        ["connect", "ws://"],
        ["connect", "not a url"],
        ["token"],
        ["token", "--user", "ann", "--expires", "soon"],
        ["token", "--user", "ann", "--expires", "-1h"],
        ["devices", "--count", "0"],
        ["devices", "--count", "x"],
        ["config"],
        ["config", "frobnicate"],
        ["config", "check"],
    ],
    ids=" ".join,
)
def test_bad_arguments(arguments):
    refuses(*arguments, env={"MARTLET_TOKEN_SECRET": SECRET})


def test_files_that_cannot_be_read(tmp_path):
    refuses("serve", "--config", tmp_path / "none.json5", containing="none.json5")
    refuses("config", "check", tmp_path / "none.json5", containing="none.json5")
    refuses("serve", "--config", tmp_path, containing=str(tmp_path))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    refuses("serve", "--config", binary, containing="binary")


def test_address_that_cannot_be_listened_on():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refuses("echo", "--port", port, status=1)
        assert str(port) in line and "in use" in line
    refuses("echo", "--port", 0, "--host", "192.0.2.1", status=1, containing="192.0.2.1")
    refuses("echo", "--port", 0, "--host", "no-such-host.invalid", status=1, containing="no-such-host.invalid")


# Configuration


def test_default_configuration_is_valid(tmp_path):
    printed = martlet("config", "default")
    assert printed.returncode == 0
    path = tmp_path / "default.json5"
    path.write_text(printed.stdout)
    assert martlet("config", "check", path).returncode == 0


def test_documentation_of_the_configuration():
    done = martlet("config", "docs")
    assert done.returncode == 0 and "| `limits.message_bytes` |" in done.stdout


@pytest.mark.parametrize(
    "text, complaints",
    [
        ("{ prot: 1 }", ["prot", "port"]),
        ("{ limits: { mesage_bytes: 1 } }", ["mesage_bytes", "message_bytes"]),
        ("{ namespaces: { chat: { history_sise: 1 } } }", ["history_sise", "history_size"]),
        ("{ namespaces: { chat: { subscribe: ['everybody'] } } }", ["everybody"]),
        ("{ port: 'x' }", ["port"]),
        ("{ port: 70000 }", ["port"]),
        ("{ limits: { message_bytes: -1 } }", ["message_bytes"]),
        ("{ port: 1", [":1:"]),
        ("[]", []),
        ("{ port: 1 } trailing", []),
    ],
)
def test_wrong_configuration(tmp_path, text, complaints):
    path = tmp_path / "martlet.json5"
    path.write_text(text)
    for arguments in (["config", "check", path], ["serve", "--port", 0, "--config", path]):
        line = refuses(*arguments)
        assert all(complaint in line for complaint in ["martlet.json5", *complaints]), line


def test_every_problem_of_a_file_is_listed(tmp_path):
    path = tmp_path / "martlet.json5"
    path.write_text("{\n  prot: 1,\n  hots: 'x',\n}\n")
    done = martlet("config", "check", path)
    assert done.returncode == 2
    assert [line.split(":")[1] for line in done.stderr.splitlines()] == ["2", "3"]


def test_environment_over_file_and_flag_over_environment(tmp_path):
    with socket.socket() as one, socket.socket() as two:
        for it in (one, two):
            it.bind(("127.0.0.1", 0))
        in_environment, in_flag = one.getsockname()[1], two.getsockname()[1]
    path = tmp_path / "martlet.json5"
    path.write_text("{ port: 1, drain_seconds: 0 }")
    with Server("serve", "--config", path, env={"MARTLET_PORT": str(in_environment)}) as server:
        assert server.port == in_environment
    with Server("serve", "--config", path, "--port", in_flag, env={"MARTLET_PORT": "2"}) as server:
        assert server.port == in_flag


def test_unknown_or_bad_environment():
    assert "MARTLET_PORT" in refuses("serve", env={"MARTLET_PROT": "1"})
    refuses("serve", env={"MARTLET_PORT": "x"}, containing="MARTLET_PORT")


def test_secrets_are_not_printed(tmp_path):
    path = tmp_path / "martlet.json5"
    path.write_text("{ token: { secret: 12345678 }, api: { keys: 'hush-hush' } }")
    done = martlet("config", "check", path)
    assert done.returncode == 2
    assert "12345678" not in done.stderr and "hush" not in done.stderr


# Tokens


def test_token_is_a_jwt_that_verifies():
    done = martlet("token", "--user", "ann", "--expires", "1h", env={"MARTLET_TOKEN_SECRET": SECRET})
    assert done.returncode == 0, done.stderr
    header, claims, signature = done.stdout.strip().split(".")
    expected = hmac.digest(SECRET.encode(), f"{header}.{claims}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "=") == expected

    def decode(part):
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    assert decode(header)["alg"] == "HS256"
    assert decode(claims)["sub"] == "ann"
    assert abs(decode(claims)["exp"] - time.time() - 3600) < 10


def test_token_without_a_secret():
    refuses("token", "--user", "ann", containing="secret")


# Publishing and subscribing from the command line


@contextlib.contextmanager
def running(*arguments, env=None):
    """A command that runs on, its output line by line."""
    process = subprocess.Popen(
        [MARTLET, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env=environment(env),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_for_subscriber(server, channel):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        answer = requests.post(f"{server.http}/api/channels", headers={"X-API-Key": API_KEY}, data="{}", timeout=5)
        if channel in answer.json()["result"]["channels"]:
            return
        time.sleep(0.02)
    raise AssertionError(f"nobody subscribed to {channel}")


def test_publish_and_subscribe(demo):
    channel = "news:command-line"
    with running("subscribe", channel, "--url", demo.url) as subscriber:
        wait_for_subscriber(demo, channel)
        done = martlet("publish", channel, '{"n":1}', "--url", demo.url, "--api-key", API_KEY)
        assert done.returncode == 0, done.stderr
        assert '{"n":1}' in subscriber.stdout.readline()
        subscriber.send_signal(signal.SIGTERM)
        assert subscriber.wait(10) == 0


def test_publish_with_a_token(serve):
    done = martlet("publish", "plain:x", '"hello"', "--url", serve.url, "--token", jwt(SECRET, sub="ann"))
    assert done.returncode == 0, done.stderr


def test_publish_that_is_denied(serve):
    refuses("publish", "plain:x", "1", "--url", serve.url, "--api-key", "wrong", status=1)
    line = refuses("publish", "nowhere:x", "1", "--url", serve.url, "--api-key", API_KEY, status=1)
    assert "unknown channel (102) (has the server's configuration a namespace for it?)" in line
    line = refuses("publish", "closed:x", "1", "--url", serve.url, "--token", jwt(SECRET, sub="ann"), status=1)
    assert "permission denied" in line


def test_subscribe_that_is_denied(serve):
    refuses("subscribe", "closed:x", "--url", serve.url, "--token", jwt(SECRET, sub="ann"), status=1)


def test_nobody_listens():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    refuses("publish", "a", "1", "--url", f"ws://127.0.0.1:{port}", "--api-key", "k", status=1, containing="refused")
    refuses("connect", f"ws://127.0.0.1:{port}", status=1, containing="refused")


def test_connect_to_echo(echo):
    done = martlet("connect", echo.url, input="hello\nwörld\n")
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout and "wörld" in done.stdout


def test_devices(demo):
    with running("devices", "--url", demo.url, "--count", "3", "--interval-ms", "50"):
        with running("subscribe", "devices:all", "--url", demo.url) as subscriber:
            assert subscriber.stdout.readline().strip()


def test_devices_without_a_server():
    done = martlet("devices", "--url", "ws://127.0.0.1:1", "--count", "2", "--seconds", "1")
    assert done.returncode == 1
    assert "no device could connect to ws://127.0.0.1:1" in done.stderr


# Running and ending


def test_one_line_says_where_it_listens():
    for arguments in (["echo"], ["serve"], ["echo", "--host", "localhost"], ["echo", "--host", "::1"]):
        with Server(*arguments, "--port", 0) as server:
            assert server.host in ("127.0.0.1", "::1", "localhost")
        assert len([line for line in server.lines if "listening on" in line]) == 1


def test_demo_says_that_it_is_open():
    with Server("serve", "--port", 0, "--demo") as server:
        for _ in range(200):
            if "open to everyone" in server.output():
                break
            time.sleep(0.05)
        assert "demo" in server.output().lower() and "open to everyone" in server.output()


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_echo_says_goodbye(signal_number):
    with Server("echo", "--port", 0) as server:
        with connect(server.port) as one, connect(server.port) as two:
            two.send(frame(1, b"x"))
            two.read_frame()
            server.process.send_signal(signal_number)
            for raw in (one, two):
                assert raw.read_close() == 1001
                raw.send_if_open(frame(CLOSE, close_payload(1001)))
        assert server.process.wait(10) == 0
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=2).close()
        server.assert_running = lambda: None


async def test_serve_tells_clients_to_come_back(tmp_path):
    server = Server("serve", "--port", 0, "--config", write_configuration(tmp_path))
    async with Commands.open(server) as it:
        await it.connect(jwt(SECRET, sub="ann"))
        server.process.send_signal(signal.SIGTERM)
        assert await it.closed() == 3001
    assert await asyncio.to_thread(server.process.wait, 10) == 0


def test_drain_is_spread_over_its_time(tmp_path):
    with Server("serve", "--port", 0, "--demo", env={"MARTLET_DRAIN_SECONDS": "2"}) as server:
        sockets = [connect(server.port, "/connection/websocket") for _ in range(100)]
        for raw in sockets:
            raw.send(frame(1, b'{"id":1,"connect":{}}'))
            raw.read_frame()
        server.process.send_signal(signal.SIGTERM)
        started, ends = time.monotonic(), []
        for raw in sockets:
            raw.socket.settimeout(10)
        with selectors.DefaultSelector() as selector:
            for raw in sockets:
                selector.register(raw.socket, selectors.EVENT_READ, raw)
            while selector.get_map():
                for key, _ in selector.select(10):
                    assert key.data.read_close() == 3001
                    ends.append(time.monotonic() - started)
                    selector.unregister(key.fileobj)
                    key.data.close()
        assert 1 < max(ends) < 4
        # About as many in each half, not all in one moment.
        assert 20 <= sum(end < max(ends) / 2 for end in ends) <= 80
        assert server.process.wait(10) == 0
        server.assert_running = lambda: None


def test_silent_and_half_open_connections_do_not_hold_up_the_end():
    with Server("echo", "--port", 0) as server:
        silent = socket.create_connection(("127.0.0.1", server.port))
        raw = connect(server.port)
        started = time.monotonic()
        assert server.terminate() == 0
        assert time.monotonic() - started < 12
        silent.close()
        raw.close()
        server.assert_running = lambda: None


def test_several_loops_share_a_port():
    with Server("echo", "--port", 0, "--loops", 4) as server:
        assert len(list(pathlib.Path(f"/proc/{server.pid}/task").iterdir())) >= 4
        for number in range(50):
            with connect(server.port) as raw:
                raw.send(frame(1, str(number).encode()))
                assert raw.read_frame()[2] == str(number).encode()


def test_max_message():
    with Server("echo", "--port", 0, "--max-message", "1KiB") as server:
        with connect(server.port) as raw:
            raw.send(frame(2, b"x" * 1024))
            assert raw.read_frame()[2] == b"x" * 1024
            raw.send(frame(2, b"x" * 1025))
            assert raw.read_close() == 1009


@pytest.mark.parametrize("limit, fragments", [(4, 4), (0, 5_000)])
def test_max_fragments(limit, fragments):
    with Server("echo", "--port", 0, "--max-fragments", limit) as server, connect(server.port) as raw:
        raw.send(frame(1, b"x", final=False) + frame(0, b"x", final=False) * (fragments - 2) + frame(0, b"x"))
        assert raw.read_frame()[2] == b"x" * fragments
        if limit:
            raw.send(frame(1, b"x", final=False) + frame(0, b"x", final=False) * limit)
            assert raw.read_close() == 1008


def test_configuration_is_read_again_at_hangup(tmp_path):
    path = tmp_path / "martlet.json5"

    def write(port=0, **settings):
        path.write_text(json.dumps({"port": port, **settings}))

    def hangup(words):
        server.process.send_signal(signal.SIGHUP)
        for _ in range(200):
            if words in server.output():
                return
            time.sleep(0.05)
        raise AssertionError(server.output())

    def publish(key, channel):
        answer = requests.post(
            f"{server.http}/api/publish", json={"channel": channel, "data": 1}, headers={"X-API-Key": key}, timeout=5
        )
        return answer.status_code if answer.status_code != 200 else answer.json()

    write(api={"keys": ["old"]}, namespaces={"news": {}})
    with Server("serve", "--config", path) as server:
        assert publish("old", "chat:1")["error"]["code"] == 102
        write(api={"keys": ["old", "new"]}, namespaces={"news": {}, "chat": {}}, loops=1)
        hangup('"in_force":["api.keys","namespaces"],"needs_restart":["loops"]}')
        assert "result" in publish("new", "chat:1")
        write(api={"keys": ["new"]}, namespaces={"news": {"history": 1}})
        hangup("the configuration has a mistake; the old one stays")
        assert "result" in publish("old", "chat:1")
        write(api={"keys": ["new"]}, namespaces={"news": {}, "chat": {}})
        hangup('"in_force":["api.keys"],"needs_restart":[]}')
        assert publish("old", "chat:1") == 401
        hangup('"in_force":[],"needs_restart":[]}')
