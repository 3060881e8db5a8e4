"""Debian's node-ws: its client against `martlet echo`, its server against the library's client."""

import asyncio
import json
import pathlib
import shutil

import pytest
from echo_client import echo_client
from programs import Server, environment

SCRIPT = pathlib.Path(__file__).with_name("node_peer.cjs")
pytestmark = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


async def node(*arguments):
    return await asyncio.create_subprocess_exec(
        "node", SCRIPT, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=environment({"NODE_PATH": "/usr/share/nodejs"}))


async def ended(process):
    """What it says about its connection."""
    output, errors = await asyncio.wait_for(process.communicate(), 40)
    assert process.returncode == 0, errors.decode()
    return json.loads(output)


async def served(talk, *flags, compress=()):
    """Its server and the library's client: what either says."""
    process = await node("server", talk, *compress)
    try:
        port = int(await asyncio.wait_for(process.stdout.readline(), 20))
        client = await echo_client(f"ws://127.0.0.1:{port}/", *flags)
        return await ended(process), client
    finally:
        if process.returncode is None:
            process.kill()


@pytest.mark.parametrize("compress", [(), ("compress",)], ids=["plain", "compression offered"])
async def test_its_client(echo, compress):
    said = await ended(await node("client", echo.url, *compress))
    assert said == {"code": 4321, "reason": "", "extensions": "", "protocol": ""}


async def test_its_client_with_compression():
    with Server("echo", "--port", 0, "--max-message", "8MiB", "--deflate") as server:
        said = await ended(await node("client", server.url, "compress"))
        assert said["code"] == 4321 and "permessage-deflate" in said["extensions"]


@pytest.mark.parametrize("kind", ["standard", "context"])
async def test_its_server_with_compression(kind):
    said, client = await served("exchange", "--deflate", kind, compress=("compress",))
    assert said["code"] == 4321 and client.closed == (4321, "done")
    assert "permessage-deflate" in said["extensions"]


async def test_its_server():
    said, client = await served("exchange")
    assert said["code"] == 4321 and client.closed == (4321, "done")


async def test_its_server_vanishes():
    _, client = await served("vanish")
    assert client.closed[0] == 1006 and client.error == "closedAbnormally"


@pytest.mark.parametrize("violation", ["violate", "mask"])
async def test_its_server_breaks_the_protocol(violation):
    """The client closes with 1002; its own code is 1006, as it got none (RFC 6455 §7.1.5), with the reason in words."""
    said, client = await served(violation)
    assert said["code"] == 1002
    assert client.error == "closedAbnormally"
    code, reason = client.closed
    assert code == 1006 and reason == said["reason"] != ""
