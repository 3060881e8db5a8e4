"""What is counted."""

import json
import socket
import subprocess

from . import clients
from .counters import SCRATCH

ROOT = SCRATCH.parents[1]
PROGRAM = SCRATCH / "martlet"
UWEBSOCKETS = ROOT / ".build/compare/bin/uws_echo"
CROWD, SMALL_CROWD = 100, 20
CROWD_ECHO = f"echo of 64 B, {CROWD} connections"
LARGE_ECHO = f"echo of 64 KiB by tasks, {SMALL_CROWD} connections"
LARGE_TLS_ECHO = "echo of 16 KiB by TLS"
FAN_OUT = f"delivery to one of {clients.SUBSCRIBERS} subscribers, history on"
# What the peer sends behind the handshake of TLS, or with its last message, may come in one event of the loop or in two.
# How many turns of the loop a fan-out takes depends on how fast the machine is.
LOOSE = {
    ("opening and closing a connection by TLS", "system calls"): 1.10,
    (FAN_OUT, "instructions"): 1.05,
}
# What ends, and begins again, when a server is halted.
WAITS = "epoll_wait,rt_sigtimedwait,restart_syscall"
# Left out of the count: those; turns, of which a fan-out takes more where strace makes it slow; the pieces in which a large
# message arrives.
UNCOUNTED = {
    FAN_OUT: "epoll_wait",
    CROWD_ECHO: WAITS,
    LARGE_ECHO: f"{WAITS},recvfrom",
    LARGE_TLS_ECHO: "epoll_wait,recvfrom",
}

SERVE_CONFIGURATION = {
    "allow_anonymous": True,
    "api": {"keys": ["key"]},
    "namespaces": {"news": {"subscribe": ["anonymous"], "history_size": 10, "history_ttl_seconds": 60}},
}

CONFIGURATION_FILE = SCRATCH / "serve.json"
CERTIFICATE, KEY = SCRATCH / "certificate.pem", SCRATCH / "key.pem"
SECURE = ["echo", "--tls-certificate", CERTIFICATE, "--tls-key", KEY]
# Name, the server's arguments, what is done, how often in the short run and in the long one.
OPERATIONS = [
    ("echo of 64 B, one in flight", ["echo"], clients.echo, 1_000, 5_000),
    ("echo of 64 B, 16 in flight", ["echo"], lambda server, count: clients.echo(server, count, at_once=16), 3_200, 16_000),
    (CROWD_ECHO, ["echo"], lambda server, count: clients.echo_crowd(server, count, CROWD, clients.TEXT, 64), 4_000, 20_000),
    ("echo of 1 KiB of JSON, compressed", ["echo", "--deflate"], clients.echo_compressed, 500, 1_500),
    ("echo of 64 B by tasks, one in flight", ["echo", "--tasks"], clients.echo, 1_000, 5_000),
    ("echo of 64 B by tasks, 16 in flight", ["echo", "--tasks"], lambda server, count: clients.echo(server, count, at_once=16), 3_200, 16_000),
    (LARGE_ECHO, ["echo", "--tasks"], lambda server, count: clients.echo_crowd(server, count, SMALL_CROWD, clients.BINARY, 64 * 1024), 400, 1_200),
    ("opening and closing a connection", ["echo"], clients.connections, 200, 800),
    ("echo of 64 B by TLS", SECURE, lambda server, count: clients.echo_secure(server, count, 64), 1_000, 5_000),
    ("echo of 1 KiB by TLS", SECURE, lambda server, count: clients.echo_secure(server, count, 1024), 1_000, 5_000),
    (LARGE_TLS_ECHO, SECURE, lambda server, count: clients.echo_secure(server, count, 16 * 1024), 500, 1_500),
    ("opening and closing a connection by TLS", SECURE, lambda server, count: clients.connections(server, count, clients.trusting()), 100, 400),
    (FAN_OUT, ["serve", "--config", CONFIGURATION_FILE], clients.fan_out, 2_000, 10_000),
]
# Name and arguments of what is only started.
STARTS = [
    ("resident memory of `martlet echo` at start", ["echo"]),
    ("resident memory of `martlet serve` at start", ["serve", "--config", CONFIGURATION_FILE]),
]
# Whose page faults are counted: what many connections hold in memory at a time.
FAULTING = {LARGE_ECHO}


def martlet(arguments):
    return [PROGRAM, *arguments, "--loops", "1", "--port", "0"]


def uwebsockets(arguments):
    """The same of the peer, as `make compare` builds it; None where it has no such thing."""
    if arguments[0] != "echo" or "--tasks" in arguments:
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    certificate = [CERTIFICATE, KEY] if arguments == SECURE else []
    return [UWEBSOCKETS, str(port), "echo", "shared" if "--deflate" in arguments else "none", *certificate]


def prepare():
    """Makes what the servers are started with."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    # Valgrind reads debugging information for long, and needs none.
    subprocess.run(["objcopy", "--strip-debug", ROOT / ".build/release/martlet", PROGRAM], check=True)
    CONFIGURATION_FILE.write_text(json.dumps(SERVE_CONFIGURATION))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-keyout", KEY, "-out", CERTIFICATE], check=True, stderr=subprocess.DEVNULL)
