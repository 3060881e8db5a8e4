"""Every page with content, light and dark, on a desktop and on a phone: pictures for people, and what a program can
check of looks and of access."""

import base64
import json
import pathlib
import subprocess

import pytest
from pages import connected, say
from playwright.sync_api import expect

from programs import MARTLET, ROOT, environment

SCREENSHOTS = pathlib.Path(ROOT) / ".build/screenshots"
DESKTOP = {"viewport": {"width": 1280, "height": 860}}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True}
# A sky, a hill and the bird of the icon.
SCENE = """async () => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1600, height: 1000 });
  const context = canvas.getContext('2d');
  const sky = context.createLinearGradient(0, 0, 0, 1000);
  sky.addColorStop(0, '#3b6fd4');
  sky.addColorStop(0.62, '#f3c98b');
  sky.addColorStop(1, '#c2705a');
  context.fillStyle = sky;
  context.fillRect(0, 0, 1600, 1000);
  context.fillStyle = '#1c2336';
  context.beginPath();
  context.moveTo(0, 1000);
  for (let x = 0; x <= 1600; x += 20) context.lineTo(x, 780 + 80 * Math.sin(x / 170) + 40 * Math.sin(x / 63));
  context.lineTo(1600, 1000);
  context.fill();
  const icon = await (await fetch('/assets/favicon.svg')).text();
  const path = new DOMParser().parseFromString(icon, 'image/svg+xml').querySelector('path').getAttribute('d');
  context.translate(900, 230);
  context.rotate(0.7);
  context.scale(4, 4);
  context.fill(new Path2D(path));
  const blob = await new Promise((resolve) => canvas.toBlob(resolve));
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}"""

UNNAMED = """() => [...document.querySelectorAll('button, input, textarea, select, a, summary, canvas, img')]
  .filter((e) => e.checkVisibility() && !e.closest('[aria-hidden=true]'))
  .filter((e) => !(e.innerText?.trim() || e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('alt')
    || [...(e.labels ?? [])].some((label) => label.textContent.trim())))
  .map((e) => e.outerHTML)"""

# Text on what is behind it (WCAG 2.2, 1.4.3). Where a gradient or a picture is behind, nothing is said.
FAINT = """() => {
  const probe = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = probe.getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = ([r, g, b, a], under) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a));
  const luminance = (colour) => colour.map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (e) => {
    const layers = [];
    for (let node = e; node; node = node.parentElement) layers.push(rgba(getComputedStyle(node).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const faint = [];
  for (const e of document.querySelectorAll('body *')) {
    if (!e.checkVisibility({ opacityProperty: true }) || e.closest('.visually-hidden, canvas, svg, .pending, :disabled')) continue;
    if (![...e.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const ground = behind(e);
    const ink = over(rgba(getComputedStyle(e).color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) faint.push(`${contrast.toFixed(2)} ${e.className} ${e.textContent.trim().slice(0, 30)}`);
  }
  return faint;
}"""


def fill(windows, demo):
    """News, and a conversation with a picture and a recording."""
    for title, text in (
        ("Deploy 41 is out", "Three fixes, no downtime. The connections of the old process moved within two seconds."),
        ("Order 10 482 has been paid", "49.90 €, by card."),
        ("Storm warning for the coast", "Gusts up to 90 km/h from midnight."),
    ):
        demo.publish("news:1", {"title": title, "text": text})
    people = {}
    for name in ("Ann", "Ben", "Cleo Marchetti"):
        people[name] = windows.open(f"{demo.http}/chat", name, **DESKTOP)
        connected(people[name])
        expect(people[name].locator("#people li")).to_have_count(len(people))
    ann, ben, cleo = people.values()
    count = 0

    def wait():
        nonlocal count
        count += 1
        for page in people.values():
            expect(page.locator(".message:not(.pending)")).to_have_count(count)

    for page, text in ((ben, "Morning! Is the staging server back?"), (ben, "I still see the old numbers."),
                       (ann, "It is, since ten minutes. See https://example.org/status")):
        say(page, text)
        wait()
    scene = base64.b64decode(cleo.evaluate(SCENE))
    cleo.set_input_files("#file", {"name": "window.png", "mimeType": "image/png", "buffer": scene})
    expect(cleo.locator("#tray img")).to_be_visible()
    say(cleo, "From my window just now: the swifts are back")
    wait()
    ann.click("#voice")
    expect(ann.locator("#recording-time")).to_have_text("2 s")
    ann.screenshot(path=SCREENSHOTS / "chat-recording.png")
    ann.click("#voice")
    expect(ann.locator("#tray .sound")).to_be_visible()
    say(ann, "")
    wait()
    for page, text in ((ben, "Beautiful. Lunch at twelve?"), (ann, "Yes!"),
                       (ann, "Bring the others along, there is a table for eight at the window.")):
        say(page, text)
        wait()


def look(page, name):
    page.wait_for_timeout(300)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=name.startswith("index"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"
    assert page.evaluate(UNNAMED) == []
    assert page.evaluate(FAINT) == []


@pytest.mark.timeout(240)
def test_pages_with_content(windows, demo):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    fleet = subprocess.Popen(
        [MARTLET, "devices", "--url", demo.url, "--count", "12"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
    try:
        fill(windows, demo)
        for scheme in ("light", "dark"):
            for kind, options in (("desktop", DESKTOP), ("phone", PHONE)):
                context = windows.context("Ann", color_scheme=scheme, **options)
                context.add_init_script(
                    "localStorage.setItem('martlet.limits', '%s')" % json.dumps({"humidity": {"low": 30, "high": 47}}))
                page = windows.open(demo.http, context=context)
                connected(page)
                expect(page.locator("#feed li")).to_have_count(3)
                look(page, f"index-{scheme}-{kind}")
                page.goto(f"{demo.http}/chat")
                connected(page)
                expect(page.locator(".message")).to_have_count(8)
                expect(page.locator(".message").last).to_be_in_viewport()
                look(page, f"chat-{scheme}-{kind}")
                if kind == "phone":
                    page.get_by_role("button", name="people here").click()
                    look(page, f"chat-people-{scheme}")
                page.goto(f"{demo.http}/monitor")
                expect(page.locator("#online")).to_have_text("12")
                expect(page.locator("#alarm-list li")).not_to_have_count(0)
                expect(page.locator("#rate")).to_have_text("24")
                look(page, f"monitor-{scheme}-{kind}")
                page.locator("#limits summary").click()
                look(page, f"monitor-limits-{scheme}-{kind}")
                page.close()
    finally:
        fleet.kill()
        fleet.wait()


@pytest.mark.outage
def test_pages_without_content(windows, demo):
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        context = windows.context(color_scheme=scheme, **PHONE)
        page = windows.open(demo.http, context=context)
        connected(page)
        look(page, f"index-empty-{scheme}")
        page.goto(f"{demo.http}/chat")
        expect(page.get_by_role("dialog")).to_be_visible()
        look(page, f"chat-name-{scheme}")
        page.keyboard.type("Ann")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Nobody has said anything yet")).to_be_visible()
        look(page, f"chat-empty-{scheme}")
        page.goto(f"{demo.http}/monitor")
        expect(page.get_by_text("No devices yet")).to_be_visible()
        look(page, f"monitor-empty-{scheme}")
    page.goto(f"{demo.http}/chat")
    connected(page)
    say(page, "Are you there?")
    expect(page.locator(".pending")).to_have_count(0)
    demo.kill()
    expect(page.locator("#connection")).to_contain_text("Reconnecting")
    say(page, "I will wait")
    look(page, "chat-offline-dark")
    demo.start()
    expect(page.locator(".pending")).to_have_count(0)
    look(page, "chat-restarted-dark")


def test_keyboard_reaches_everything(windows, demo):
    page = windows.open(f"{demo.http}/chat", "Ann", **DESKTOP)
    connected(page)
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
    for name in ("Skip to the message field", "room-name", "rename", "picture", "voice", "text"):
        assert name in reached, reached
