"""The first page: pushed news."""

import re
import subprocess

import pytest
from pages import connected
from playwright.sync_api import expect

from programs import MARTLET, environment


def titles(page):
    return page.locator("#feed h3")


def test_pushed_news_appear(windows, demo):
    page = windows.open(demo.http)
    expect(page.get_by_text("No news yet")).to_be_visible()
    connected(page)
    expect(page.locator("#push")).to_be_enabled()
    demo.publish("news:1", {"title": "Hello", "text": "From a backend"})
    expect(titles(page)).to_have_text(["Hello"])
    expect(page.locator("#feed p")).to_have_text("From a backend")
    expect(page.get_by_text("No news yet")).to_be_hidden()
    page.click("#push")
    expect(titles(page)).to_have_text(["Hello from a browser", "Hello"])
    # Who comes later sees them, newest first.
    late = windows.open(demo.http)
    expect(titles(late)).to_have_text(["Hello from a browser", "Hello"])


@pytest.mark.parametrize("command", ["curl", "shell"])
def test_commands_can_be_run_as_they_stand(windows, demo, command):
    page = windows.open(demo.http, permissions=["clipboard-read", "clipboard-write"])
    connected(page)
    expect(page.locator("#push")).to_be_enabled()
    page.click(f"#copy-{command}")
    expect(page.locator(f"#copy-{command} .label")).to_have_text("Copied")
    line = page.evaluate("navigator.clipboard.readText()")
    path = {"PATH": f"{MARTLET.rsplit('/', 1)[0]}:{environment()['PATH']}"}
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment(path), timeout=20)
    assert done.returncode == 0, done.stderr
    expect(titles(page)).to_have_text([re.compile("^Hello")])


def test_odd_news_are_shown_as_they_are(windows, demo):
    page = windows.open(demo.http)
    connected(page)
    for data in ("only text", None, {"title": "<b>bold</b>"}, {"other": 1}):
        demo.publish("news:1", data)
    expect(titles(page)).to_have_text(['{"other":1}', "<b>bold</b>", "null", "only text"])


@pytest.mark.outage
def test_news_that_were_missed_come_once(windows, demo, network):
    page = windows.open(network.http)
    connected(page)
    demo.publish("news:1", {"title": "one"})
    expect(titles(page)).to_have_text(["one"])
    network.cut()
    expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    demo.publish("news:1", {"title": "two"})
    network.mend()
    expect(titles(page)).to_have_text(["two", "one"])
    demo.kill()
    expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    demo.start()
    demo.publish("news:1", {"title": "three"})
    connected(page)
    expect(titles(page)).to_have_text(["three", "two", "one"])
