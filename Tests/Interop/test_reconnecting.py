"""`martlet connect --reconnect` while servers come and go."""

import queue
import subprocess
import threading

import pytest
from programs import MARTLET, Server, environment


class Client:
    """The command in a pipe; lines of both outputs are waited for, not slept for."""

    def __init__(self, url, *arguments):
        self.process = subprocess.Popen(
            [MARTLET, "connect", url, "--reconnect", "--wait", "30", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self.messages, self.notes = queue.Queue(), queue.Queue()
        for stream, lines in ((self.process.stdout, self.messages), (self.process.stderr, self.notes)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.put(line.rstrip("\n"))

    def send(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def note(self, words):
        """The next note with these words."""
        while True:
            line = self.notes.get(timeout=40)
            if words in line:
                return line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_it_comes_back_and_sends_what_waited():
    server = Server("echo", "--port", 0)
    port = server.port
    with Client(server.url) as client:
        client.send("one")
        assert client.messages.get(timeout=20) == "one"
        server.process.kill()
        server.process.wait()
        # The first attempt is the one that made the connection which was lost.
        assert "the connection ended without a close frame; attempt 2 in " in client.note("attempt")
        client.send("two")
        client.send("three")
        with Server("echo", "--port", port):
            client.note("connected again")
            assert client.messages.get(timeout=20) == "two"
            assert client.messages.get(timeout=20) == "three"
            client.send("four")
            assert client.messages.get(timeout=20) == "four"
        assert client.messages.empty(), "nothing comes twice"


def test_it_waits_for_a_server_that_is_not_there_yet():
    with Server("echo", "--port", 0) as server:
        port, url = server.port, server.url
    with Client(url) as client:
        assert "attempt" in client.note("attempt")
        with Server("echo", "--port", port):
            client.send("hello")
            assert client.messages.get(timeout=40) == "hello"


@pytest.mark.parametrize("path", ["/missing"])
def test_a_refusal_for_good_ends_it(path, shared_serve):
    with Client(shared_serve.url + path) as client:
        assert client.process.wait(timeout=20) == 3
        assert "404" in client.note("404")
