"""`martlet bench`: what it reports, against our servers and a foreign one."""

import asyncio
import json
import signal
import subprocess
import time

import pytest
from messaging import API_KEY
from programs import MARTLET, Server, environment, martlet
from websockets.asyncio.server import broadcast
from websockets.asyncio.server import serve as websockets_serve
from websockets.frames import Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

TIMES = {"mean", "p50", "p90", "p99", "p999", "max"}
FIT = {"tau", "fit_offset", "fit_r2", "fit_ks"}


def bench(*arguments, status=0):
    """The JSON object that a run prints."""
    result = martlet("bench", *arguments, "--json", timeout=60)
    assert result.returncode == status, result.stdout + result.stderr
    assert result.stdout.count("\n") == 1
    return json.loads(result.stdout)


async def bench_beside(*arguments):
    """The same while the test's own event loop runs a server."""
    return await asyncio.to_thread(bench, *arguments)


def check_times(times, *, fitted=False):
    assert set(times) == TIMES | (FIT if fitted else set())
    assert 0 < times["p50"] <= times["p90"] <= times["p99"] <= times["p999"] <= times["max"]
    assert times["mean"] <= times["max"]
    if fitted:
        assert times["fit_r2"] <= 1 and 0 <= times["fit_ks"] <= 1 and times["tau"] > 0
        assert abs(times["tau"] + times["fit_offset"] - times["mean"]) < 0.01


def check_echo(result, connections, depth):
    assert result["benchmark"] == "echo"
    assert result["connections"] == connections and result["depth"] == depth
    assert result["errors"] == 0
    assert result["messages"] > 0
    assert result["messages_per_second"] == pytest.approx(result["messages"] / result["seconds"], rel=0.01)
    check_times(result["latency_us"])
    check_times(result["connect_us"], fitted=True)
    check_times(result["close_us"], fitted=True)


def test_echo(echo):
    result = bench("echo", echo.url, "--connections", 20, "--depth", 2, "--seconds", 1, "--server-pid", echo.pid)
    check_echo(result, 20, 2)
    # R = L / T.
    expected = 20 * 2 / (result["latency_us"]["mean"] / 1e6)
    assert result["messages_per_second"] == pytest.approx(expected, rel=0.1)
    server = result["server"]
    assert server["cpu_us_per_message"] == pytest.approx(
        server["user_us_per_message"] + server["system_us_per_message"], abs=0.01
    )
    assert 0 < server["cpu_us_per_message"] < 1e6 * result["seconds"] * 4 / result["messages"]
    assert server["rss_kib"] > 1000


def test_echo_at_a_rate(echo):
    result = bench("echo", echo.url, "--connections", 10, "--seconds", 1, "--rate", 500, "--loops", 2)
    check_echo(result, 10, 64)
    assert result["messages"] == pytest.approx(500, rel=0.1)
    assert result["rate"] == 500


@pytest.mark.parametrize("size", [0, 1, 7, 8, 126, 65536])
def test_echo_sizes(echo, size):
    check_echo(bench("echo", echo.url, "--connections", 3, "--seconds", 1, "--warmup", 0, "--size", size), 3, 1)


async def test_foreign_server():
    async def echo(socket):
        async for message in socket:
            await socket.send(message)

    async with websockets_serve(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await bench_beside("echo", f"ws://127.0.0.1:{port}", "--connections", 5, "--seconds", 1, "--deflate")
    check_echo(result, 5, 1)


@pytest.mark.parametrize("mode", ["echo", "connect"])
async def test_sources_take_turns(mode):
    seen = []

    async def answer(socket):
        seen.append(socket.remote_address[0])
        async for message in socket:
            await socket.send(message)

    sources = ["--source", "127.0.0.2", "--source", "127.0.0.3"]
    async with websockets_serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await bench_beside(mode, f"ws://127.0.0.1:{port}", "--connections", 6, "--seconds", 1, "--warmup", 0, *sources)
    assert sorted(seen[:6]) == ["127.0.0.2"] * 3 + ["127.0.0.3"] * 3


def test_a_source_that_is_not_ours(echo):
    result = martlet("bench", "echo", echo.url, "--connections", 1, "--source", "192.0.2.1", timeout=60)
    assert result.returncode == 1
    assert "from 192.0.2.1: this machine does not have that address" in result.stdout + result.stderr


def test_echo_of_texts(echo):
    check_echo(bench("echo", echo.url, "--connections", 3, "--seconds", 1, "--size", 300, "--text"), 3, 1)


async def test_replies_are_checked():
    async def liar(socket):
        async for message in socket:
            await socket.send(message[:-1] + b"?")

    async with websockets_serve(liar, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        arguments = ("bench", "echo", f"ws://127.0.0.1:{port}", "--connections", 2, "--seconds", 1, "--warmup", 0)
        result = await asyncio.to_thread(martlet, *arguments, timeout=60)
    assert result.returncode == 1
    assert "replies that were not what had been sent" in result.stdout


async def test_a_server_that_leaves_connections_open_is_waited_for_once():
    async def serve(reader, writer):
        protocol = ServerProtocol()
        while received := await reader.read(65_536):
            protocol.receive_data(received)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                elif event.opcode is Opcode.BINARY:
                    protocol.send_binary(event.data)
            # What is empty would be the end of the stream.
            writer.writelines(filter(None, protocol.data_to_send()))

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        url = "ws://127.0.0.1:{}".format(server.sockets[0].getsockname()[1])
        began = time.monotonic()
        result = await bench_beside("echo", url, "--connections", 200, "--seconds", 1, "--warmup", 0)
    check_echo(result, 200, 1)
    # 2 s for the first ones and 2 s for all others; in groups of 32 it would be 14 s.
    assert 2_000_000 <= result["close_us"]["p50"] < 4_000_000
    assert time.monotonic() - began < 10


async def test_a_silent_server_is_no_hang():
    async def silent(socket):
        async for _ in socket:
            pass

    async with websockets_serve(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        arguments = ("bench", "echo", f"ws://127.0.0.1:{port}", "--connections", 2, "--seconds", 1, "--warmup", 0)
        result = await asyncio.to_thread(martlet, *arguments, timeout=60)
    assert result.returncode == 1
    assert "2 x without a reply" in result.stdout


def test_a_server_that_dies():
    server = Server("echo", "--port", 0)
    run = subprocess.Popen(
        [MARTLET, "bench", "echo", server.url, "--seconds", "30", "--warmup", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(2)
    server.process.kill()
    server.process.wait()
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 1
    assert "connection lost" in output and "every connection was lost" in output


def test_interrupted(echo):
    run = subprocess.Popen(
        [MARTLET, "bench", "echo", echo.url, "--seconds", "30", "--warmup", "0", "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    with pytest.raises(subprocess.TimeoutExpired):
        run.wait(2)
    run.send_signal(signal.SIGINT)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 0
    result = json.loads(output)
    assert 0 < result["seconds"] < 10 and result["messages"] > 0


def test_fan_out_by_the_client_protocol(demo):
    result = bench("fanout", demo.websocket, "--connections", 20, "--seconds", 1, "--server-pid", demo.pid)
    check_fan_out(result, 20)
    assert result["server"]["cpu_us_per_delivery"] > 0


def test_fan_out_by_the_http_api_on_two_loops(demo):
    address = (f"{demo.http}/api/publish", "--api-key", API_KEY)
    result = bench(
        "fanout", demo.websocket, "--connections", 10, "--seconds", 1, "--loops", 2, "--depth", 4, "--rate", 50,
        "--publish-url", *address,
    )
    check_fan_out(result, 10)
    assert result["publications"] == pytest.approx(50, abs=5)


def check_fan_out(result, connections):
    assert result["benchmark"] == "fanout" and result["connections"] == connections
    assert result["errors"] == 0
    # What was published before the measured time and delivered within it, or the other way round.
    assert result["deliveries"] == pytest.approx(result["publications"] * connections, abs=8 * connections)
    assert result["deliveries_per_second"] == pytest.approx(result["deliveries"] / result["seconds"], rel=0.01)
    check_times(result["latency_us"])
    check_times(result["last_delivery_us"])
    assert result["last_delivery_us"]["mean"] >= 0.99 * result["latency_us"]["mean"]
    check_times(result["connect_us"], fitted=True)


@pytest.mark.parametrize("back_to_sender", [True, False])
async def test_plain_fan_out(back_to_sender):
    members = set()

    async def everybody(socket):
        members.add(socket)
        try:
            async for message in socket:
                broadcast(members if back_to_sender else members - {socket}, message)
        finally:
            members.discard(socket)

    async with websockets_serve(everybody, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await bench_beside("fanout", f"ws://127.0.0.1:{port}", "--connections", 10, "--seconds", 1)
    check_fan_out(result, 10 if back_to_sender else 9) if back_to_sender else None
    assert result["errors"] == 0
    # Both are counted in the same second: what is on its way at its ends makes the difference.
    assert result["deliveries"] == pytest.approx(result["publications"] * (10 if back_to_sender else 9), rel=0.02)


async def test_lost_publications_are_seen():
    members, count = set(), 0

    async def forgetful(socket):
        nonlocal count
        members.add(socket)
        async for message in socket:
            count += 1
            broadcast(list(members)[: 4 if count % 50 == 0 else 5], message)

    async with websockets_serve(forgetful, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        arguments = ("fanout", f"ws://127.0.0.1:{port}", "--connections", 5, "--seconds", 1, "--depth", 4)
        result = await asyncio.to_thread(martlet, "bench", *arguments, timeout=60)
    assert result.returncode == 1
    assert "x publications lost" in result.stdout


def test_a_channel_that_is_closed_to_us(demo):
    result = martlet("bench", "fanout", demo.websocket, "--channel", "secret:1", "--connections", 3, timeout=60)
    assert result.returncode == 1
    assert 'could subscribe to "secret:1"' in result.stderr and "the server says" in result.stderr


def test_idle(echo):
    result = bench(
        "idle", echo.url, "--connections", 60, "--seconds", 1, "--server-pid", echo.pid, "--greeting", "hello"
    )
    assert result["errors"] == 0 and result["connections"] == 60
    points = result["server"]["rss_points"]
    assert [point["connections"] for point in points] == [0, 30, 60]
    slope = (points[2]["rss_kib"] - points[1]["rss_kib"]) * 1024 / 30
    assert result["server"]["rss_bytes_per_connection"] == pytest.approx(slope, abs=1)
    assert result["server"]["cpu_us_per_handshake"] > 0
    check_times(result["connect_us"], fitted=True)


def test_idle_without_an_answer_to_the_greeting(demo):
    arguments = ("--connections", 2, "--seconds", 1, "--greeting", "nonsense")
    result = martlet("bench", "idle", demo.websocket, *arguments, timeout=60)
    assert result.returncode == 1


def test_connect(echo, tmp_path):
    page = tmp_path / "report.html"
    result = bench(
        "connect", echo.url, "--connections", 8, "--seconds", 1, "--server-pid", echo.pid, "--loops", 2,
        "--report", page,
    )
    assert result["benchmark"] == "connect" and result["errors"] == 0
    assert result["handshakes_per_second"] == pytest.approx(result["handshakes"] / result["seconds"], rel=0.01)
    mean = (result["connect_us"]["mean"] + result["close_us"]["mean"]) / 1e6
    assert result["handshakes_per_second"] == pytest.approx(8 / mean, rel=0.2)
    assert result["server"]["cpu_us_per_handshake"] > 0
    html = page.read_text()
    assert html.startswith("<!doctype html>") and html.count("<svg") == 3


async def test_connect_to_a_foreign_server():
    async def nothing(socket):
        await socket.wait_closed()

    async with websockets_serve(nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        result = await bench_beside("connect", f"ws://127.0.0.1:{port}", "--connections", 4, "--seconds", 1)
    assert result["errors"] == 0 and result["handshakes"] > 0
    check_times(result["close_us"], fitted=True)


def test_report_that_cannot_be_written(echo):
    result = martlet("bench", "echo", echo.url, "--seconds", 1, "--report", "/does/not/exist.html")
    assert result.returncode == 2 and "cannot write" in result.stderr


@pytest.mark.parametrize(
    "arguments, status, text",
    [
        (["ecko", "ws://127.0.0.1:1"], 2, 'unknown mode "ecko"; did you mean echo?'),
        (["echo", "127.0.0.1:1"], 2, "bench: "),
        (["echo"], 2, "URL is missing"),
        (["echo", "ws://127.0.0.1:1"], 1, "connection refused"),
        (["echo", "ws://127.0.0.1:1", "--connections", "0"], 2, "--connections"),
        (["echo", "ws://127.0.0.1:1", "--rate", "0"], 2, "--rate"),
        (["fanout", "ws://127.0.0.1:1", "--size", "38"], 2, "at least 39 bytes"),
        (["fanout", "ws://127.0.0.1:1", "--connections", "1"], 2, "there must be 2"),
        (["fanout", "ws://127.0.0.1:1", "--publish-url", "ftp://x"], 2, "--publish-url"),
        (["idle", "ws://127.0.0.1:1", "--connections", "1000000"], 2, "open files"),
        (["connect", "ws://127.0.0.1:1"], 1, "connection refused"),
        (["fanout", "ws://127.0.0.1:1"], 1, "connection refused"),
    ],
)
def test_complaints(arguments, status, text):
    result = martlet("bench", *arguments, "--seconds", 1)
    assert result.returncode == status
    assert text in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""
