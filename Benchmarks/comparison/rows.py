"""What is measured. A row is one workload; each peer that can do its task runs it once a round."""

import dataclasses

from . import load, servers


@dataclasses.dataclass(frozen=True)
class Row:
    """`measure(peer, seconds)` gives figures by name; `figure` is the one that is compared, smaller is better.

    `also` has the labels of further figures by name, which are compared where losses are listed.
    """

    name: str
    title: str
    task: str
    measure: object
    figure: str = "cpu_us"
    also: dict = dataclasses.field(default_factory=dict)

    @property
    def label(self):
        """The title with the task, for lists of workloads of all kinds."""
        return f"{LABELS[self.task]}, {self.title}" if self.task in LABELS else self.title


LABELS = {"echo": "Echo", "tls": "TLS", "deflate": "Deflate", "broadcast": "Fan-out", "paced": "Response times"}


def echo(connections, depth, size, task):
    tls, deflate = task == "tls", task == "deflate"

    def measure(peer, seconds):
        with servers.running(peer, tls=tls, deflate=deflate) as (pid, port):
            start = servers.resident_kib(pid)
            figures = load.echo(pid, port, connections, depth, size, seconds, tls, deflate)
            return {**figures, "start_kib": start, "resident_kib": servers.resident_kib(pid)}
    return measure


def paced(connections, size):
    """Response times at half of the rate that each server reached just before: nobody is overloaded."""
    def measure(peer, seconds):
        with servers.running(peer) as (pid, port):
            peak = load.echo(pid, port, connections, 1, size, 1)["rate"]
            return {**load.paced(pid, port, connections, size, max(seconds, 2), peak / 2), "peak": peak}
    title = f"{bytes_text(size)}, {connections:,} connections, half of the peak rate"
    return Row(f"paced-{size}x{connections}", title, "paced", measure, "p999_us")


def fanout(connections):
    def measure(peer, seconds):
        with servers.running(peer, mode="broadcast") as (pid, port):
            return load.fanout(pid, port, connections, 128, seconds, peer.hub)
    title = f"to {connections:,} connections"
    return Row(f"fanout-{connections}", title, "broadcast", measure)


def bytes_text(size):
    return f"{size} B" if size < 1024 else f"{size // 1024} KiB"


def echo_row(connections, depth, size, task="echo"):
    name = f"{task}-{size}x{connections}" + (f"x{depth}" if depth > 1 else "")
    title = f"{bytes_text(size)}, {connections:,} connection{'s' if connections > 1 else ''}"
    if depth > 1:
        title += f", {depth} in flight on each"
    also = {"start_kib": "Memory at start"} if name == "echo-64x100" else {}
    return Row(name, title, task, echo(connections, depth, size, task), also=also)


def idle(few, many, tls=False):
    """Memory by the slope between two numbers of connections, so that the program itself does not count."""
    def measure(peer, seconds):
        del seconds
        with servers.running(peer, tls=tls) as (pid, port):
            return load.idle(pid, port, few, many, peer.hub, tls)
    return measure


def connections(task):
    """Handshakes and closes, 16 at a time."""
    def measure(peer, seconds):
        with servers.running(peer, tls=task == "tls-connect") as (pid, port):
            return load.connections(pid, port, seconds, tls=task == "tls-connect")
    return measure


ALL = [
    echo_row(1, 1, 64),
    echo_row(100, 1, 64),
    echo_row(1000, 1, 64),
    echo_row(100, 16, 64),
    echo_row(100, 1, 1024),
    echo_row(100, 1, 16384),
    echo_row(100, 1, 65536),
    paced(100, 64),
    echo_row(100, 1, 64, task="tls"),
    echo_row(100, 1, 1024, task="tls"),
    echo_row(100, 1, 16384, task="tls"),
    echo_row(100, 1, 1024, task="deflate"),
    echo_row(100, 1, 16384, task="deflate"),
    fanout(1000),
    fanout(10000),
    Row("idle", "Memory of an idle connection", "idle", idle(2000, 18000), "bytes",
        {"handshake_us": "CPU of a handshake"}),
    Row("tls-idle", "Memory of an idle connection by TLS 1.3", "tls-idle", idle(1000, 5000, tls=True), "bytes"),
    Row("connect", "A connection that opens and closes", "connect", connections("connect")),
    Row("tls-connect", "A connection by TLS 1.3 that opens and closes", "tls-connect", connections("tls-connect")),
]
