"""Clients without a WebSocket: streams, posts and polls, as curl and requests speak them."""

import base64
import json
import subprocess
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from centrifuge.protocol import client_pb2
from google.protobuf import json_format
from google.protobuf.internal import decoder, encoder
from programs import Server
from publishing import publish

CONNECT = '{"id":1,"connect":{}}'


@pytest.fixture(scope="module")
def demo():
    with Server("serve", "--port", 0, "--demo") as server:
        yield server


@pytest.fixture
def channel():
    return f"chat:{uuid.uuid4().hex[:12]}"


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
    publish(demo.http, channel, 1, 2)
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
    publish(demo.http, channel, "a", "b")
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
        publish(demo.http, channel, {"text": "hello"})
        assert following()["pub"]["data"] == {"text": "hello"}
    finally:
        curl.terminate()
        curl.wait()


# Protobuf


class ProtobufStream:
    """HTTP streaming in Protobuf: replies behind their lengths, as they come in pieces of any size."""

    def __init__(self, demo):
        self.demo, self.rest = demo, b""
        self.response = requests.post(
            f"{demo.http}/connection/http_stream", self.commands({"id": 1, "connect": {}}), stream=True, timeout=20,
            headers={"Content-Type": "application/octet-stream"})
        assert self.response.status_code == 200
        assert self.response.headers["Content-Type"] == "application/octet-stream"
        self.pieces = self.response.iter_content(chunk_size=1)
        connect = self.next().connect
        self.session, self.node = connect.session, connect.node

    def commands(self, *commands):
        data = b""
        for command in commands:
            message = json_format.ParseDict(command, client_pb2.Command()).SerializeToString()
            data += encoder._VarintBytes(len(message)) + message
        return data

    def next(self):
        while True:
            try:
                length, start = decoder._DecodeVarint(self.rest, 0)
                if len(self.rest) >= start + length:
                    message, self.rest = self.rest[start:start + length], self.rest[start + length:]
                    return client_pb2.Reply.FromString(message)
            except IndexError:
                pass
            piece = next(self.pieces, None)
            if piece is None:
                return None
            self.rest += piece

    def post(self, *commands, session=None):
        body = client_pb2.EmulationRequest(
            session=session or self.session, node=self.node, data=self.commands(*commands))
        return requests.post(
            f"{self.demo.http}/emulation", body.SerializeToString(), timeout=10,
            headers={"Content-Type": "application/octet-stream"}).status_code


def test_a_session_in_protobuf(demo, channel):
    stream = ProtobufStream(demo)
    assert stream.post({"id": 2, "subscribe": {"channel": channel}}, {"id": 3, "history": {"channel": channel}}) == 204
    assert stream.next().id == 2 and stream.next().id == 3
    publish(demo.http, channel, {"a": "ü"})
    assert json.loads(stream.next().push.pub.data) == {"a": "ü"}
    big = b'"' + b"x" * 40_000 + b'"'
    assert stream.post({"id": 4, "publish": {"channel": channel, "data": base64.b64encode(big).decode()}}) == 204
    got = [stream.next(), stream.next()]
    assert {reply.id for reply in got} == {0, 4}
    assert [reply.push.pub.data for reply in got if not reply.id] == [big]
    assert stream.post(session="0-nobody") == 404
    stream.response.close()


def test_the_end_of_a_session_in_protobuf(demo):
    stream = ProtobufStream(demo)
    assert stream.post({"id": 2, "connect": {}}) == 204
    assert stream.next().push.disconnect.code == 3501
    assert stream.next() is None
