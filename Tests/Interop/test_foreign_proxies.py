"""`ws://` and `wss://` through other people's proxies: tinyproxy (CONNECT), microsocks (SOCKS 5), pproxy (both)."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

import pytest
from programs import Server, martlet
from proxies import free_port

USER = "ann"
PASSWORD = "secret"


class ForeignProxy:
    """A running proxy that wants a user name and a password; a context manager."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONWARNINGS": "ignore"})
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.program} did not start")
            time.sleep(0.05)

    def url(self, scheme, password=PASSWORD, user=USER):
        return f"{scheme}://{user}:{password}@127.0.0.1:{self.port}"

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Tinyproxy(ForeignProxy):
    program, schemes = "tinyproxy", ["http"]

    def command(self):
        configuration = self.folder / "tinyproxy.conf"
        configuration.write_text(
            f"Port {self.port}\nListen 127.0.0.1\nTimeout 30\nMaxClients 50\nBasicAuth {USER} {PASSWORD}\n"
            f'LogFile "{self.folder}/tinyproxy.log"\nPidFile "{self.folder}/tinyproxy.pid"\n'
            f'Filter "{self.folder}/filter"\n')
        (self.folder / "filter").write_text("forbidden\n")
        return [self.program, "-d", "-c", configuration]


class Microsocks(ForeignProxy):
    program, schemes = "microsocks", ["socks5"]

    def command(self):
        return [self.program, "-i", "127.0.0.1", "-p", str(self.port), "-u", USER, "-P", PASSWORD]


class PProxy(ForeignProxy):
    program, schemes = sys.executable, ["http", "socks5"]

    def command(self):
        return [self.program, "-m", "pproxy", "-l", f"http+socks5://127.0.0.1:{self.port}#{USER}:{PASSWORD}"]


@pytest.fixture(scope="module", params=[Tinyproxy, Microsocks, PProxy])
def proxy(request, tmp_path_factory):
    if not shutil.which(request.param.program):
        pytest.skip(f"{request.param.program} is not installed")
    with request.param(tmp_path_factory.mktemp("proxy")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def secure(authority):
    certificate, key = authority.issue("behind-proxies")
    with Server("echo", "--port", 0, "--tls-certificate", certificate, "--tls-key", key) as server:
        yield server


async def connect(url, proxy, *flags, input="hello\n"):
    return await asyncio.to_thread(martlet, "connect", url, "--proxy", proxy, *flags, input=input)


# What knows a wrong password goes first: pproxy remembers addresses that knew the right one.


async def test_the_password_must_be_right(echo, proxy):
    for scheme in proxy.schemes:
        done = await connect(f"ws://127.0.0.1:{echo.port}/", proxy.url(scheme, password="wrong"))
        assert done.returncode == 1 and done.stdout == ""
        assert "wrong" not in done.stderr and len(done.stderr.splitlines()) == 1
        if not isinstance(proxy, PProxy):
            assert "does not take this user name and password" in done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_ws(echo, proxy, host):
    for scheme in proxy.schemes:
        message = "x" * 300_000 + "\n"
        done = await connect(f"ws://{host}:{echo.port}/", proxy.url(scheme), input=message)
        assert (done.returncode, done.stdout) == (0, message), done.stderr


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_wss(secure, authority, proxy, host):
    """The name that TLS checks is the server's, not the proxy's."""
    for scheme in proxy.schemes:
        message = "x" * 300_000 + "\n"
        url = f"wss://{host}:{secure.port}/"
        done = await connect(url, proxy.url(scheme), "--ca", authority.file, input=message)
        assert (done.returncode, done.stdout) == (0, message), done.stderr
        done = await connect(url, proxy.url(scheme))
        assert done.returncode == 1 and "certificate has an issuer that is not known here" in done.stderr


async def test_ten_at_a_time(secure, authority, proxy):
    async def talk(number):
        scheme = proxy.schemes[number % len(proxy.schemes)]
        message = f"{number}\n" * 100
        flags = ["--ca", authority.file]
        done = await connect(f"wss://localhost:{secure.port}/", proxy.url(scheme), *flags, input=message)
        assert (done.returncode, done.stdout) == (0, message), done.stderr

    await asyncio.gather(*(talk(number) for number in range(10)))


async def test_nobody_listens_there(proxy):
    for scheme in proxy.schemes:
        port = free_port()
        done = await connect(f"wss://127.0.0.1:{port}/", proxy.url(scheme))
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
        if not isinstance(proxy, PProxy):
            assert f"127.0.0.1:{port}" in done.stderr


async def test_what_the_proxy_forbids(proxy):
    if isinstance(proxy, Tinyproxy):
        done = await connect("wss://forbidden.example/", proxy.url("http"))
        assert done.returncode == 1
        assert "does not allow connections to forbidden.example:443: 403" in done.stderr
