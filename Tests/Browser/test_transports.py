"""martlet.js in Chromium on networks that spoil WebSockets, and streams."""

import pytest
from middlebox import Middlebox

# Runs in the page: makes a client whose events are kept.
MAKE = """
async ([name, options]) => {
  const { Client } = await import('/martlet.js')
  const client = new Client('/connection/websocket', options)
  const log = []
  for (const type of ['connecting', 'connected', 'disconnected', 'error']) client.on(type, (event) => log.push([type, event]))
  const news = client.subscription(name)
  const got = []
  news.on('publication', ({ data }) => got.push(data))
  news.on('subscribed', (event) => log.push(['subscribed', event]))
  news.subscribe()
  client.connect()
  Object.assign(window, { client, log, got, news })
}
"""

NO_WEBSOCKET = b"upgrade: websocket"
NO_STREAM = b"post /connection/http_stream"


@pytest.fixture
def box(demo):
    boxes = []

    def make(**settings):
        boxes.append(Middlebox(demo.port, **settings))
        return boxes[-1]

    yield make
    for made in boxes:
        made.cut()


def visit(browser, box, channel="chat:test", **options):
    page = browser.new_context().new_page()
    page.goto(f"{box.http}/health")
    page.evaluate(MAKE, [channel, options])
    return page


def wait(page, condition):
    page.wait_for_function(condition, timeout=30_000)


def works(page, demo, transport, channel="chat:test"):
    """Connects by this transport; publications come, go, and have no gap and no repeat."""
    wait(page, "client.state === 'connected' && news.state === 'subscribed'")
    assert page.evaluate("client.transport") == transport
    demo.publish(channel, *range(50))
    page.evaluate("Promise.all([50, 51, 52].map((data) => news.publish(data)))")
    wait(page, "got.length >= 53")
    assert page.evaluate("got") == list(range(53))
    assert page.evaluate("news.presenceStats()")["clients"] == 1


@pytest.mark.parametrize("blocks, transport", [
    ([], "websocket"),
    ([NO_WEBSOCKET], "http_stream"),
    ([NO_WEBSOCKET, NO_STREAM], "sse"),
    ([NO_WEBSOCKET, NO_STREAM, b"get /connection/sse"], "poll"),
])
def test_what_the_network_leaves(browser, demo, box, blocks, transport):
    network = box(blocks=blocks)
    page = visit(browser, network)
    works(page, demo, transport)
    assert network.blocked == len(blocks)
    page.context.close()


def test_a_network_that_holds_streams_back_is_polled_through(browser, demo, box):
    network = box(blocks=[NO_WEBSOCKET], buffers=True)
    page = visit(browser, network)
    works(page, demo, "poll")
    page.context.close()


def test_the_next_page_begins_with_what_worked(browser, demo, box):
    network = box(blocks=[NO_WEBSOCKET])
    page = visit(browser, network)
    works(page, demo, "http_stream")
    page.reload()
    page.evaluate(MAKE, ["chat:other", {}])
    works(page, demo, "http_stream", "chat:other")
    assert network.blocked == 1
    page.context.close()


@pytest.mark.parametrize("blocks, transport", [
    ([], "websocket"),
    ([NO_WEBSOCKET], "http_stream"),
    ([NO_WEBSOCKET, NO_STREAM, b"get /connection/sse"], "poll"),
])
def test_what_was_missed_comes_after_the_network(browser, demo, box, blocks, transport):
    network = box(blocks=blocks)
    page = visit(browser, network)
    wait(page, "news.state === 'subscribed'")
    demo.publish("chat:test", 1, 2)
    wait(page, "got.length === 2")
    network.cut()
    wait(page, "client.state !== 'connected'")
    demo.publish("chat:test", 3, 4)
    network.mend()
    page.evaluate("dispatchEvent(new Event('online'))")
    wait(page, "got.length >= 4")
    assert page.evaluate("got") == [1, 2, 3, 4]
    assert page.evaluate("client.transport") == transport
    page.context.close()


def test_a_reload_goes_on_where_the_page_was(browser, demo, box):
    page = visit(browser, box(), persist=True)
    wait(page, "news.state === 'subscribed'")
    demo.publish("chat:test", 1, 2)
    wait(page, "got.length === 2")
    page.goto("about:blank")
    demo.publish("chat:test", 3, 4)
    page.go_back()
    page.evaluate(MAKE, ["chat:test", {"persist": True}])
    wait(page, "got.length >= 2")
    assert page.evaluate("got") == [3, 4]
    assert page.evaluate("log.find(([type]) => type === 'subscribed')[1].recovered")
    page.context.close()


def test_commands_wait_for_the_network(browser, demo, box):
    network = box()
    page = visit(browser, network, queue=10)
    wait(page, "news.state === 'subscribed'")
    network.cut()
    wait(page, "client.state !== 'connected'")
    page.evaluate("window.sent = Promise.all([1, 2, 3].map((data) => client.publish('chat:test', data))), undefined")
    network.mend()
    page.evaluate("dispatchEvent(new Event('online'))")
    page.evaluate("sent")
    wait(page, "got.length >= 3")
    assert page.evaluate("got") == [1, 2, 3]
    page.context.close()


SHARE = """
async (name) => {
  const { connectShared } = await import('/martlet-shared.js')
  const client = connectShared()
  const news = client.subscription(name)
  const got = []
  news.on('publication', ({ data }) => got.push(data))
  news.subscribe()
  Object.assign(window, { client, got, news })
}
"""


def test_tabs_share_a_connection(browser, demo):
    context = browser.new_context()
    tabs = [context.new_page() for _ in range(3)]
    for tab in tabs:
        tab.goto(f"{demo.http}/health")
        tab.evaluate(SHARE, "chat:shared")
        wait(tab, "client.state === 'connected' && news.state === 'subscribed'")
    demo.publish("chat:shared", 1)
    for tab in tabs:
        wait(tab, "got.length === 1")
    assert tabs[0].evaluate("news.presenceStats()")["clients"] == 1
    # Whoever came first may go: the worker keeps the connection for the others.
    tabs[0].close()
    tabs[1].evaluate("news.publish(2)")
    for tab in tabs[1:]:
        wait(tab, "got.length === 2")
        assert tab.evaluate("got") == [1, 2]
    tabs[1].close()
    tabs[2].close()
    # When all are gone, so is the connection.
    page = browser.new_context().new_page()
    page.goto(f"{demo.http}/health")
    page.evaluate(MAKE, ["chat:other", {}])
    wait(page, "client.state === 'connected'")
    wait(page, "client.presenceStats('chat:shared').then(({ clients }) => clients === 0)")
    page.context.close()
    context.close()

# A conversation over a WebSocket with the client protocol's route.
SHIM = """
async () => {
  const { FallbackWebSocket } = await import('/websocket-shim.js')
  const { Client } = await import('/martlet.js')
  const socket = new FallbackWebSocket('/connection/websocket')
  const next = (type) => new Promise((resolve) => socket.addEventListener(type, resolve, { once: true }))
  await next('open')
  const way = socket.way
  socket.send('{"id":1,"connect":{}}')
  const reply = JSON.parse((await next('message')).data)
  socket.send(new Uint8Array([1, 2, 3]))
  const { code, reason, wasClean } = await next('close')
  const client = new Client(undefined, { WebSocket: FallbackWebSocket, transports: ['websocket'] })
  const news = client.subscription('chat:shim')
  const got = []
  news.on('publication', ({ data }) => got.push(data))
  news.subscribe()
  client.connect()
  Object.assign(window, { client, got, news })
  return { way, client: reply.connect.client, code, reason, wasClean }
}
"""


@pytest.mark.parametrize("settings, way", [
    ({}, "direct"),
    ({"blocks": [NO_WEBSOCKET]}, "stream"),
    ({"blocks": [NO_WEBSOCKET], "buffers": True}, "poll"),
])
def test_a_websocket_where_there_is_none(browser, demo, box, settings, way):
    network = box(**settings)
    page = browser.new_context().new_page()
    page.goto(f"{network.http}/health")
    told = page.evaluate(SHIM)
    assert told.pop("client")
    assert told == {
        "way": way, "code": 1003, "reason": "The JSON protocol has text messages only.", "wasClean": True}
    wait(page, "news.state === 'subscribed'")
    demo.publish("chat:shim", *range(100), "x" * 50_000)
    page.evaluate("Promise.all([...Array(50).keys()].map((data) => news.publish(100 + data)))")
    wait(page, "got.length >= 151")
    got = page.evaluate("got")
    assert got[:101] == [*range(100), "x" * 50_000] and got[101:] == list(range(100, 150))
    page.evaluate("client.disconnect()")
    page.context.close()
