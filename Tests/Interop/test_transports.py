"""Clients without a WebSocket: streams, posts and polls, as curl and requests speak them."""

import json
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from programs import Server

CONNECT = '{"id":1,"connect":{}}'


@pytest.fixture(scope="module")
def demo():
    with Server("serve", "--port", 0, "--demo") as server:
        yield server


@pytest.fixture
def channel():
    return f"chat:{uuid.uuid4().hex[:12]}"


def publish(demo, channel, *items):
    for data in items:
        answer = requests.post(
            f"{demo.http}/api/publish", json={"channel": channel, "data": data},
            headers={"X-API-Key": "demo-key"}, timeout=10).json()
        assert "error" not in answer, answer


class Stream:
    """A response that goes on, message by message."""

    def __init__(self, demo, kind):
        if kind == "sse":
            self.response = requests.get(f"{demo.http}/connection/sse", {"cf_connect": CONNECT}, stream=True, timeout=20)
        else:
            self.response = requests.post(f"{demo.http}/connection/{kind}", CONNECT, stream=True, timeout=20)
        assert self.response.status_code == 200
        assert self.response.headers["X-Accel-Buffering"] == "no"
        self.lines = self.response.iter_lines(chunk_size=1, decode_unicode=False)
        self.demo = demo
        connect = self.next()["connect"]
        self.session, self.node = connect["session"], connect["node"]

    def next(self):
        for line in (line.decode() for line in self.lines):
            if line:
                return json.loads(line.removeprefix("data: "))
        return None

    def post(self, *commands, **changes):
        data = "\n".join(json.dumps(command) for command in commands)
        body = {"session": self.session, "node": self.node, "data": data, **changes}
        return requests.post(f"{self.demo.http}/emulation", json=body, timeout=10).status_code


@pytest.mark.parametrize("kind", ["sse", "http_stream"])
def test_a_session(demo, channel, kind):
    stream = Stream(demo, kind)
    assert stream.post({"id": 2, "subscribe": {"channel": channel}}) == 204
    assert stream.next()["id"] == 2
    publish(demo, channel, 1, 2)
    assert [stream.next()["push"]["pub"]["data"] for _ in range(2)] == [1, 2]
    assert stream.post({"id": 3, "publish": {"channel": channel, "data": "ü"}}) == 204
    got = [stream.next(), stream.next()]
    assert {"id": 3, "publish": {}} in got or any("id" in reply for reply in got)
    assert stream.post({}, session="0-nobody") == 404
    assert stream.post({}, node="elsewhere") == 404
    stream.response.close()


def test_posts_on_many_connections_stay_in_order(demo, channel):
    stream = Stream(demo, "http_stream")
    stream.post({"id": 2, "subscribe": {"channel": channel}})
    stream.next()
    posts = []
    body = lambda number: json.dumps({
        "session": stream.session, "node": stream.node,
        "data": json.dumps({"id": 3 + number, "publish": {"channel": channel, "data": number}})})
    # Each by a process of its own, all at once, the last first.
    for number in reversed(range(20)):
        posts.append(subprocess.Popen(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", body(number), f"{demo.http}/emulation"],
            stdout=subprocess.PIPE, text=True))
    assert {post.communicate(timeout=20)[0] for post in posts} == {"204"}
    data = []
    while len(data) < 20:
        reply = stream.next()
        if "push" in reply:
            data.append(reply["push"]["pub"]["data"])
    assert data == list(range(20))
    stream.response.close()


def test_the_server_says_when_it_ends():
    server = Server("serve", "--port", 0, "--demo")
    try:
        stream = Stream(server, "http_stream")
        waiting = poll(server, data=CONNECT)
        with ThreadPoolExecutor() as pool:
            last = pool.submit(poll, server, session=waiting["session"], ack=1)
            # The poll is under way when another is answered.
            poll(server, data=CONNECT, wait=0)
            assert server.terminate() == 0
            end = {"push": {"disconnect": {"code": 3001, "reason": "shutdown"}}}
            assert [stream.next(), stream.next()] == [end, None]
            assert last.result()["replies"] == [end]
    finally:
        server.__exit__(AssertionError, None, None)


def poll(demo, **body):
    response = requests.post(f"{demo.http}/connection/poll", json=body, timeout=30)
    assert response.status_code == 200, response.text
    return response.json()


def test_long_polling(demo, channel):
    first = poll(demo, data=CONNECT)
    session = first["session"]
    assert first["from"] == 1 and "connect" in first["replies"][0]
    command = json.dumps({"id": 2, "subscribe": {"channel": channel}})
    assert poll(demo, session=session, ack=1, data=command)["replies"][0]["id"] == 2
    publish(demo, channel, "a", "b")
    seen, number = [], 2
    while len(seen) < 2:
        # The first answer is lost, as it were: the next poll does not acknowledge it.
        poll(demo, session=session, ack=number)
        answer = poll(demo, session=session, ack=number)
        assert answer["from"] == number + 1
        seen += [reply["push"]["pub"]["data"] for reply in answer["replies"]]
        number += len(answer["replies"])
    assert seen == ["a", "b"]
    assert poll(demo, session=session, ack=number, wait=50)["replies"] == []


@pytest.mark.parametrize("arguments", [
    ["{http}/connection/uni_sse?channel={channel}"],
    ["{http}/connection/uni_http_stream", "-d", '{{"subs":{{"{channel}":{{}}}}}}'],
    ["-G", "{http}/connection/uni_sse", "--data-urlencode", 'cf_connect={{"subs":{{"{channel}":{{}}}}}}'],
])
def test_curl_listens(demo, channel, arguments):
    words = [word.format(http=demo.http, channel=channel) for word in arguments]
    curl = subprocess.Popen(["curl", "-sN", *words], stdout=subprocess.PIPE, text=True)
    try:
        def following():
            return json.loads(next(line for line in curl.stdout if line.strip()).removeprefix("data: "))
        assert "client" in following()["connect"]
        assert following()["channel"] == channel
        publish(demo, channel, {"text": "hello"})
        assert following()["pub"]["data"] == {"text": "hello"}
    finally:
        curl.terminate()
        curl.wait()
