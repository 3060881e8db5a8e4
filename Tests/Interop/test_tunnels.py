"""Tunnels whose streams break: polls go on where they were, whichever loop they come to."""

import json
import uuid

import pytest
import requests
from programs import Server
from publishing import publish


@pytest.fixture(scope="module")
def demo():
    with Server("serve", "--port", 0, "--demo", "--loops", 2) as server:
        yield server


def data(messages):
    lines = [json.loads(line) for message in messages for line in message["text"].split("\n")]
    return [line["push"]["pub"]["data"] for line in lines if "pub" in line.get("push", {})]


@pytest.mark.parametrize("attempt", range(4))
def test_a_stream_that_breaks(demo, attempt):
    """Each attempt on connections of its own: some polls come to another loop than the stream did."""
    channel = f"chat:{uuid.uuid4().hex[:12]}"
    stream = requests.post(
        f"{demo.http}/tunnel/connection/websocket", json={"stream": True, "resume": True}, stream=True, timeout=20)
    lines = stream.iter_lines(chunk_size=1)
    opening = json.loads(next(lines))
    session = opening["session"]
    assert opening["resume"] is True
    commands = [{"id": 1, "connect": {}}, {"id": 2, "subscribe": {"channel": channel}}]
    body = {"session": session, "from": 1, "messages": [{"text": json.dumps(command)} for command in commands]}
    assert requests.post(f"{demo.http}/tunnel", json=body, timeout=10).status_code == 204
    arrived = 0
    publish(demo.http, channel, 0)
    seen = []
    while not seen:
        if line := next(lines):
            arrived += 1
            seen += data([json.loads(line)])
    body = {"session": session, "from": 3, "seen": arrived}
    assert requests.post(f"{demo.http}/tunnel", json=body, timeout=10).status_code == 204
    stream.close()
    publish(demo.http, channel, 1, 2)
    while len(seen) < 3:
        answer = requests.post(f"{demo.http}/tunnel", json={"session": session, "ack": arrived}, timeout=30).json()
        assert answer["from"] == arrived + 1
        seen += data(answer["replies"])
        arrived += len(answer["replies"])
    assert seen == [0, 1, 2]
