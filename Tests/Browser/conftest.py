"""Chromium, a demo server for each test, and windows whose consoles must stay empty."""

import pytest
from pages import Demo, Network, Windows
from playwright.sync_api import expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
# The browser pretends to have a microphone, and to have been asked for it.
ARGUMENTS = ["--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]

expect.set_options(timeout=15_000)


def pytest_configure(config):
    config.addinivalue_line("markers", "outage: the test takes the server away, and the browser may say so")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def demo():
    demo = Demo()
    yield demo
    demo.stop()


@pytest.fixture
def network(demo):
    network = Network(demo.port)
    yield network
    network.cut()


@pytest.fixture
def windows(browser, demo, request):
    windows = Windows(browser)
    yield windows
    windows.close()
    windows.check(allows_outage=request.node.get_closest_marker("outage") is not None)
