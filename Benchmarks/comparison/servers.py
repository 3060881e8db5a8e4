"""A server under measurement: one process on one core."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import time

from . import peers

START_SECONDS = 20
# The first two that this process may use; the same one twice where there is only one.
SERVER_CORE, *_, LOAD_CORE = (sorted(os.sched_getaffinity(0)) * 2)[:2]


class DidNotStart(Exception):
    """The server ended, or did not listen in time; says which."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_file_limit():
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def is_listening(port):
    """Whether somebody listens, without connecting."""
    wanted = f":{port:04X}"
    with open("/proc/net/tcp") as table:
        return any(line.split()[1].endswith(wanted) and line.split()[3] == "0A" for line in list(table)[1:])


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def cpu_seconds(pid):
    """User and system time of a process, in seconds: (user, system)."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    ticks = os.sysconf("SC_CLK_TCK")
    return int(fields[11]) / ticks, int(fields[12]) / ticks


@contextlib.contextmanager
def running(peer, mode="echo", tls=False, deflate=False):
    """Starts a peer; gives (process id, port); ends it."""
    port = free_port()
    words = ["taskset", "-c", str(SERVER_CORE), *map(str, peer.command(port, mode, tls, deflate))]
    process = subprocess.Popen(
        words, env=peers.environment(peer), preexec_fn=raise_file_limit, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_listening(process, port)
        yield process.pid, port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def wait_until_listening(process, port):
    deadline = time.monotonic() + START_SECONDS
    while not is_listening(port):
        if process.poll() is not None:
            words = (process.stderr.read() or "").strip().splitlines()
            raise DidNotStart(words[-1][:200] if words else f"exit status {process.returncode}")
        if time.monotonic() > deadline:
            raise DidNotStart(f"did not listen within {START_SECONDS} s")
        time.sleep(0.02)
    # What it does after it listens, such as printing so, is no part of the measurement.
    time.sleep(0.1)
