"""TLS of the program against Python's ssl, the websockets package and the openssl command."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import time

import pytest
from certificates import Authority
from programs import Server, martlet
from websockets.asyncio.client import connect as websockets_connect
from websockets.asyncio.server import serve as websockets_serve
from websockets.exceptions import InvalidHandshake
from websockets.sync.client import connect as websockets_sync_connect

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@pytest.fixture(scope="module")
def server_files(authority):
    return authority.issue("server")


@pytest.fixture(scope="module")
def shared_server(server_files):
    with Server("echo", "--port", 0, "--tls-certificate", server_files[0], "--tls-key", server_files[1]) as server:
        yield server


@pytest.fixture
def server(shared_server):
    yield shared_server
    shared_server.assert_running()


def trusting(authority, version=None):
    context = ssl.create_default_context(cafile=authority.file)
    if version:
        context.minimum_version = context.maximum_version = version
    return context


def connect(port, context, host="localhost", **options):
    return websockets_connect(
        f"wss://{host}:{port}/", ssl=context, proxy=None, max_size=None, compression=None, **options)


def says_wss(server):
    return any(re.fullmatch(r"listening on wss://127\.0\.0\.1:\d+", line.strip()) for line in server.lines)


# The server


@pytest.mark.parametrize("version", VERSIONS)
async def test_echo(server, authority, version):
    assert says_wss(server)
    async with connect(server.port, trusting(authority, version)) as client:
        for size in [0, 1, 125, 126, 16_383, 16_384, 16_385, 65_536, 1 << 20]:
            message = os.urandom(size)
            await client.send(message)
            assert await client.recv() == message
        found = client.transport.get_extra_info("ssl_object")
        assert found.version() == version.name.replace("v1_", "v1.")
        assert found.selected_alpn_protocol() in (None, "http/1.1")


async def test_many_at_once(server, authority):
    async def talk(number):
        async with connect(server.port, trusting(authority), open_timeout=60) as client:
            for index in range(20):
                message = f"{number} {index} " * (index * 50)
                await client.send(message)
                assert await asyncio.wait_for(client.recv(), 30) == message

    await asyncio.gather(*(talk(number) for number in range(100)))


async def test_backpressure_both_ways(server, authority):
    """The client sends 32 MiB before it reads: the server stops reading, and loses nothing."""
    async with connect(server.port, trusting(authority), ping_interval=None) as client:
        message = os.urandom(1 << 19)

        async def send():
            for _ in range(64):
                await client.send(message)

        sending = asyncio.create_task(send())
        await asyncio.sleep(1)
        for _ in range(64):
            assert await asyncio.wait_for(client.recv(), 30) == message
        await sending


def test_what_is_idle_keeps_no_buffers(server_files, authority):
    """OpenSSL's buffers would be 34 KiB for each connection."""
    context = trusting(authority)

    def talk(stack, count):
        for _ in range(count):
            connection = stack.enter_context(websockets_sync_connect(
                f"wss://localhost:{server.port}/", ssl=context, proxy=None, compression=None))
            connection.send("m" * 16_000)
            assert len(connection.recv()) == 16_000

    arguments = ["--tls-certificate", server_files[0], "--tls-key", server_files[1]]
    with Server("echo", "--loops", 1, "--port", 0, *arguments) as server, contextlib.ExitStack() as stack:
        talk(stack, 50)
        before = server.resident_bytes()
        talk(stack, 150)
        assert server.resident_bytes() - before < 150 * 28 * 1024


def test_the_name_must_be_right(server, authority):
    with pytest.raises(ssl.SSLCertVerificationError):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            trusting(authority).wrap_socket(plain, server_hostname="other.example")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_versions_are_refused(server, authority, version):
    context = trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            context.wrap_socket(plain, server_hostname="localhost")


def cipher(server, *offers):
    """What `openssl s_client` gets; None if nothing."""
    done = subprocess.run(
        ["openssl", "s_client", "-brief", "-connect", f"localhost:{server.port}", *offers],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    found = re.search(r"^Ciphersuite: (\S+)$", done.stderr, re.MULTILINE)
    return found and found[1]


def test_ciphers(server):
    assert cipher(server) == "TLS_AES_128_GCM_SHA256"
    assert cipher(server, "-ciphersuites", "TLS_AES_256_GCM_SHA384") == "TLS_AES_256_GCM_SHA384"
    wanted = "TLS_CHACHA20_POLY1305_SHA256"
    assert cipher(server, "-ciphersuites", f"{wanted}:TLS_AES_128_GCM_SHA256") == wanted
    assert cipher(server, "-ciphersuites", f"TLS_AES_256_GCM_SHA384:{wanted}") == "TLS_AES_256_GCM_SHA384"
    assert cipher(server, "-tls1_2") in ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    for old in ["AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA256:ECDHE-ECDSA-AES128-SHA256"]:
        assert cipher(server, "-tls1_2", "-cipher", old) is None


def test_ciphers_of_the_configuration(server_files):
    settings = {"MARTLET_TLS_CIPHERS": "TLS_CHACHA20_POLY1305_SHA256,TLS_AES_256_GCM_SHA384"}
    flags = ["serve", "--port", 0, "--demo", "--tls-certificate", server_files[0], "--tls-key", server_files[1]]
    with Server(*flags, env=settings) as server:
        assert cipher(server) == "TLS_CHACHA20_POLY1305_SHA256"
        assert cipher(server, "-tls1_2") is None
    done = martlet(*flags, env={"MARTLET_TLS_CIPHERS": "RC4-MD5"})
    assert done.returncode == 2 and "RC4-MD5" in done.stderr


@pytest.mark.parametrize("version", VERSIONS)
def test_resumption(server, authority, version):
    context = trusting(authority, version)
    request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    session, resumed = None, []
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost", session=session) as secure:
                secure.sendall(request)
                answer = b""
                while part := secure.recv(65_536):
                    answer += part
                # The end was said in TLS: suppress_ragged_eofs would not raise, so look for the whole answer.
                assert answer.startswith(b"HTTP/1.1 426 ")
                resumed.append(secure.session_reused)
                session = secure.session
    assert resumed == [False, True, True]


def test_reconnect_of_openssl(server):
    done = subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-reconnect"],
        input=b"", capture_output=True, timeout=60)
    text = done.stdout.decode()
    assert text.count("\nNew, TLSv1.2") == 1 and text.count("\nReused, TLSv1.2") == 5, text


def test_renegotiation_is_refused(server):
    client = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(0.5)
        client.stdin.write(b"R\n")
        client.stdin.flush()
        output, _ = client.communicate(timeout=30)
    finally:
        client.kill()
    assert b"RENEGOTIATING" in output and b"no renegotiation" in output.lower()


def test_plain_http_to_the_tls_port_ends(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert not plain.recv(65_536).startswith(b"HTTP/")


def test_close_notify_comes_before_the_end(server, authority):
    context = trusting(authority)
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as secure:
            secure.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while secure.recv(65_536):
                pass


# Client certificates


@pytest.mark.parametrize("version", VERSIONS)
async def test_client_certificates(authority, server_files, tmp_path, version):
    device = authority.issue("device-17", "DNS:device-17.example")
    stranger = Authority(tmp_path, "Stranger").issue("device-18")
    with Server(
        "echo", "--port", 0, "--tls-certificate", server_files[0], "--tls-key", server_files[1],
        "--tls-client-ca", authority.file,
    ) as server:
        context = trusting(authority, version)
        context.load_cert_chain(*device)
        async with connect(server.port, context) as client:
            await client.send("hello")
            assert await client.recv() == "hello"
        for files in [None, stranger]:
            context = trusting(authority, version)
            if files:
                context.load_cert_chain(*files)
            # TLS 1.3 clients hear the alert behind their own handshake.
            with pytest.raises((ssl.SSLError, OSError, InvalidHandshake)):
                async with connect(server.port, context):
                    pass
        common = ["connect", f"wss://127.0.0.1:{server.port}", "--ca", authority.file]
        own = [*common, "--tls-certificate", device[0], "--tls-key", device[1]]
        done = martlet(*own, input="hello\n")
        assert (done.returncode, done.stdout) == (0, "hello\n"), done.stderr
        done = martlet(*common, input="hello\n")
        assert done.returncode == 1 and "certificate required" in done.stderr


# Reload and files


def served_certificate(port):
    return ssl.get_server_certificate(("127.0.0.1", port))


async def test_hangup_reads_the_files_again(authority, tmp_path):
    first, second = authority.issue("first"), authority.issue("second")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"

    def install(files):
        certificate.write_bytes(files[0].read_bytes())
        key.write_bytes(files[1].read_bytes())

    async def hangup(words):
        server.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            if server.output().count(words):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(server.output())

    install(first)
    with Server("serve", "--port", 0, "--tls-certificate", certificate, "--tls-key", key) as server:
        assert says_wss(server)
        before = served_certificate(server.port)
        context = trusting(authority)
        context.check_hostname = True
        with socket.create_connection(("127.0.0.1", server.port)) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as old:
                key.write_text("nothing")
                await hangup("the certificates cannot be used; the old ones stay")
                assert served_certificate(server.port) == before
                install(second)
                await hangup("certificates and keys were read again")
                assert served_certificate(server.port) != before
                # What was there goes on.
                old.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert old.recv(65_536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--tls-certificate", "/no/such.pem"], "cannot read the certificate file /no/such.pem"),
        (["--tls-key", "/no/such.pem"], "--tls-key (tls.keys) needs --tls-certificate"),
        (["--tls-certificate", "{other}", "--tls-key", "{key}"], "is not the one of the first certificate"),
        (["--tls-certificate", "{certificate}"], "--tls-key"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "echo"])
def test_files_that_cannot_be_used(authority, server_files, command, arguments, words):
    files = {"certificate": server_files[0], "key": server_files[1], "other": authority.file}
    done = martlet(command, "--port", 0, *(argument.format(**files) for argument in arguments))
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert words in done.stderr, done.stderr


# The clients


async def echo(client):
    async for message in client:
        await client.send(message)


async def run(*arguments, input):
    return await asyncio.to_thread(martlet, *arguments, input=input)


@pytest.mark.parametrize("version", VERSIONS)
async def test_connect(authority, server_files, tmp_path, version):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(*server_files)
    async with websockets_serve(echo, "127.0.0.1", 0, ssl=context, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"wss://localhost:{port}"
        for trust in [["--ca", authority.file], ["--insecure"]]:
            done = await run("connect", url, *trust, input="one\ntwo\n")
            assert (done.returncode, done.stdout) == (0, "one\ntwo\n"), done.stderr
        other = Authority(tmp_path, "Other").file
        for trust in [[], ["--ca", other]]:
            done = await run("connect", url, *trust, input="one\n")
            assert done.returncode == 1 and done.stdout == ""
            assert "certificate has an issuer that is not known here" in done.stderr
        done = await run("connect", f"ws://localhost:{port}", input="one\n")
        assert done.returncode == 1


async def test_connect_to_another_name(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("other", "DNS:other.example"))
    async with websockets_serve(echo, "127.0.0.1", 0, ssl=context) as server:
        port = server.sockets[0].getsockname()[1]
        done = await run("connect", f"wss://127.0.0.1:{port}", "--ca", authority.file, input="one\n")
        assert done.returncode == 1 and f"is not for 127.0.0.1:{port}" in done.stderr


def test_publish_by_tls(authority, server_files):
    with Server(
        "serve", "--demo", "--port", 0, "--tls-certificate", server_files[0], "--tls-key", server_files[1]
    ) as server:
        url = f"wss://127.0.0.1:{server.port}"
        for who in [["--user", "ann"], ["--api-key", "demo-key"]]:
            arguments = ["publish", "chat:lobby", '{"a":1}', "--url", url, *who]
            assert martlet(*arguments, "--ca", authority.file).returncode == 0
            refused = martlet(*arguments)
            assert refused.returncode == 1 and "certificate" in refused.stderr
