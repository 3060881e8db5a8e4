"""The browser's own WebSocket against `martlet echo`."""

import pytest
from programs import Server

# Runs in the page: `talk(url, options, body)` opens a socket, runs the body, and tells how it ended.
TALK = """
async ([url, protocols, script]) => {
  const socket = new WebSocket(url, protocols)
  const messages = []
  const wanted = []
  let failed = false
  socket.onerror = () => { failed = true }
  socket.onmessage = ({ data }) => wanted.length ? wanted.shift()(data) : messages.push(data)
  const next = () => messages.length ? messages.shift() : new Promise((resolve) => wanted.push(resolve))
  const ended = new Promise((resolve) => { socket.onclose = resolve })
  const opened = await Promise.race([new Promise((resolve) => { socket.onopen = () => resolve(true) }), ended.then(() => false)])
  const random = (size) => {
    const bytes = new Uint8Array(size)
    for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65536)))
    return bytes
  }
  const same = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index])
  const result = opened ? await new Function('socket', 'next', 'random', 'same', `return (${script})()`)(socket, next, random, same) : null
  if (socket.readyState === WebSocket.OPEN) socket.close(1000)
  const { code, reason, wasClean } = await ended
  return { opened, result, failed, code, reason, wasClean, protocol: socket.protocol, extensions: socket.extensions }
}
"""


@pytest.fixture(scope="module")
def echo():
    with Server("echo", "--port", 0) as server:
        yield server


@pytest.fixture(scope="module")
def compressing():
    with Server("echo", "--port", 0, "--deflate") as server:
        yield server


@pytest.fixture(scope="module")
def page(browser, echo):
    """A page of any HTTP origin; the echo server's 426 is one."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{echo.http}/")
    yield page
    context.close()


def talk(page, server, script, protocols=()):
    return page.evaluate(TALK, [f"{server.url}/", list(protocols), script])


def test_text(page, echo):
    done = talk(page, echo, """async () => {
      for (const text of ['', 'a', 'ünï ☃ 𝄞', 'x'.repeat(125), 'x'.repeat(126), '𝄞'.repeat(20000), 'x'.repeat(1 << 20)]) {
        socket.send(text)
        if (await next() !== text) return `${text.length} came back otherwise`
      }
      return 'same'
    }""")
    assert done["result"] == "same"
    assert (done["code"], done["wasClean"], done["failed"], done["extensions"]) == (1000, True, False, "")


def test_a_lone_surrogate_is_replaced(page, echo):
    """JavaScript's strings may hold what UTF-8 cannot: the browser sends U+FFFD, and no violation."""
    done = talk(page, echo, "async () => { socket.send('a\\ud800b'); return await next() }")
    assert done["result"] == "a\ufffdb" and done["code"] == 1000


@pytest.mark.parametrize("kind", ["arraybuffer", "blob"])
def test_binary(page, echo, kind):
    done = talk(page, echo, """async () => {
      socket.binaryType = '%s'
      for (const size of [0, 1, 125, 126, 127, 65535, 65536, 1 << 20]) {
        const bytes = random(size)
        socket.send(size %% 2 ? bytes : size %% 4 ? bytes.buffer : new Blob([bytes]))
        const data = await next()
        if ((data instanceof Blob) !== (socket.binaryType === 'blob')) return `a ${data.constructor.name}`
        const came = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data)
        if (!same(came, bytes)) return `${size} bytes came back otherwise`
      }
      return 'same'
    }""" % kind)
    assert done["result"] == "same"


@pytest.mark.parametrize("code", [1000, 3000, 4999])
def test_close_codes(page, echo, code):
    done = talk(page, echo, f"async () => socket.close({code}, 'enough')")
    assert (done["code"], done["wasClean"]) == (code, True)


def test_close_without_a_code(page, echo):
    done = talk(page, echo, "async () => socket.close()")
    assert (done["code"], done["wasClean"]) == (1005, True)


def test_the_server_closes(page, echo):
    done = talk(page, echo, "async () => socket.send('x'.repeat((1 << 20) + 1))")
    assert (done["code"], done["wasClean"], done["failed"]) == (1009, True, False)
    assert done["reason"]


def test_shutdown(page):
    with Server("echo", "--port", 0) as server:
        page.evaluate("url => { window.ended = new Promise((resolve) => {"
                      " const socket = new WebSocket(url); window.open_ = new Promise((open) => { socket.onopen = open });"
                      " socket.onclose = ({ code, wasClean }) => resolve([code, wasClean]) }) }", f"{server.url}/")
        page.evaluate("() => window.open_")
        server.process.terminate()
        assert page.evaluate("() => window.ended") == [1001, True]
        assert server.process.wait(10) == 0
        server.assert_running = lambda: None


def test_buffered_amount_falls_to_nothing(page, echo):
    done = talk(page, echo, """async () => {
      const bytes = random(1 << 20)
      for (let count = 0; count < 16; count++) socket.send(bytes)
      const most = socket.bufferedAmount
      for (let count = 0; count < 16; count++) await next()
      return [most, socket.bufferedAmount]
    }""")
    most, least = done["result"]
    assert most >= 8 << 20 and least == 0


def test_many_messages_keep_their_order(page, echo):
    done = talk(page, echo, """async () => {
      for (let number = 0; number < 5000; number++) socket.send(`${number}`)
      for (let number = 0; number < 5000; number++) if (await next() !== `${number}`) return number
      return 'in order'
    }""")
    assert done["result"] == "in order"


def test_a_subprotocol_that_is_not_chosen_fails_the_connection(page, echo):
    """The browser's rule (WHATWG); `martlet echo` speaks none."""
    done = talk(page, echo, "async () => 'opened'", protocols=["chat"])
    assert not done["opened"] and done["failed"] and done["code"] == 1006


def test_compression(page, compressing):
    """Chromium offers permessage-deflate; without context on either side, as Martlet chooses."""
    done = talk(page, compressing, """async () => {
      for (const text of ['', 'a', 'martlet '.repeat(1000), 'x'.repeat(1 << 20), JSON.stringify([...Array(5000).keys()])]) {
        socket.send(text)
        if (await next() !== text) return `${text.length} came back otherwise`
      }
      const bytes = random(1 << 20)
      socket.binaryType = 'arraybuffer'
      socket.send(bytes)
      return same(new Uint8Array(await next()), bytes) ? 'same' : 'not the same bytes'
    }""")
    assert done["result"] == "same" and done["code"] == 1000
    assert done["extensions"].startswith("permessage-deflate")
    assert "server_no_context_takeover" in done["extensions"] and "client_no_context_takeover" in done["extensions"]


def test_a_bomb_is_refused(page, compressing):
    done = talk(page, compressing, "async () => socket.send('x'.repeat((1 << 20) + 1))")
    assert done["code"] == 1009


def test_twenty_sockets_of_one_page(page, echo):
    counts = page.evaluate("""async (url) => Promise.all([...Array(20).keys()].map((number) => new Promise((resolve) => {
      const socket = new WebSocket(url)
      let count = 0
      socket.onopen = () => socket.send(`${number}`)
      socket.onmessage = ({ data }) => {
        if (data !== `${number}`) resolve(-1)
        else if (++count < 50) socket.send(data)
        else { socket.close(); resolve(count) }
      }
    })))""", f"{echo.url}/")
    assert counts == [50] * 20


def test_a_compressed_publication(browser):
    """`martlet serve --deflate`: the browser inflates what was compressed for all at once."""
    with Server("serve", "--port", 0, "--demo", "--deflate") as server:
        page = browser.new_context().new_page()
        page.goto(f"{server.http}/health")
        done = page.evaluate(TALK, [f"{server.websocket}", [], """async () => {
          const ask = async (command) => { socket.send(JSON.stringify(command)); return JSON.parse(await next()) }
          await ask({ id: 1, connect: {} })
          await ask({ id: 2, subscribe: { channel: 'news:x' } })
          const headers = { 'X-API-Key': 'demo-key' }
          const text = 'tick '.repeat(1000)
          const body = JSON.stringify({ channel: 'news:x', data: text })
          await fetch('/api/publish', { method: 'POST', headers, body })
          const { push } = JSON.parse(await next())
          const info = await (await fetch('/api/info', { method: 'POST', headers, body: '{}' })).json()
          return [push.pub.data === text, info.result.nodes[0].metrics.items.shared_frames_compressed]
        }"""])
        assert done["result"] == [True, 1]
        assert "server_no_context_takeover" in done["extensions"]
        page.context.close()
