"""Starts the built program for tests, and stops it.

The program is `.build/release/martlet`, or what the environment variable MARTLET names. With TEST_DRIVER=io_uring its
servers use that driver.
"""

import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARTLET = os.environ.get("MARTLET", str(ROOT / ".build/release/martlet"))

LISTENING = re.compile(r"listening on (wss?)://(\[[^\]]+\]|[^:/\s]+):(\d+)")


def environment(extra=None):
    """The tests' environment without MARTLET_* settings, which the program would read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MARTLET")}
    if driver := os.environ.get("TEST_DRIVER"):
        kept["MARTLET_DRIVER"] = driver
    return {**kept, **(extra or {})}


def martlet(*arguments, input="", timeout=20, env=None):
    """Runs a command of the program to its end; the result has returncode, stdout, stderr."""
    return subprocess.run(
        [MARTLET, *map(str, arguments)],
        input=input,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment(env),
    )


class Server:
    """A running `martlet` command that listens; a context manager."""

    def __init__(self, *arguments, env=None):
        self.arguments = [str(argument) for argument in arguments]
        self.errors = tempfile.TemporaryFile("w+")
        self.lines = []
        self._listening = threading.Event()
        self.process = subprocess.Popen(
            [MARTLET, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment(env),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(20):
            self.process.kill()
            self.process.wait()
        if not hasattr(self, "port"):
            raise RuntimeError(f"{' '.join(self.arguments)} did not say that it listens: {self.output()}")

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if found := LISTENING.search(line):
                self.host, self.port = found[2].strip("[]"), int(found[3])
                self._listening.set()
        self._listening.set()

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket(self):
        """The endpoint of the client protocol of `martlet serve`."""
        return f"{self.url}/connection/websocket"

    def output(self):
        """What the program has printed so far, for messages."""
        self.errors.flush()
        self.errors.seek(0)
        return "".join(self.lines) + self.errors.read()

    def resident_bytes(self):
        """Resident memory as the kernel counts it."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def open_descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def assert_running(self):
        status = self.process.poll()
        assert status is None, f"the server ended with {status}: {self.output()}"

    def terminate(self, timeout=20):
        """Sends SIGTERM and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"SIGTERM did not end the server: {self.output()}") from None
        finally:
            self._reader.join(5)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind is None:
            self.assert_running()
        if self.process.poll() is None:
            status = self.terminate()
            assert kind is not None or status == 0, f"exit status {status}: {self.output()}"
        self.process.stdout.close()
        self.errors.close()
