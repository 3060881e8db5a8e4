"""martlet.js as a consumer in Chromium: what a page has not dealt with comes again, to it or to the next one."""

import pytest
from middlebox import Middlebox
from programs import Server
from publishing import publish
from tokens import jwt

SECRET = "a secret of the tests, 32 bytes and more"
CHANNEL = "jobs:ann"
CONFIGURATION = """
{
  drain_seconds: 0, token: { secret: '%s' }, api: { keys: ['key'] },
  namespaces: {
    jobs: {
      subscribe: ['authenticated'], history_size: 100, history_ttl_seconds: 600, allow_acknowledgement: true,
      unacknowledged_publications: 3,
    },
  },
}
"""

# Each publication is dealt with when the test says so.
CONSUME = """
async ([token, transport, name]) => {
  const { Client } = await import('/martlet.js')
  const client = new Client('/connection/websocket', { token, transports: [transport] })
  const jobs = client.subscription(name, { consumer: 'phone' })
  const shown = [], pending = []
  jobs.on('publication', ({ data }) => {
    shown.push(data)
    return new Promise((resolve, reject) => pending.push({ resolve, reject }))
  })
  jobs.subscribe()
  client.connect()
  Object.assign(window, { client, jobs, shown, pending })
}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("configuration") / "martlet.json5"
    path.write_text(CONFIGURATION % SECRET)
    with Server("serve", "--port", 0, "--config", path) as server:
        yield server


def wait(page, condition):
    page.wait_for_function(condition, timeout=30_000)


@pytest.mark.parametrize("transport", ["websocket", "http_stream", "sse", "poll"])
def test_at_least_once_and_not_twice(browser, server, transport):
    channel = f"jobs:{transport}"
    box = Middlebox(server.port)
    page = browser.new_context().new_page()

    def begin():
        page.goto(f"{box.http}/health")
        page.evaluate(CONSUME, [jwt(SECRET, sub="ann"), transport, channel])
        wait(page, "jobs.state === 'subscribed'")

    def finish(number):
        wait(page, f"pending.length >= {number}")
        page.evaluate(f"pending[{number - 1}].resolve()")

    begin()
    publish(server.http, channel, 1, 2, key="key")
    finish(1)
    wait(page, "shown.length === 2")
    # The connection is replaced while the page is busy with 2.
    box.cut()
    wait(page, "client.state !== 'connected'")
    publish(server.http, channel, 3, 4, 5, 6, key="key")
    box.mend()
    page.evaluate("dispatchEvent(new Event('online'))")
    wait(page, "client.state === 'connected'")
    finish(2)
    for number in (3, 4):
        finish(number)
    wait(page, "shown.length === 5")
    assert page.evaluate("shown") == [1, 2, 3, 4, 5]
    # It fails: that one comes again, and those after it.
    page.evaluate("pending[4].reject(new Error('disk full'))")
    finish(6)
    wait(page, "shown.length === 7")
    assert page.evaluate("shown") == [1, 2, 3, 4, 5, 5, 6]
    # The page ends before it has dealt with 6.
    begin()
    finish(1)
    assert page.evaluate("shown") == [6]
    # More than may be on the way at once.
    publish(server.http, channel, *range(7, 15), key="key")
    for number in range(2, 10):
        finish(number)
    wait(page, "shown.length === 9 && jobs.state === 'subscribed'")
    assert page.evaluate("shown") == list(range(6, 15))
    page.context.close()
    box.cut()
