"""The HTTP API: with cent, the client library for backends, and with requests as one would write them by hand."""

import asyncio
import base64
import http.client
import json
import subprocess
import uuid

import pytest
import requests
from cent import (
    BatchRequest,
    BroadcastRequest,
    CentApiResponseError,
    CentUnauthorizedError,
    ChannelsRequest,
    Client,
    DisconnectRequest,
    HistoryRemoveRequest,
    HistoryRequest,
    InfoRequest,
    PresenceRequest,
    PresenceStatsRequest,
    PublishRequest,
    RefreshRequest,
    StreamPosition,
    SubscribeRequest,
    UnsubscribeRequest,
)
from messaging import API_KEY, SECRET, Commands
from tokens import jwt


def fresh(namespace="chat"):
    return f"{namespace}:{uuid.uuid4().hex[:12]}"


@pytest.fixture
def cent(serve):
    return Client(f"{serve.http}/api", API_KEY)


# cent


def test_publish_and_history(cent):
    channel = fresh()
    first = cent.publish(PublishRequest(channel=channel, data={"n": 1}, tags={"kind": "test"}))
    second = cent.publish(PublishRequest(channel=channel, data={"n": 2}))
    assert (first.offset, second.offset) == (1, 2) and first.epoch == second.epoch != ""
    history = cent.history(HistoryRequest(channel=channel, limit=10))
    assert [(one.offset, one.data, one.tags) for one in history.publications] == [
        (1, {"n": 1}, {"kind": "test"}),
        (2, {"n": 2}, None),
    ]
    assert (history.offset, history.epoch) == (2, first.epoch)
    since = cent.history(HistoryRequest(channel=channel, limit=10, since=StreamPosition(offset=1, epoch=first.epoch)))
    assert [one.offset for one in since.publications] == [2]
    reverse = cent.history(HistoryRequest(channel=channel, limit=1, reverse=True))
    assert [one.offset for one in reverse.publications] == [2]


def test_history_remove(cent):
    channel = fresh()
    cent.publish(PublishRequest(channel=channel, data=1))
    cent.history_remove(HistoryRemoveRequest(channel=channel))
    assert cent.history(HistoryRequest(channel=channel, limit=10)).publications == []


def test_skip_history(cent):
    channel = fresh()
    cent.publish(PublishRequest(channel=channel, data=1, skip_history=True))
    assert cent.history(HistoryRequest(channel=channel, limit=10)).publications == []


def test_idempotency_key(cent):
    channel, key = fresh(), uuid.uuid4().hex
    first = cent.publish(PublishRequest(channel=channel, data=1, idempotency_key=key))
    again = cent.publish(PublishRequest(channel=channel, data=2, idempotency_key=key))
    assert (again.offset, again.epoch) == (first.offset, first.epoch)
    assert [one.data for one in cent.history(HistoryRequest(channel=channel, limit=10)).publications] == [1]
    other = cent.publish(PublishRequest(channel=channel, data=3, idempotency_key=key + "x"))
    assert other.offset == 2


def test_broadcast(cent):
    channels = [fresh(), fresh(), "nowhere:x"]
    one, two, three = cent.broadcast(BroadcastRequest(channels=channels, data="all")).responses
    assert one.result.offset == two.result.offset == 1
    assert three.error.code == 102


def test_binary_data(cent):
    channel = fresh()
    data = base64.b64encode(b'{"from":"base64"}').decode()
    cent.publish(PublishRequest(channel=channel, data=None, b64data=data))
    assert cent.history(HistoryRequest(channel=channel, limit=1)).publications[0].data == {"from": "base64"}


async def test_bytes_that_are_no_json(cent, serve):
    """Clients of JSON get them in Base64, as they get what clients of Protobuf publish."""
    channel = fresh()
    data = base64.b64encode(bytes(range(256))).decode()
    async with Commands.open(serve) as it:
        await it.connect(jwt(SECRET, sub="ann"))
        await it.call(subscribe={"channel": channel})
        await asyncio.to_thread(cent.publish, PublishRequest(channel=channel, data=None, b64data=data))
        assert (await it.push())["pub"]["data"] == data


def test_a_stream_of_any_length(serve):
    """40 MB of lines in as much memory as few of them take."""
    line = json.dumps({"channel": "plain:stream", "data": "x" * 150}).encode() + b"\n"
    before = serve.resident_bytes()
    peak = 0

    def lines():
        nonlocal peak
        for _ in range(200):
            yield line * 1_000
            peak = max(peak, serve.resident_bytes())

    answer = requests.post(
        f"{serve.http}/api/stream?summary=1", data=lines(), headers={"X-API-Key": API_KEY}, timeout=300)
    assert answer.json() == {"result": {"published": 200_000, "failed": 0}}
    assert peak - before < 16 << 20


def test_the_description_is_served(serve):
    document = requests.get(f"{serve.http}/api/openapi.json", timeout=10)
    assert document.json()["openapi"] == "3.1.0" and document.headers["Content-Type"].startswith("application/json")
    again = requests.get(document.url, headers={"If-None-Match": document.headers["ETag"]}, timeout=10)
    assert again.status_code == 304


async def test_presence(cent, serve):
    channel = fresh()
    async with Commands.open(serve) as it:
        me = await it.connect(jwt(SECRET, sub="ann", info={"name": "Ann"}))
        await it.call(subscribe={"channel": channel})
        presence = (await asyncio.to_thread(cent.presence, PresenceRequest(channel=channel))).presence
        assert list(presence) == [me["client"]]
        assert presence[me["client"]].user == "ann"
        assert presence[me["client"]].conn_info == {"name": "Ann"}
        stats = await asyncio.to_thread(cent.presence_stats, PresenceStatsRequest(channel=channel))
        assert (stats.num_clients, stats.num_users) == (1, 1)


async def test_channels_and_info(cent, serve):
    channel = fresh()
    async with Commands.open(serve) as it:
        await it.connect(jwt(SECRET, sub="ann"))
        await it.call(subscribe={"channel": channel})
        channels = (await asyncio.to_thread(cent.channels, ChannelsRequest())).channels
        assert channels[channel].num_clients == 1
        pattern = channel[:-3] + "*"
        assert list((await asyncio.to_thread(cent.channels, ChannelsRequest(pattern=pattern))).channels) == [channel]
        (node,) = (await asyncio.to_thread(cent.info, InfoRequest())).nodes
        assert node.num_clients >= 1 and node.num_channels >= 1 and node.version


async def test_subscribe_unsubscribe_disconnect(cent, serve):
    channel, name = fresh("closed"), uuid.uuid4().hex
    async with Commands.open(serve) as it:
        await it.connect(jwt(SECRET, sub=name))
        await asyncio.to_thread(cent.subscribe, SubscribeRequest(user=name, channel=channel))
        assert "subscribe" in await it.push()
        await asyncio.to_thread(cent.publish, PublishRequest(channel=channel, data="x"))
        assert (await it.push())["pub"]["data"] == "x"
        await asyncio.to_thread(cent.unsubscribe, UnsubscribeRequest(user=name, channel=channel))
        assert (await it.push())["unsubscribe"]["code"] == 2000
        await asyncio.to_thread(cent.refresh, RefreshRequest(user=name, expire_at=1 << 40))
        assert (await it.push())["refresh"] == {"expires": True, "ttl": (1 << 32) - 1}
        await asyncio.to_thread(cent.disconnect, DisconnectRequest(user=name))
        assert await it.closed() == 3503


def test_batch(cent):
    channel = fresh()
    requests = [PublishRequest(channel=channel, data=number) for number in range(3)]
    replies = cent.batch(BatchRequest(requests=[*requests, HistoryRequest(channel=channel, limit=10)])).replies
    assert [reply.offset for reply in replies] == [1, 2, 3, 3]
    assert [one.data for one in replies[3].publications] == [0, 1, 2]


def test_errors(cent):
    with pytest.raises(CentApiResponseError) as unknown:
        cent.publish(PublishRequest(channel="nowhere:x", data=1))
    assert unknown.value.code == 102
    for request in (
        lambda: cent.history(HistoryRequest(channel="plain:x", limit=1)),
        lambda: cent.presence(PresenceRequest(channel="plain:x")),
    ):
        with pytest.raises(CentApiResponseError) as off:
            request()
        assert off.value.code == 108


@pytest.mark.parametrize("key", ["wrong", "a-key-of-the-test", API_KEY + "x"])
def test_wrong_key(serve, key):
    with pytest.raises(CentUnauthorizedError):
        Client(f"{serve.http}/api", key).info(InfoRequest())


# By hand


@pytest.mark.parametrize(
    "headers", [{}, {"X-API-Key": ""}, {"Authorization": f"Bearer {API_KEY}"}, {"Authorization": API_KEY}]
)
def test_no_key(api, headers):
    assert api.post("info", headers=headers).status_code == 401


@pytest.mark.parametrize("headers", [{"X-API-Key": API_KEY}, {"Authorization": f"apikey {API_KEY}"}])
def test_both_ways_to_send_the_key(api, headers):
    response = api.post("info", headers=headers)
    assert response.status_code == 200 and response.json()["result"]["nodes"]
    assert response.headers["Content-Type"].startswith("application/json")


def test_curl_as_in_the_readme(demo):
    command = [
        *("curl", "--silent", "--show-error", "--fail-with-body", "-X", "POST"),
        *(f"{demo.http}/api/publish", "-H", f"X-API-Key: {API_KEY}"),
        *("-d", '{"channel":"news:today","data":{"headline":"hello"}}'),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr + done.stdout
    assert '"result"' in done.stdout and '"offset"' in done.stdout


@pytest.mark.parametrize(
    "body", ["", "{", "nonsense", "[]", "1", '{"channel":"chat:x"}', '{"channel":5,"data":1}', '{"data":1}', b"\xff"]
)
def test_body_that_cannot_be_used(api, body):
    response = api.post("publish", data=body)
    if response.status_code == 200:
        assert response.json()["error"]["code"] == 107
    else:
        assert response.status_code == 400


def test_nesting_without_end(api):
    response = api.post("publish", data='{"channel":"plain:x","data":' + "[" * 100_000)
    assert response.status_code in (200, 400, 413)
    if response.status_code == 200:
        assert response.json()["error"]["code"] == 107


def test_unknown_method(api):
    response = api.post("frobnicate")
    assert response.status_code == 404 or response.json()["error"]["code"] == 104


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_only_post(serve, method):
    response = requests.request(method, f"{serve.http}/api/info", headers={"X-API-Key": API_KEY}, timeout=10)
    assert response.status_code in (404, 405)


def test_a_body_that_is_too_large(api):
    response = api.post("publish", data='{"channel":"plain:x","data":"' + "x" * (32 << 20) + '"}')
    assert response.status_code == 413


def test_data_over_the_limit_of_a_message(api):
    assert api.error("publish", channel=fresh("plain"), data="x" * 70_000) in (106, 107)


def test_many_requests_on_one_connection(serve):
    with requests.Session() as session:
        session.headers["X-API-Key"] = API_KEY
        channel = fresh()
        for number in range(1, 201):
            answer = session.post(f"{serve.http}/api/publish", json={"channel": channel, "data": number}, timeout=10)
            assert answer.json()["result"]["offset"] == number


def test_chunked_body(serve):
    def chunks():
        yield b'{"channel":"plain:x",'
        yield b'"data":1}'

    answer = requests.post(f"{serve.http}/api/publish", data=chunks(), headers={"X-API-Key": API_KEY}, timeout=10)
    assert "result" in answer.json()


def test_health(serve):
    assert requests.get(f"{serve.http}/health", timeout=10).status_code == 200


def test_unknown_path(serve):
    assert requests.get(f"{serve.http}/no/such/page", timeout=10).status_code == 404


@pytest.mark.parametrize("path", ["/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%00"])
def test_no_path_leads_out_of_the_pages(demo, path):
    connection = http.client.HTTPConnection("127.0.0.1", demo.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.status in (400, 403, 404)
    assert b"root:" not in response.read()
    connection.close()
