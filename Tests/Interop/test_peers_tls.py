"""Other people's implementations over TLS: as clients of `martlet echo`, as servers of the library's client."""

import asyncio
import os
import ssl
import subprocess

import pytest
from echo_client import echo_client
from peers import PEERS
from programs import Server, environment
from proxies import certificate

MESSAGES = ["", "ünï ☃ 𝄞", b"\0\xff", os.urandom(65_536), "x" * (1 << 20), os.urandom(1 << 20)]


@pytest.fixture(params=PEERS, ids=lambda peer: peer.name)
def peer(request):
    return request.param


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def secure(files):
    with Server("echo", "--port", 0, "--tls-certificate", files[0], "--tls-key", files[1]) as server:
        yield server


def client_context(files, version=None):
    context = ssl.create_default_context(cafile=files[0])
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def server_context(files, version=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda it: it.name)
async def test_messages_come_back(secure, files, peer, version):
    url = f"wss://localhost:{secure.port}/"
    async with peer.connect(url, tls=client_context(files, version)) as socket:
        for message in MESSAGES:
            await socket.send(message)
            assert await socket.receive() == message
        await socket.ping(b"still there")
        assert await socket.close(4_000, "enough") == 4_000


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda it: it.name)
async def test_client_sends_messages_back(files, peer, version):
    done = asyncio.get_running_loop().create_future()

    async def talk(socket):
        try:
            for message in MESSAGES:
                await socket.send(message)
                assert await socket.receive() == message
            done.set_result(await socket.close(4_000, "the end"))
        except BaseException as error:
            done.set_exception(error)

    async with peer.serve(talk, tls=server_context(files, version)) as port:
        client = await echo_client(f"wss://localhost:{port}/", "--ca", str(files[0]))
        assert await asyncio.wait_for(done, 10) == 4_000
    assert client.closed == (4_000, "the end")


async def test_client_refuses_a_certificate_that_nobody_vouches_for(files, peer):
    async def talk(socket):
        raise AssertionError("no handshake may come to its end")

    async with peer.serve(talk, tls=server_context(files)) as port:
        client = await echo_client(f"wss://localhost:{port}/")
        assert client.status != 0 and not client.lines


async def test_client_refuses_a_certificate_for_another_name(tmp_path, peer):
    others = certificate(tmp_path, names="DNS:other.example,IP:127.0.0.2")

    async def talk(socket):
        raise AssertionError("no handshake may come to its end")

    async with peer.serve(talk, tls=server_context(others)) as port:
        client = await echo_client(f"wss://localhost:{port}/", "--ca", str(others[0]))
        assert client.status != 0 and not client.lines


async def test_a_peer_refuses_the_certificate(secure, peer):
    with pytest.raises(Exception) as refused:
        async with peer.connect(f"wss://localhost:{secure.port}/", tls=ssl.create_default_context()):
            pass
    assert "certificate" in str(refused.value).lower()
    secure.assert_running()


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_old_versions_are_refused(secure, version):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--insecure", "--noproxy", "*", "--max-time", "5", "--ciphers", "DEFAULT@SECLEVEL=0",
         f"--tlsv{version}", "--tls-max", version, f"https://localhost:{secure.port}/"],
        capture_output=True, text=True, timeout=20, env=environment())
    assert done.returncode == 35, (done.returncode, done.stderr)


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_curl(secure, files, version):
    done = subprocess.run(
        ["curl", "--silent", "--cacert", files[0], "--noproxy", "*", "--http1.1", f"--tlsv{version}", "--tls-max", version,
         "--output", "/dev/null", "--write-out", "%{http_code} %{ssl_verify_result}", f"https://localhost:{secure.port}/"],
        capture_output=True, text=True, timeout=20, env=environment())
    assert done.stdout == "426 0"


def test_http_without_tls_is_no_danger(secure):
    done = subprocess.run(
        ["curl", "--silent", "--noproxy", "*", "--max-time", "5", f"http://localhost:{secure.port}/"],
        capture_output=True, timeout=20, env=environment())
    assert done.returncode != 0
    secure.assert_running()
