"""Counts what a server spends while clients do something: each function takes the words that start it."""

import contextlib
import os
import pathlib
import re
import signal
import statistics
import subprocess
import threading
import typing

from programs import LISTENING, environment

SCRATCH = pathlib.Path(__file__).resolve().parents[2] / ".build/costs"


class Server(typing.NamedTuple):
    port: int
    process: int

    @contextlib.contextmanager
    def halted(self):
        """What happens to it in the meantime it finds in one turn of its loop, however fast it is."""
        os.kill(self.process, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.process, signal.SIGCONT)


@contextlib.contextmanager
def server(tool, words):
    """Starts a server that says where it listens."""
    process = subprocess.Popen(
        [*tool, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
        # A group of its own: the program does not end with strace.
        start_new_session=True,
    )
    watchdog = threading.Timer(120, os.killpg, [process.pid, signal.SIGKILL])
    watchdog.start()
    try:
        found = next(filter(None, map(LISTENING.search, process.stdout)), None)
        if not found:
            raise RuntimeError("the server did not say that it listens")
        # strace leaves signals to its child, valgrind is the program.
        child = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        started = Server(int(found[3]), int(child[0]) if child else process.pid)
        yield started
        os.kill(started.process, signal.SIGTERM)
        process.wait(60)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()
        process.wait()


def count_system_calls(words, work, count, uncounted="none"):
    log = SCRATCH / "strace.log"
    with server(["strace", "-f", "-c", "-e", f"trace=!{uncounted}", "-o", log], words) as started:
        work(started, count)
    return int(re.search(r"^100\.00 +\S+ +\S+ +(\d+) .*total$", log.read_text(), re.MULTILINE)[1])


def count_instructions(words, work, count):
    log, out = SCRATCH / "callgrind.log", SCRATCH / "callgrind.out"
    tool = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", f"--log-file={log}"]
    with server(tool, words) as started:
        work(started, count)
    return int(re.search(r"Collected : (\d+)", log.read_text())[1])


def count_page_faults(words, work, count):
    with server([], words) as started:
        work(started, count)
        # The fields behind the program's name in brackets; the eighth is minflt (proc(5)).
        return int(pathlib.Path(f"/proc/{started.process}/stat").read_text().rpartition(") ")[2].split()[7])


def resident_at_start(words):
    def once():
        with server([], words) as started:
            status = pathlib.Path(f"/proc/{started.process}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1])

    return statistics.median(once() for _ in range(9))
