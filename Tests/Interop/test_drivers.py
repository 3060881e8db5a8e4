"""`--driver`: io_uring serves, and where it is forbidden epoll does."""

import ctypes
import os
import socket
import struct
import threading

import pytest
from programs import Server, martlet
from test_listening import ECHO, talk

IO_URING_SETUP = 425
EPERM, ENOSYS = 1, 38


def forbid_io_uring(error):
    """Makes io_uring_setup fail in this thread and its children, as containers do (seccomp)."""
    allow, refuse = 0x7FFF0000, 0x00050000 | error
    program = b"".join(
        struct.pack("HBBI", *instruction)
        for instruction in [
            (0x20, 0, 0, 0),  # load the number of the system call
            (0x15, 0, 1, IO_URING_SETUP),
            (0x06, 0, 0, refuse),
            (0x06, 0, 0, allow),
        ]
    )
    memory = ctypes.create_string_buffer(program)
    filter = struct.pack("HxxxxxxQ", 4, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, mode_filter = 38, 22, 2
    for arguments in [(no_new_privileges, 1, 0, 0, 0), (set_seccomp, mode_filter, filter, 0, 0)]:
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


def in_thread(body):
    """Runs `body` in a thread of its own, whose restrictions end with it."""
    results = []
    thread = threading.Thread(target=lambda: results.append(body()))
    thread.start()
    thread.join()
    return results[0]


def serves(server):
    return talk(socket.create_connection(("127.0.0.1", server.port))).endswith(ECHO)


def rings(server):
    """How many io_uring descriptors the program has."""
    folder = f"/proc/{server.pid}/fd"
    return sum("io_uring" in os.readlink(f"{folder}/{name}") for name in os.listdir(folder))


def test_io_uring_serves():
    with Server("echo", "--driver", "io_uring", "--port", 0, "--loops", 2) as server:
        if "cannot be used" in server.output():
            pytest.skip("io_uring is forbidden here")
        assert rings(server) == 2
        assert serves(server)


def test_epoll_has_no_rings():
    for driver in ["epoll", "auto"]:
        with Server("echo", "--driver", driver, "--port", 0) as server:
            assert rings(server) == 0
            assert serves(server)


@pytest.mark.parametrize("error", [EPERM, ENOSYS])
def test_where_io_uring_is_forbidden_epoll_serves(error):
    def run():
        forbid_io_uring(error)
        return Server("echo", "--driver", "io_uring", "--port", 0)

    with in_thread(run) as server:
        assert server.output().count("io_uring cannot be used here") == 1
        assert rings(server) == 0
        assert serves(server)


@pytest.mark.parametrize("command", ["serve", "echo"])
def test_another_driver_is_refused(command):
    result = martlet(command, "--driver", "kqueue")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1 and "kqueue" in result.stderr
