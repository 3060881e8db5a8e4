"""The device monitor on a simulated fleet."""

import re
import subprocess
import time

import pytest
from pages import connected
from playwright.sync_api import expect

from programs import MARTLET, environment


@pytest.fixture
def fleet(demo):
    """Starts fleets; they end with the test."""
    started = []

    def start(count):
        process = subprocess.Popen(
            [MARTLET, "devices", "--url", demo.url, "--count", str(count)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def card(page, name):
    return page.get_by_role("article", name=name)


def reading(page, name, quantity):
    return card(page, name).locator(f"[data-quantity={quantity}] dd")


def set_limit(page, identifier, value):
    page.locator("#limits summary").click()
    page.fill(f"#{identifier}", value)
    page.keyboard.press("Escape")


def painted(page, name, quantity):
    """How many columns of the plot have something of the line in them."""
    return page.evaluate(
        """(canvas) => {
          const { width, height } = canvas;
          // A canvas that was read from would be drawn in another way from then on: a copy is read.
          const copy = Object.assign(document.createElement('canvas'), { width, height });
          const context = copy.getContext('2d', { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const data = context.getImageData(0, 0, width, height).data;
          let columns = 0;
          for (let x = 0; x < width * 0.85; x += 1) {
            let painted = 0;
            for (let y = 0; y < height; y += 1) painted += data[(y * width + x) * 4 + 3] > 120;
            // A line of the grid fills its column.
            if (painted > 0 && painted < height / 2) columns += 1;
          }
          return columns;
        }""",
        card(page, name).locator(f"[data-quantity={quantity}] canvas").element_handle())


def expect_soon(condition, page, seconds=15):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)


def test_empty_page_teaches(windows, demo):
    page = windows.open(f"{demo.http}/monitor")
    expect(page.get_by_role("heading", name="No devices yet")).to_be_visible()
    expect(page.locator("#command")).to_have_text(f"martlet devices --url {demo.url} --count 20")


def test_fleet_reports_alarms_and_goes(windows, demo, fleet):
    page = windows.open(f"{demo.http}/monitor")
    connected(page)
    process = fleet(6)
    names = [f"{kind}-0{number}" for kind in ("car", "home") for number in (1, 2, 3)]
    expect(page.locator(".device h2")).to_have_text(names)
    expect(page.locator("#online")).to_have_text("6")
    expect(page.locator("#rate")).to_have_text(re.compile("^1[12]$"))
    expect(card(page, "car-01").locator("dt")).to_have_text(["Speed", "Fuel", "Cabin"])
    expect(card(page, "home-01").locator("dt")).to_have_text(["Temperature", "Humidity", "Pressure"])
    assert re.fullmatch(r"\d+\.\d\s*°C", reading(page, "home-01", "temperature").inner_text())
    # Values and plots live.
    before = reading(page, "home-01", "humidity").inner_text()
    expect(reading(page, "home-01", "humidity")).not_to_have_text(before)
    early = painted(page, "home-01", "humidity")
    expect_soon(lambda: painted(page, "home-01", "humidity") >= early + 4, page)

    expect(page.locator("#alarms")).to_be_hidden()
    set_limit(page, "humidity-high", "1")
    expect(page.locator("#alarm-list li")).to_have_count(3)
    expect(page.locator("#alarm-list li").first).to_contain_text(re.compile(r"home-0\d.*Humidity \d+\.\d %, above 1\.0"))
    expect(card(page, "home-02")).to_have_class(re.compile("alarming"))
    expect(card(page, "car-02")).not_to_have_class(re.compile("alarming"))
    page.locator("#alarm-list button", has_text="home-03").click()
    expect(card(page, "home-03")).to_be_focused()
    # The limit is kept.
    page.reload()
    expect(page.locator("#alarm-list li")).to_have_count(3)
    page.locator("#limits summary").click()
    page.get_by_role("button", name="Back to the defaults").click()
    expect(page.locator("#alarms")).to_be_hidden()

    process.kill()
    expect(page.locator(".device .state")).to_have_text(["offline"] * 6)
    expect(page.locator("#online")).to_have_text("0")
    card(page, "car-01").get_by_role("button", name="Remove car-01").click()
    expect(page.locator(".device h2")).to_have_text(names[1:])


def test_filters(windows, demo, fleet):
    fleet(6)
    page = windows.open(f"{demo.http}/monitor")
    shown = page.locator(".device:visible h2")
    expect(shown).to_have_count(6)
    page.locator("#filter label", has_text="Homes").click()
    expect(shown).to_have_text(["home-01", "home-02", "home-03"])
    page.fill("#search", "02")
    expect(shown).to_have_text(["home-02"])
    page.locator("#filter label", has_text="Alarms").click()
    expect(page.get_by_role("heading", name="No device matches")).to_be_visible()
    page.fill("#search", "")
    set_limit(page, "pressure-low", "2000")
    expect(shown).to_have_text(["home-01", "home-02", "home-03"])


def test_history_fills_plots_at_once(windows, demo):
    now = int(time.time() * 1_000)
    for back in range(115, -1, -5):
        report = {"device": "home-77", "kind": "home", "temperature": 20 + back / 50, "at": now - back * 1_000}
        demo.publish("devices:all", report)
    page = windows.open(f"{demo.http}/monitor")
    # 20.0 degrees are last; the device is in no presence, hence offline.
    expect(reading(page, "home-77", "temperature")).to_have_text(re.compile("20.0"))
    expect(card(page, "home-77").locator(".state")).to_have_text("offline")
    width = page.evaluate("document.querySelector('.device canvas').width")
    expect_soon(lambda: painted(page, "home-77", "temperature") > 0.6 * width, page)


def test_history_comes_in_pages(windows, demo):
    # Each report of this one device is followed by a hundred others: no page holds its two minutes.
    now = int(time.time() * 1_000)
    for back in range(115, -1, -5):
        demo.publish("devices:all", {"device": "home-77", "kind": "home", "temperature": 20, "at": now - back * 1_000})
        demo.publish("devices:all", *([{"noise": 1}] * 100))
    page = windows.open(f"{demo.http}/monitor")
    expect(reading(page, "home-77", "temperature")).to_have_text(re.compile("20.0"))
    width = page.evaluate("document.querySelector('.device canvas').width")
    expect_soon(lambda: painted(page, "home-77", "temperature") > 0.6 * width, page)


def test_silent_device_and_odd_reports(windows, demo):
    page = windows.open(f"{demo.http}/monitor")
    connected(page)
    # A device that is present: a page connects under its name.
    device = windows.open(f"{demo.http}/monitor")
    device.evaluate("""async () => {
      const { Client } = await import('/martlet.js');
      const client = new Client(undefined, { data: { user: 'car-99' } });
      client.subscription('devices:fleet').subscribe();
      client.connect();
      window.client = client;
    }""")
    expect(card(page, "car-99")).to_contain_text("Has not reported yet")
    demo.publish("devices:all", {"device": "car-99", "kind": "car", "speed": 50, "at": int(time.time() * 1_000)})
    expect(card(page, "car-99").locator(".state")).to_have_text("online")
    expect(card(page, "car-99").locator(".state")).to_have_text(re.compile(r"silent for [3-9] s"))
    # Nothing that is reported breaks the page.
    for data in (None, 5, "x", [], {"device": 7}, {"device": ""}, {"device": "odd-1", "__proto__": 1, "speed": "fast"},
                 {"device": "odd-1", "at": "now", "dew_point": 3.25}, {"device": "<b>x</b>", "speed": 1e308, "at": -1}):
        demo.publish("devices:all", data)
    expect(reading(page, "odd-1", "dew_point")).to_have_text(re.compile("3.[23]"))
    expect(page.locator(".device h2")).to_have_text(["<b>x</b>", "car-99", "odd-1"])


@pytest.mark.outage
def test_comes_back_after_the_server(windows, demo, fleet):
    fleet(4)
    page = windows.open(f"{demo.http}/monitor")
    expect(page.locator("#online")).to_have_text("4")
    demo.kill()
    expect(page.locator(".device .state")).to_have_text(["not known"] * 4)
    demo.start()
    connected(page)
    expect(page.locator(".device .state")).to_have_text(["online"] * 4, timeout=40_000)
    before = reading(page, "home-01", "humidity").inner_text()
    expect(reading(page, "home-01", "humidity")).not_to_have_text(before)
