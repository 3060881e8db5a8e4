"""Unix sockets, sockets passed by a service manager, and connections of proxies, on real sockets."""

import signal
import socket
import subprocess
import sys

import pytest
from programs import MARTLET, Server, environment, martlet

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
# The masked "Hello" of RFC 6455, section 5.7, and its echo.
HELLO = bytes.fromhex("818537fa213d7f9f4d5158")
ECHO = bytes.fromhex("810548656c6c6f")


def talk(sock, before=b""):
    """Opens a WebSocket, sends Hello, and returns everything up to its echo or the end."""
    sock.settimeout(10)
    received = b""
    with sock:
        sock.sendall(before + REQUEST + HELLO)
        while not received.endswith(ECHO) and (piece := sock.recv(4096)):
            received += piece
    return received


def connect_unix(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(path))
    return sock


# Does what systemd-socket-activate does: descriptor 3 is the socket, LISTEN_PID the program's own id.
LAUNCHER = """
import os, sys
descriptor = int(sys.argv[1])
if descriptor != 3:
    os.dup2(descriptor, 3)
    os.close(descriptor)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="web")
os.execv(sys.argv[2], sys.argv[2:])
"""


def passing(listener, command):
    return [sys.executable, "-c", LAUNCHER, str(listener.fileno()), *command]


class Service:
    """`martlet` started as a service manager does it: NOTIFY_SOCKET, and a socket if there is one."""

    def __init__(self, tmp_path, *arguments, listener=None):
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(str(tmp_path / "notify"))
        self.notify.settimeout(20)
        command = [MARTLET, *map(str, arguments)]
        self.process = subprocess.Popen(
            command if listener is None else passing(listener, command),
            env=environment({"NOTIFY_SOCKET": str(tmp_path / "notify")}),
            pass_fds=() if listener is None else (listener.fileno(),),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.notify.recv(100) == b"READY=1\n"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.notify.recv(100) == b"STOPPING=1\n"
        output, _ = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        self.notify.close()
        return output


@pytest.mark.parametrize("command", ["echo", "serve"])
def test_a_unix_socket(tmp_path, command):
    path = tmp_path / "martlet.sock"
    # What a program that was killed leaves behind.
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    service = Service(tmp_path, command, "--host", f"unix:{path}", "--loops", 2)
    assert oct(path.stat().st_mode & 0o777) == "0o660"
    for _ in range(4):
        if command == "echo":
            assert talk(connect_unix(path)).endswith(ECHO)
        else:
            with connect_unix(path) as sock:
                sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
    assert f"listening on unix:{path}\n" in service.stop()
    assert not path.exists()


def test_a_unix_socket_in_use(tmp_path):
    path = tmp_path / "martlet.sock"
    service = Service(tmp_path, "echo", "--host", f"unix:{path}")
    done = martlet("echo", "--host", f"unix:{path}")
    assert done.returncode != 0 and "another program listens there" in done.stderr
    assert talk(connect_unix(path)).endswith(ECHO)
    service.stop()


def test_a_passed_tcp_socket(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        service = Service(tmp_path, "echo", "--loops", 2, listener=listener)
        for _ in range(4):
            assert talk(socket.create_connection(("127.0.0.1", port))).endswith(ECHO)
        assert f"listening on ws://127.0.0.1:{port}\n" in service.stop()


def test_a_passed_unix_socket_keeps_its_file(tmp_path):
    path = tmp_path / "passed.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        service = Service(tmp_path, "echo", listener=listener)
        assert talk(connect_unix(path)).endswith(ECHO)
        service.stop()
    assert path.exists()


def test_what_was_passed_must_listen():
    with socket.socket() as idle:
        done = subprocess.run(
            passing(idle, [MARTLET, "echo"]),
            env=environment(),
            pass_fds=(idle.fileno(),),
            capture_output=True,
            text=True,
            timeout=20,
        )
    assert done.returncode == 1 and "not a listening stream socket" in done.stderr


@pytest.mark.parametrize(
    "header",
    [
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb",
    ],
)
def test_the_proxy_protocol(header):
    with Server(
        "echo", "--port", 0, "--proxy-protocol", "required", "--trusted-proxy", "127.0.0.0/8"
    ) as server:
        address = ("127.0.0.1", server.port)
        assert talk(socket.create_connection(address), header).endswith(ECHO)
        assert talk(socket.create_connection(address)) == b""


def test_the_proxy_protocol_needs_a_trusted_proxy():
    done = martlet("echo", "--port", 0, "--proxy-protocol", "required")
    assert done.returncode == 2 and "--trusted-proxy" in done.stderr


def test_limits_of_connections():
    limits = {"MARTLET_LIMITS_CONNECTIONS": "3", "MARTLET_LIMITS_CONNECTIONS_PER_ADDRESS": "2"}
    with Server("serve", "--port", 0, env=limits) as server:

        def connect(source):
            return socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(source, 0))

        first, second = connect("127.0.0.1"), connect("127.0.0.1")
        for sock in (first, second):
            sock.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(4096).startswith(b"HTTP/1.1 200 ")
        with connect("127.0.0.1") as third:
            assert third.recv(4096).startswith(b"HTTP/1.1 429 ")
        with connect("127.0.0.2") as other:
            other.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert other.recv(4096).startswith(b"HTTP/1.1 200 ")
            with connect("127.0.0.3") as one_more:
                assert one_more.recv(4096).startswith(b"HTTP/1.1 503 ")
        first.close()
        second.close()
