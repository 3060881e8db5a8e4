"""`martlet connect` on a terminal (a pty, shown by the terminal emulator pyte) and in pipes."""

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import pyte
import pytest
from aiohttp import WSMsgType, web
from programs import MARTLET, environment, martlet

CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_K, CTRL_L, CTRL_U, CTRL_W = (
    "\x01", "\x03", "\x04", "\x05", "\x0b", "\x0c", "\x15", "\x17",
)  # fmt: skip
UP, LEFT, HOME = "\x1b[A", "\x1b[D", "\x1b[H"


class Shell:
    """A running `martlet connect` on a terminal of 80 columns and 24 rows."""

    def __init__(self, *arguments, home, env=None):
        self.screen = pyte.HistoryScreen(80, 24, history=1_000)
        self.terminal = pyte.ByteStream(self.screen)
        self.raw = b""
        self.fd, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.before = termios.tcgetattr(child)
        self.child = child
        kept = {"TERM": "xterm-256color", "XDG_STATE_HOME": str(home), **(env or {})}
        self.process = subprocess.Popen(
            [MARTLET, "connect", *map(str, arguments)],
            stdin=child,
            stdout=child,
            stderr=child,
            env={name: value for name, value in {**environment(), **kept}.items() if value is not None},
            start_new_session=True,
        )

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return
        data = os.read(self.fd, 65_536)
        self.raw += data
        self.terminal.feed(data)

    def rows(self):
        return [row.rstrip() for row in self.screen.display]

    def text(self):
        return "\n".join(self.rows()).rstrip()

    def wait_for(self, what, seconds=10):
        """Waits until a text, or what a function is true for, is on the screen."""
        shows = what if callable(what) else lambda shell: what in shell.text()
        end = time.monotonic() + seconds
        while not shows(self):
            assert time.monotonic() < end, f"{what!r} does not come:\n{self.text()}"
            self.read(0.1)

    def line(self):
        """The row with the cursor, and the cursor's column."""
        return self.rows()[self.screen.cursor.y], self.screen.cursor.x

    def type(self, text):
        os.write(self.fd, text.encode())

    def enter(self, text):
        self.type(text + "\r")

    def end(self, seconds=10):
        """Waits for the end: the exit status."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end:\n{self.text()}"
            self.read(0.05)
        while select.select([self.fd], [], [], 0.1)[0]:
            self.read(0)
        assert termios.tcgetattr(self.child) == self.before, "the terminal is not as it was"
        assert self.raw.rstrip().rfind(b"\x1b[?2004l") > self.raw.rfind(b"\x1b[?2004h")
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
        os.close(self.child)


@pytest.fixture
def shell(echo, tmp_path):
    with Shell(echo.url, home=tmp_path, env={"NO_COLOR": "1"}) as shell:
        shell.wait_for("/help lists commands")
        yield shell


def test_a_message_and_its_echo(shell):
    assert re.search(r"connected to ws://127\.0\.0\.1:\d+/ in [\d.]+ ms", shell.text())
    shell.enter("hello wörld 漢字 🐦")
    shell.wait_for("< hello wörld")
    # pyte leaves a cell free behind a wide character.
    assert "> hello wörld" in shell.text()
    assert shell.line() == (">", 2)
    shell.type(CTRL_D)
    assert shell.end() == 0
    assert "closed with 1000" in shell.text()


def test_editing_the_line(shell):
    shell.type("wrld" + LEFT * 3 + "o" + HOME + "hello " + CTRL_E + "!!")
    shell.wait_for(lambda it: it.line() == ("> hello world!!", 15))
    shell.type("\x7f" + CTRL_A)
    shell.wait_for(lambda it: it.line() == ("> hello world!", 2))
    shell.type(CTRL_E + CTRL_W)
    shell.wait_for(lambda it: it.line() == ("> hello", 8))
    shell.type(CTRL_U + "gone" + CTRL_C)
    shell.wait_for(lambda it: it.line() == (">", 2))
    shell.type("abc" + LEFT + CTRL_K + "\r")
    shell.wait_for("< ab")
    shell.type(CTRL_L)
    shell.wait_for(lambda it: it.text() == ">")
    shell.type(CTRL_C)
    assert shell.end() == 0


def test_messages_come_above_the_line(shell):
    shell.enter("one")
    shell.wait_for("< one")
    shell.type("half a li")
    shell.wait_for("> half a li")
    shell.type("ne" + LEFT * 4)
    shell.enter("")
    shell.wait_for("< half a line")
    assert [row for row in shell.rows() if row][-5:] == ["> one", "< one", "> half a line", "< half a line", ">"]


def test_a_long_line_scrolls(shell):
    text = "".join(str(number % 10) for number in range(200))
    shell.type(text)
    shell.wait_for(lambda it: it.line()[0].endswith("789"))
    row, column = shell.line()
    assert len(row) < 80 and column == len(row)
    shell.type(HOME)
    shell.wait_for(lambda it: it.line() == ("> " + text[:77], 2))
    shell.enter("")
    shell.wait_for(lambda it: ("< " + text)[:80] in it.rows())


def test_json_is_laid_out(shell):
    shell.enter(json.dumps({"name": "x" * 40, "list": [1, 2], "more": {"deep": "y" * 40}}))
    shell.wait_for('    "more": {')
    at = shell.rows().index("< {")
    assert shell.rows()[at : at + 5] == [
        "< {",
        f'    "name": "{"x" * 40}",',
        '    "list": [1, 2],',
        '    "more": {"deep": "' + "y" * 40 + '"}',
        "  }",
    ]


def test_commands(shell, tmp_path):
    shell.enter("/ping")
    shell.wait_for(lambda it: re.search(r"pong after [\d.]+ ms", it.text()))
    shell.enter("/binary 48 69 00 ff")
    shell.wait_for("< binary, 4 bytes")
    shell.wait_for("00000000  48 69 00 ff")
    path = tmp_path / "file.txt"
    path.write_text("from a file")
    shell.enter(f"/file {path}")
    shell.wait_for("< from a file")
    shell.enter("/file /nonexistent")
    shell.wait_for('cannot read "/nonexistent"')
    shell.enter("/pong")
    shell.wait_for("did you mean /ping?")
    shell.enter("//ping")
    shell.wait_for("< /ping")
    shell.enter("/help")
    shell.wait_for("/close [CODE [REASON]]")
    shell.enter("/close 4321 so long")
    assert shell.end() == 4
    assert "closed with 4321" in shell.text()


def test_history_outlives_the_shell(echo, tmp_path):
    for number, expected in enumerate(["> first line", "> second line"]):
        with Shell(echo.url, home=tmp_path) as shell:
            shell.wait_for("/help")
            if number:
                shell.type(UP)
                shell.wait_for(lambda it: it.line()[0] == "> first line")
                shell.type(CTRL_U)
            shell.enter(expected[2:])
            shell.wait_for("< " + expected[2:])
            shell.enter(" with a blank before it: not kept")
            shell.type(CTRL_D)
            assert shell.end() == 0
    history = tmp_path / "martlet/history"
    assert history.read_text() == "first line\nsecond line\n"
    assert history.stat().st_mode & 0o777 == 0o600


def test_a_paste_of_several_lines_is_one_message(shell):
    shell.type("\x1b[200~one\rtwo\x1b[201~")
    shell.wait_for(lambda it: it.line()[0] == "> one↵two")
    shell.enter("")
    shell.wait_for(lambda it: [row for row in it.rows() if row][-3:-1] == ["< one", "  two"])


def test_what_a_server_sends_does_not_control_the_terminal(shell):
    shell.enter("x")
    shell.wait_for("< x")
    before = shell.raw
    shell.type("\x1b[200~\x1b\x1b]0;title\x07\x1b[201~")
    shell.enter("")
    shell.wait_for("< ]0;title")
    assert b"\x1b]0;" not in shell.raw[len(before) :]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_leaves_the_terminal_as_it_was(shell, signal_number):
    shell.process.send_signal(signal_number)
    assert shell.end() == -signal_number


def test_colours(echo, tmp_path):
    with Shell(echo.url, home=tmp_path, env={"NO_COLOR": None}) as shell:
        shell.wait_for("/help")
        shell.enter('{"a":true}')
        shell.wait_for('< {"a": true}')
        assert b'\x1b[34m"a"\x1b[0m' in shell.raw
    with Shell(echo.url, home=tmp_path, env={"NO_COLOR": "1"}) as shell:
        shell.wait_for("/help")
        shell.enter('{"a":true}')
        shell.wait_for('< {"a": true}')
        assert not re.search(rb"\x1b\[[\d;]*m", shell.raw)


def test_a_dumb_terminal_gets_plain_lines(echo, tmp_path):
    with Shell(echo.url, home=tmp_path, env={"TERM": "dumb"}) as shell:
        shell.wait_for("connected in")
        shell.type("hello\n")
        shell.wait_for(lambda it: it.text().count("hello") == 2)
        assert b"\x1b" not in shell.raw


# Servers that do what the echo does not


class Site:
    """An aiohttp server; `handlers` are its routes."""

    def __init__(self, **handlers):
        self.handlers = handlers

    async def __aenter__(self):
        application = web.Application()
        for name, handler in self.handlers.items():
            application.router.add_get(f"/{name}", handler)
        self.runner = web.AppRunner(application)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        await self.runner.cleanup()

    def url(self, name):
        return f"ws://127.0.0.1:{self.port}/{name}"


async def run(*arguments, input="", **options):
    return await asyncio.to_thread(martlet, "connect", *arguments, input=input, **options)


async def greet(request):
    """Says what it was asked, then closes as the query wants."""
    socket = web.WebSocketResponse(protocols=["v1"])
    socket.set_cookie("seen", "yes")
    await socket.prepare(request)
    fields = {name: value for name, value in request.headers.items() if name in ("Authorization", "Cookie", "X-A")}
    await socket.send_json({"fields": fields, "path": request.path_qs})
    if code := request.query.get("code"):
        await socket.close(code=int(code), message=b"because")
    async for message in socket:
        if message.type == WSMsgType.TEXT and message.data == "bytes":
            await socket.send_bytes(b"\x00\xff")
    return socket


async def test_fields_cookies_and_passwords():
    async with Site(greet=greet) as site:
        done = await run(
            *(site.url("greet"), "--one", "--header", "X-A: b", "--cookie", "a=1", "--cookie", "b=2"),
            *("--user", "änn:p:w"),
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["fields"] == {
            "X-A": "b",
            "Cookie": "a=1; b=2",
            "Authorization": "Basic w6RubjpwOnc=",
        }
        inline = await run(site.url("greet").replace("//", "//u%40x:p%2Fw@"), "--one")
        assert json.loads(inline.stdout)["fields"] == {"Authorization": "Basic dUB4OnAvdw=="}


async def test_output_in_a_pipe():
    async with Site(greet=greet) as site:
        url = site.url("greet")
        plain = await run(url, input="bytes\n")
        assert plain.stdout.splitlines()[1:] == ["AP8="] and plain.stderr == ""
        digits = await run(url, "--binary", "hex", input="bytes\n")
        assert digits.stdout.splitlines()[1:] == ["00ff"]
        lines = [json.loads(line) for line in (await run(url, "--json", input="bytes\n")).stdout.splitlines()]
        assert [line["type"] for line in lines] == ["text", "binary", "close"]
        assert lines[1]["data"] == "AP8=" and lines[2]["code"] == 1000


@pytest.mark.parametrize(("code", "status"), [(1000, 0), (1001, 0), (1011, 4), (4000, 4)])
async def test_exit_statuses_of_closures(code, status):
    async with Site(greet=greet) as site:
        done = await run(site.url(f"greet?code={code}"), "--wait", "1m")
        assert done.returncode == status
        assert (str(code) in done.stderr and "because" in done.stderr) == (status != 0)


async def test_redirects():
    async def away(request):
        raise web.HTTPFound(f"http://127.0.0.1:{other.port}/greet?far")

    async def near(request):
        raise web.HTTPTemporaryRedirect("greet?near")

    async def circle(request):
        raise web.HTTPMovedPermanently("/circle")

    async with Site(greet=greet) as other, Site(greet=greet, away=away, near=near, circle=circle) as site:
        secrets = ("--one", "--user", "a:b", "--cookie", "c=d", "--header", "X-A: e")
        kept = json.loads((await run(site.url("near"), *secrets)).stdout)
        assert kept["path"] == "/greet?near" and kept["fields"].keys() == {"Authorization", "Cookie", "X-A"}
        dropped = json.loads((await run(site.url("away"), *secrets)).stdout)
        assert dropped == {"path": "/greet?far", "fields": {"X-A": "e"}}
        circling = await run(site.url("circle"))
        assert circling.returncode == 3 and "in a circle" in circling.stderr
        refused = await run(site.url("near"), "--redirects", "0")
        assert refused.returncode == 3 and "307" in refused.stderr


async def test_refusals():
    async def busy(request):
        return web.Response(status=429, text="slow down\n", headers={"Retry-After": "17"})

    async def plain(request):
        return web.Response(text="no WebSocket here")

    async with Site(busy=busy, plain=plain) as site:
        done = await run(site.url("busy"))
        assert done.returncode == 3 and done.stdout == ""
        assert "429 Too Many Requests" in done.stderr
        assert "try again in 17 s" in done.stderr and '"slow down"' in done.stderr
        assert (await run(site.url("plain"))).returncode == 3
        missing = await run(site.url("missing"))
        assert missing.returncode == 3 and "404" in missing.stderr


async def test_one_message_in_time():
    async def silent(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for _ in socket:
            pass
        return socket

    async with Site(silent=silent, greet=greet) as site:
        done = await run(site.url("silent"), "--one", "--timeout", "1s", input="x\n")
        assert done.returncode == 1 and "no message came" in done.stderr
        assert (await run(site.url("greet"), "--one", "--timeout", "5s", input="x\n")).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--header", "Upgrade: x"], "opening handshake"),
        (["--cookie", "a b=c"], "cookie"),
        (["--cookie", "novalue"], "is not a cookie"),
        (["--proxy", "gopher://x"], "proxy"),
        (["--subprotocol", "a b"], "subprotocol"),
        (["--binary", "octal"], "base64"),
    ],
)
def test_usage(arguments, part):
    done = martlet("connect", "ws://127.0.0.1:9/", *arguments)
    assert done.returncode == 2 and part in done.stderr and done.stderr.count("\n") == 1
