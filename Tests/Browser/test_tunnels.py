"""websocket-shim.js in Chromium: a socket whose stream breaks goes on."""

from middlebox import Middlebox

OPEN = """
async (channel) => {
  const { FallbackWebSocket } = await import('/websocket-shim.js')
  const socket = new FallbackWebSocket('/connection/websocket')
  const got = []
  const ends = []
  await new Promise((resolve) => { socket.onopen = resolve })
  let subscribed
  const isSubscribed = new Promise((resolve) => { subscribed = resolve })
  socket.onmessage = ({ data }) => {
    for (const line of data.split('\\n')) {
      const { id, push } = JSON.parse(line)
      if (id === 2) subscribed()
      if (push?.pub) got.push(push.pub.data)
    }
  }
  socket.onclose = ({ code }) => ends.push(code)
  socket.send('{"id":1,"connect":{}}\\n' + JSON.stringify({ id: 2, subscribe: { channel } }))
  Object.assign(window, { socket, got, ends })
  await isSubscribed
}
"""


def test_a_stream_that_breaks_is_not_noticed(browser, demo):
    box = Middlebox(demo.port, blocks=[b"upgrade: websocket"])
    page = browser.new_context().new_page()
    page.goto(f"{box.http}/health")
    page.evaluate(OPEN, "chat:test")
    assert page.evaluate("socket.way") == "stream"
    demo.publish("chat:test", 1, 2)
    page.wait_for_function("got.length === 2")
    box.cut()
    demo.publish("chat:test", 3, 4)
    box.mend()
    page.wait_for_function("got.length === 4", timeout=30_000)
    page.evaluate("socket.send(JSON.stringify({ id: 3, publish: { channel: 'chat:test', data: 5 } }))")
    page.wait_for_function("got.length === 5", timeout=30_000)
    assert page.evaluate("got") == [1, 2, 3, 4, 5]
    assert page.evaluate("ends") == []
    page.context.close()
    box.cut()
