"""The load generator, `martlet bench`, behind one function for each kind of load. All that touches it is here."""

import json
import subprocess

from . import places, servers

TIMEOUT_SECONDS = 120
# Towards one server, an address has some 28,000 ports; looking for a free one takes the kernel long when half of them are
# taken, and the server then has a turn for each connection.
SOURCES = ["--source", "127.0.0.1", "--source", "127.0.0.2"]


class LoadFailed(Exception):
    """The generator found a wrong answer, lost connections or did not end; says which."""


def generate(*words):
    """Runs a generator on the other core and gives the JSON that it printed."""
    command = ["taskset", "-c", str(servers.LOAD_CORE), *map(str, words)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=servers.raise_file_limit)
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"did not end within {TIMEOUT_SECONDS} s") from None
    said = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    if said.get("errors"):
        raise LoadFailed(f"{said['errors']} wrong answers")
    if done.returncode or not said:
        told = done.stderr.strip().splitlines()
        raise LoadFailed(told[-1][:200] if told else f"exit status {done.returncode}")
    return said


def bench(mode, pid, url, *words):
    return generate(places.MARTLET, "bench", mode, url, "--server-pid", pid, "--json", *words)


def figures(said):
    """The figures that are compared, by our names; those that are not there are left out."""
    latency, last, server = said.get("latency_us", {}), said.get("last_delivery_us", {}), said.get("server", {})
    unit = {"echo": "message", "fanout": "delivery"}.get(said.get("benchmark"), "handshake")
    found = {
        "rate": said.get("messages_per_second", said.get("deliveries_per_second")), "errors": said.get("errors"),
        "p50_us": latency.get("p50"), "p99_us": latency.get("p99"), "p999_us": latency.get("p999"),
        "last_us": last.get("p50"), "last_max_us": last.get("max"),
        "cpu_us": server.get(f"cpu_us_per_{unit}"), "user_us": server.get(f"user_us_per_{unit}"),
        "resident_kib": server.get("rss_kib"), "bytes": server.get("rss_bytes_per_connection"),
    }
    return {name: value for name, value in found.items() if value is not None}


def address(port, tls=False, hub=None):
    return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}{hub.path if hub else '/'}"


def trust(tls):
    return ["--insecure"] if tls else []


def echo(pid, port, connections, depth, size, seconds, tls=False, deflate=False):
    found = figures(bench(
        "echo", pid, address(port, tls), "--connections", connections, "--depth", depth, "--size", size,
        "--seconds", f"{seconds}s", *trust(tls), *(["--text", "--deflate"] if deflate else [])))
    if not found.get("rate"):
        raise LoadFailed("no message came back")
    return found


def paced(pid, port, connections, size, seconds, rate):
    """Echo at a steady rate, whose response times count from when a message was due."""
    return figures(bench(
        "echo", pid, address(port), "--connections", connections, "--size", size, "--seconds", f"{seconds}s",
        "--rate", round(rate)))


def fanout(pid, port, connections, size, seconds, hub=None, in_flight=1):
    """So many messages at a time to all, sent by one of them, or posted to a hub."""
    words = ["--publish-url", f"http://127.0.0.1:{port}{hub.post}"] if hub else []
    if hub and hub.channel:
        words += ["--channel", hub.channel, "--api-key", hub.key]
    return figures(bench(
        "fanout", pid, address(port, hub=hub), "--connections", connections, "--size", size, "--seconds", f"{seconds}s",
        "--depth", in_flight, *words))


def idle(pid, port, few, many, hub=None, tls=False):
    """Opens connections and leaves them alone: CPU of each, the server's memory, and its slope from few to many."""
    words = [word for text in (hub.greeting or "").split("\n") if text for word in ("--greeting", text)] if hub else []
    found = figures(bench(
        "idle", pid, address(port, tls, hub), "--connections", many, "--baseline", few, "--seconds", "0s", *SOURCES, *trust(tls),
        *words))
    return {**found, "handshake_us": found["cpu_us"]}


def connections(pid, port, seconds, tls=False):
    """Connections that open and close all the time, by TLS without resuming sessions."""
    said = bench(
        "connect", pid, address(port, tls), "--seconds", f"{seconds}s", *(["--insecure", "--full-handshakes"] if tls else []))
    return {**figures(said), "rate": said["handshakes_per_second"]}
