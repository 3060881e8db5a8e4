"""The load generator, behind one function for each kind of load. All of it that touches the generator is here."""

import re
import subprocess

from . import places, servers

TIMEOUT_SECONDS = 120


class LoadFailed(Exception):
    """The generator found a wrong answer, lost connections or did not end; says which."""


def generate(*words, prefix=()):
    """Runs the generator on core 1 and gives what it printed."""
    command = [*prefix, "taskset", "-c", "1", str(places.SWIFT_BENCHMARKS / "load"), *map(str, words)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, preexec_fn=servers.raise_file_limit)
    except subprocess.TimeoutExpired:
        raise LoadFailed(f"did not end within {TIMEOUT_SECONDS} s") from None
    if done.returncode:
        said = parse(done.stdout)
        raise LoadFailed(f"{said['errors']} wrong answers" if said.get("errors") else f"exit status {done.returncode}")
    return done.stdout


PATTERNS = {
    "rate": r"messages per second\s+([\d.]+)",
    "p50_us": r"round trip p50 / p99 / p99\.9\s+([\d.]+)",
    "p99_us": r"round trip p50 / p99 / p99\.9\s+[\d.]+ / ([\d.]+)",
    "p999_us": r"round trip p50 / p99 / p99\.9\s+[\d.]+ / [\d.]+ / ([\d.]+)",
    "cpu_us": r"server CPU per message\s+([\d.]+)",
    "user_us": r"user part ([\d.]+)",
    "errors": r"errors\s+(\d+)",
    "opened": r"idle connections\s+(\d+) of",
    "handshake_us": r"server CPU per connection\s+([\d.]+)",
    "resident_kib": r"server memory with them\s+(\d+) KiB",
}


def parse(text):
    """The figures in what the generator printed; those that are not there are left out."""
    found = {name: re.search(pattern, text) for name, pattern in PATTERNS.items()}
    return {name: float(match[1]) for name, match in found.items() if match}


def address(port, tls=False):
    return f"{'wss' if tls else 'ws'}://127.0.0.1:{port}/"


def echo(pid, port, connections, depth, size, seconds, tls=False):
    text = generate(
        "--url", address(port, tls), "--pid", pid, "--connections", connections, "--depth", depth, "--size", size,
        "--seconds", seconds)
    return parse(text)


def idle(pid, port, connections, tls=False):
    """Opens connections and leaves them alone: CPU of each, and the server's memory with all of them."""
    figures = parse(generate("--url", address(port, tls), "--pid", pid, "--idle", connections, "--connections", 0))
    if figures.get("opened") != connections:
        raise LoadFailed(f"{int(figures.get('opened', 0))} of {connections} connections opened")
    return figures


def tls_handshakes(pid, port, count):
    """Whole handshakes, one after the other, by a program of its own: the generator would resume sessions."""
    words = ["taskset", "-c", "1", str(places.PYTHON), str(places.SOURCES / "tls_clients.py"), str(port), str(count)]
    before = sum(servers.cpu_seconds(pid))
    with subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=servers.raise_file_limit,
    ) as clients:
        if clients.stdout.readline().strip() != str(count):
            raise LoadFailed(clients.stderr.read().strip().splitlines()[-1][:200])
        return {"handshake_us": (sum(servers.cpu_seconds(pid)) - before) / count * 1e6}
