"""The load generators, behind one function for each kind of load. All that touches them is here."""

import json
import re
import subprocess

from . import places, servers

TIMEOUT_SECONDS = 120
LOAD = places.SWIFT_BENCHMARKS / "load"


class LoadFailed(Exception):
    """The generator found a wrong answer, lost connections or did not end; says which."""


def generate(*words):
    """Runs a generator on the other core and gives what it printed."""
    command = ["taskset", "-c", str(servers.LOAD_CORE), *map(str, words)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=servers.raise_file_limit)
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"did not end within {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        said = parse(done.stdout)
        if said.get("errors"):
            raise LoadFailed(f"{said['errors']:.0f} wrong answers")
        words = (done.stdout + done.stderr).strip().splitlines()
        raise LoadFailed(words[-1][:200] if words else f"exit status {done.returncode}")
    return done.stdout


PATTERNS = {
    "rate": r"messages per second\s+([\d.]+)",
    "p50_us": r"round trip p50 / p99 / p99\.9\s+([\d.]+)",
    "p99_us": r"round trip p50 / p99 / p99\.9\s+[\d.]+ / ([\d.]+)",
    "p999_us": r"round trip p50 / p99 / p99\.9\s+[\d.]+ / [\d.]+ / ([\d.]+)",
    "cpu_us": r"server CPU per message\s+([\d.]+)",
    "user_us": r"user part ([\d.]+)",
    "deliveries": r"deliveries\s+(\d+)",
    "delivery_us": r"server CPU per delivery\s+([\d.]+)",
    "last_us": r"last delivery p50 / p99\s+([\d.]+)",
    "errors": r"errors\s+(\d+)",
    "opened": r"idle connections\s+(\d+) of",
    "handshake_us": r"server CPU per connection\s+([\d.]+)",
    "resident_kib": r"server memory with them\s+(\d+) KiB",
}


def parse(text):
    """The figures in what the generator printed; those that are not there are left out."""
    found = {name: re.search(pattern, text) for name, pattern in PATTERNS.items()}
    return {name: float(match[1]) for name, match in found.items() if match}


def address(port, tls=False, hub=None):
    return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}{hub.path if hub else '/'}"


def words_for(hub):
    return ["--greeting", hub.greeting] if hub and hub.greeting else []


def echo(pid, port, connections, depth, size, seconds, tls=False, deflate=False):
    text = generate(
        LOAD, "--url", address(port, tls), "--pid", pid, "--connections", connections, "--depth", depth, "--size", size,
        "--seconds", seconds, *(["--text", "--deflate"] if deflate else []))
    figures = parse(text)
    if not figures.get("rate"):
        raise LoadFailed("no message came back")
    return figures


def paced(pid, port, connections, size, seconds, rate):
    """Echo at a steady rate, whose response times count from when a message was due: `martlet bench`."""
    text = generate(
        places.MARTLET, "bench", "echo", address(port), "--server-pid", pid, "--connections", connections, "--size", size,
        "--seconds", f"{seconds}s", "--rate", round(rate), "--json")
    return figures_of_bench(text)


def figures_of_bench(text):
    """The figures in the JSON of `martlet bench`, by our names; those that are not there are left out."""
    said = json.loads(text)
    latency, server = said.get("latency_us", {}), said.get("server", {})
    figures = {
        "rate": said.get("messages_per_second"), "errors": said.get("errors"), "p50_us": latency.get("p50"),
        "p99_us": latency.get("p99"), "p999_us": latency.get("p999"), "cpu_us": server.get("cpu_us_per_message"),
        "user_us": server.get("user_us_per_message"),
    }
    return {name: value for name, value in figures.items() if value is not None}


def fanout(pid, port, connections, size, seconds, hub=None):
    """One message at a time to all, sent by one of them, or posted to a hub."""
    text = generate(
        LOAD, "--url", address(port, hub=hub), "--pid", pid, "--connections", connections, "--size", size,
        "--seconds", seconds, "--crowd", *words_for(hub), *(["--post", hub.post] if hub else []),
        *(["--channel", hub.channel] if hub and hub.channel else []))
    figures = parse(text)
    figures["cpu_us"] = figures.pop("delivery_us")
    return figures


def idle(pid, port, connections, hub=None):
    """Opens connections and leaves them alone: CPU of each, and the server's memory with all of them."""
    figures = parse(generate(
        LOAD, "--url", address(port, hub=hub), "--pid", pid, "--idle", connections, "--connections", 0,
        *words_for(hub)))
    if figures.get("opened") != connections:
        raise LoadFailed(f"{int(figures.get('opened', 0))} of {connections} connections opened")
    return figures


def tls_handshakes(pid, port, count):
    """Whole handshakes, one after the other, by a program of its own: the generator would resume sessions."""
    words = ["taskset", "-c", str(servers.LOAD_CORE), str(places.PYTHON), str(places.SOURCES / "tls_clients.py"), str(port), str(count)]
    before = sum(servers.cpu_seconds(pid))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=servers.raise_file_limit,
    ) as clients:
        if clients.stdout.readline().strip() != str(count):
            raise LoadFailed(clients.stderr.read().strip().splitlines()[-1][:200])
        return {"handshake_us": (sum(servers.cpu_seconds(pid)) - before) / count * 1e6}
