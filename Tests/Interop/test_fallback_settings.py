"""Every transport without a WebSocket: in TLS, behind nginx and HAProxy with and without TLS, and with io_uring."""

import contextlib
import json
import shutil
import uuid

import fallbacks
import pytest
import requests
from certificates import Authority
from programs import Server
from proxies import HAProxy, Nginx
from publishing import publish

PROXIES = {"nginx": Nginx, "haproxy": HAProxy}


@pytest.fixture(scope="module", params=["tls", "io_uring", "nginx", "nginx-tls", "haproxy", "haproxy-tls"])
def place(request, tmp_path_factory):
    """The address of a server, what to trust there, and the server."""
    folder = tmp_path_factory.mktemp("place")
    name, _, secured = request.param.partition("-")
    if name in PROXIES and not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    with contextlib.ExitStack() as stack:
        if name == "tls":
            authority = Authority(folder)
            certificate, key = authority.issue("server")
            server = stack.enter_context(
                Server("serve", "--port", 0, "--demo", "--tls-certificate", certificate, "--tls-key", key))
            yield f"https://localhost:{server.port}", str(authority.file)
        elif name == "io_uring":
            server = stack.enter_context(Server("serve", "--port", 0, "--demo", "--driver", "io_uring"))
            if "cannot be used" in server.output():
                pytest.skip("io_uring is forbidden here")
            yield server.http, True
        else:
            server = stack.enter_context(Server("serve", "--port", 0, "--demo"))
            front = stack.enter_context(PROXIES[name](folder, backends=[server.port]))
            if secured:
                yield f"https://localhost:{front.tls_port}", str(front.certificate)
            else:
                yield f"http://127.0.0.1:{front.port}", True
        server.assert_running()


@pytest.mark.parametrize("kind", fallbacks.FALLBACKS)
def test_commands_and_publications(place, kind):
    channel = f"chat:{uuid.uuid4().hex[:12]}"
    client = fallbacks.connect(place[0], kind, verify=place[1])
    client.send({"id": 2, "subscribe": {"channel": channel}})
    fallbacks.until(client, lambda reply: reply.get("id") == 2)
    # One at a time: what a proxy holds back does not come.
    for number in range(5):
        publish(place[0], channel, number, verify=place[1])
        got = fallbacks.until(client, lambda reply: "pub" in reply.get("push", {}))
        assert got[-1]["push"]["pub"]["data"] == number
    client.send({"id": 3, "publish": {"channel": channel, "data": "x" * 40_000}})
    got = fallbacks.until(client, lambda reply: reply.get("id") == 3 and "publish" in reply)
    publications = [reply["push"]["pub"] for reply in got if "push" in reply]
    while not publications:
        publications = [reply["push"]["pub"] for reply in [client.next()] if "push" in reply]
    assert publications[0]["data"] == "x" * 40_000
    client.close()


@pytest.mark.parametrize("kind", ["uni_sse", "uni_http_stream"])
def test_who_only_listens(place, kind):
    http, verify = place
    channel = f"chat:{uuid.uuid4().hex[:12]}"
    with requests.Session() as web:
        web.verify, web.trust_env = verify, False
        request = {"params": {"channel": channel}} if kind == "uni_sse" else {"json": {"subs": {channel: {}}}}
        method = web.get if kind == "uni_sse" else web.post
        with method(f"{http}/connection/{kind}", stream=True, timeout=20, **request) as response:
            assert response.status_code == 200
            lines = (line.removeprefix(b"data: ") for line in response.iter_lines(chunk_size=1) if line)
            assert "connect" in json.loads(next(lines))
            for number in range(3):
                publish(place[0], channel, number, verify=place[1])
                while "pub" not in (reply := json.loads(next(lines))):
                    pass
                assert reply["pub"]["data"] == number
