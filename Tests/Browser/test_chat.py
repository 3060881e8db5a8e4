"""The chat page, as its users have it."""

import re
import struct
import zlib

import pytest
from pages import connected, say, texts
from playwright.sync_api import expect


def chat(windows, server, name, room="test", **options):
    page = windows.open(f"{server.http}/chat?room={room}", name, **options)
    connected(page)
    expect(page.locator("#people li .who", has_text=name)).to_have_count(1)
    return page


def expect_texts(page, *expected):
    expect(page.locator(".message .bubble p")).to_have_text(list(expected))


def noise(width, height):
    """A PNG that hardly compresses."""
    state, rows = 1, bytearray()
    for _ in range(height):
        rows.append(0)
        for _ in range(width * 3):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            rows.append(state >> 16 & 255)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows), 1)) + chunk(b"IEND", b"")
    return {"name": "noise.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + data}


def test_messages_go_both_ways(windows, demo):
    ann, ben = chat(windows, demo, "Ann"), chat(windows, demo, "Ben")
    say(ann, "Hello Ben")
    expect_texts(ben, "Hello Ben")
    say(ben, "Hello Ann")
    for page in (ann, ben):
        expect_texts(page, "Hello Ben", "Hello Ann")
        expect(page.locator(".pending")).to_have_count(0)
    # One's own are marked, and stand at the other side.
    assert ann.locator(".message.own p").all_inner_texts() == ["Hello Ben"]
    assert ann.locator(".message:not(.own) .name").all_inner_texts() == ["Ben"]
    own, other = ann.locator(".own .bubble").bounding_box(), ann.locator(".message:not(.own) .bubble").bounding_box()
    assert own["x"] > other["x"]
    assert re.search(r"\d", ann.locator(".message:not(.own) time").inner_text())


def test_rooms_are_apart(windows, demo):
    ann, ben = chat(windows, demo, "Ann", "one"), chat(windows, demo, "Ben", "two")
    say(ann, "to one")
    say(ben, "to two")
    expect_texts(ann, "to one")
    expect_texts(ben, "to two")
    ben.fill("#room-name", "One")
    ben.press("#room-name", "Enter")
    ben.wait_for_url("**/chat?room=one")
    expect_texts(ben, "to one")


def test_shows_who_is_there_each_once(windows, demo):
    ann = chat(windows, demo, "Ann")
    ben = chat(windows, demo, "Ben")
    names = ann.locator("#people .who")
    expect(names).to_have_text(["Ann", "Ben"])
    second = windows.open(ben.url, context=ben.context)
    connected(second)
    expect(second.locator("#people .who")).to_have_text(["Ben", "Ann"])
    expect(names).to_have_text(["Ann", "Ben"])
    expect(ann.locator("#people-count")).to_have_text("2")
    ben.close()
    # One of the two tabs is left: a message tells that the leave of the other must have come.
    say(second, "still here")
    expect_texts(ann, "still here")
    expect(names).to_have_text(["Ann", "Ben"])
    second.close()
    expect(names).to_have_text(["Ann"])


def test_name_is_asked_once(windows, demo):
    page = windows.open(f"{demo.http}/chat?room=names")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.type("Cleo")
    page.keyboard.press("Enter")
    connected(page)
    expect(page.locator("#my-name")).to_have_text("Cleo")
    page.reload()
    connected(page)
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Change name").click()
    page.fill("#name", "Dora")
    page.keyboard.press("Enter")
    expect(page.locator("#people .who")).to_have_text(["Dora"])


def test_late_comer_sees_what_was_said_before(windows, demo):
    ann = chat(windows, demo, "Ann")
    for number in range(5):
        say(ann, f"message {number}")
    expect(ann.locator(".pending")).to_have_count(0)
    late = chat(windows, demo, "Late")
    expect_texts(late, *(f"message {number}" for number in range(5)))
    say(late, "thanks")
    expect_texts(ann, *(f"message {number}" for number in range(5)), "thanks")
    ann.reload()
    expect_texts(ann, *(f"message {number}" for number in range(5)), "thanks")


def test_conversation_stays_at_its_end(windows, demo):
    for number in range(60):
        demo.publish("chat:long", {"text": f"line {number}"})
    page = chat(windows, demo, "Ann", "long")
    expect(page.locator(".message").last).to_be_in_viewport()
    demo.publish("chat:long", {"text": "the newest"})
    expect(page.get_by_text("the newest")).to_be_in_viewport()
    page.locator("#scroll").evaluate("e => { e.scrollTop = 0 }")
    page.wait_for_timeout(200)
    demo.publish("chat:long", {"text": "below"})
    expect(page.locator("#newer")).to_have_text(re.compile("1 new message"))
    page.locator("#newer").click()
    expect(page.get_by_text("below")).to_be_in_viewport()


def test_picture_goes_through(windows, demo):
    ann, ben = chat(windows, demo, "Ann"), chat(windows, demo, "Ben")
    ann.set_input_files("#file", noise(900, 600))
    expect(ann.locator("#tray img")).to_be_visible()
    say(ann, "noise")
    picture = ben.locator(".message img")
    expect(picture).to_be_visible()
    assert ben.evaluate("async (i) => { await i.decode(); return i.naturalWidth }", picture.element_handle()) > 50
    assert len(picture.get_attribute("src")) < 60_000
    expect_texts(ben, "noise")
    # Pasted and dropped, too.
    insert = """([selector, kind]) => {
      const bytes = Uint8Array.from(atob(document.querySelector('.message img').src.split(',')[1]), (c) => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], 'again.webp', { type: 'image/webp' }));
      const target = document.querySelector(selector);
      target.dispatchEvent(kind === 'paste'
        ? new ClipboardEvent('paste', { clipboardData: files, bubbles: true, cancelable: true })
        : new DragEvent('drop', { dataTransfer: files, bubbles: true, cancelable: true }));
    }"""
    for count, arguments in ((2, ["#text", "paste"]), (3, ["#scroll", "drop"])):
        ben.evaluate(insert, arguments)
        expect(ben.locator("#tray img")).to_be_visible()
        ben.get_by_role("button", name="Send", exact=True).click()
        expect(ann.locator(".message img")).to_have_count(count)


def test_what_is_no_picture_is_refused_in_words(windows, demo):
    ann = chat(windows, demo, "Ann")
    ann.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    expect(ann.get_by_role("alert")).to_have_text("Only pictures can be sent as files.")
    ann.set_input_files("#file", {"name": "broken.png", "mimeType": "image/png", "buffer": b"not a png"})
    expect(ann.get_by_role("alert")).to_have_text("This file is not a picture that your browser can read.")
    expect(ann.locator("#tray")).to_be_hidden()


def test_voice_goes_through(windows, demo):
    ann, ben = chat(windows, demo, "Ann"), chat(windows, demo, "Ben")
    voice = ann.locator("#voice")
    voice.click()
    expect(ann.locator("#recording-time")).to_have_text("1 s")
    voice.click()
    expect(ann.locator("#tray .sound")).to_be_visible()
    ann.get_by_role("button", name="Send", exact=True).click()
    ben.get_by_role("button", name="Play the recording").click()
    # It sounds: the bar moves.
    expect(ben.locator(".track span")).not_to_have_css("transform", "matrix(0, 0, 0, 1, 0, 0)")
    expect(ben.locator(".sound .number")).to_have_text(re.compile(r"^[12] s$"))


def test_whatever_is_published_is_only_text(windows, demo):
    page = chat(windows, demo, "Ann")
    hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    demo.publish("chat:test", {"text": hostile, "id": hostile, "at": 1e300})
    for data in (None, 7, [1], "plain", {"text": {"a": 1}}, {"picture": "data:text/html;base64,AAAA", "text": "p"}):
        demo.publish("chat:test", data)
    demo.publish("chat:test", {"picture": "javascript:alert(3)", "sound": "https://example.org/a.ogg", "text": "s"})
    expect_texts(page, hostile, "null", "7", "[1]", "plain", '{"text":{"a":1}}', "p", "s")
    assert page.locator(".message img, .message .sound").count() == 0


@pytest.mark.outage
def test_server_is_killed_and_comes_back(windows, demo):
    ann, ben = chat(windows, demo, "Ann"), chat(windows, demo, "Ben")
    say(ann, "before 1")
    expect_texts(ben, "before 1")
    say(ben, "before 2")
    expect_texts(ann, "before 1", "before 2")
    demo.kill()
    for page in (ann, ben):
        expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    # Written while nobody is there to take it.
    say(ann, "while away")
    expect(ann.locator(".pending .status")).to_have_text("Waiting for the connection")
    demo.start()
    for page in (ann, ben):
        connected(page)
    expect(ben.get_by_text("while away")).to_have_count(1)
    say(ben, "after 1")
    expect(ann.get_by_text("after 1")).to_have_count(1)
    say(ann, "after 2")
    expected = ["before 1", "before 2", "while away", "after 1", "after 2"]
    for page in (ann, ben):
        expect_texts(page, *expected)
        # What the server has forgotten is kept, and said to be so.
        expect(page.locator(".divider:not(.away)")).to_have_count(1)
        expect(page.locator(".forgotten p")).to_have_text(["before 1", "before 2"])
        expect(page.locator("#people .who")).to_have_count(2)
        expect(page.locator(".pending")).to_have_count(0)
    late = chat(windows, demo, "Late")
    expect_texts(late, "while away", "after 1", "after 2")


@pytest.mark.outage
def test_server_is_killed_twice(windows, demo):
    ann, ben = chat(windows, demo, "Ann"), chat(windows, demo, "Ben")
    expected = []
    for turn in range(3):
        for page in (ann, ben):
            connected(page)
        for page, text in ((ann, f"ann {turn}"), (ben, f"ben {turn}")):
            say(page, text)
            expected.append(text)
            for one in (ann, ben):
                expect_texts(one, *expected)
        if turn < 2:
            demo.kill()
            for page in (ann, ben):
                expect(page.locator("#connection")).to_have_text(re.compile("Reconnecting"))
            demo.start()


@pytest.mark.outage
def test_network_cut_shows_what_was_missed_once(windows, demo, network):
    ann = chat(windows, network, "Ann")
    ben = chat(windows, demo, "Ben")
    say(ann, "before")
    expect_texts(ben, "before")
    network.cut()
    expect(ann.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    for number in range(3):
        demo.publish("chat:test", {"text": f"missed {number}", "id": f"missed-{number}"})
    say(ben, "missed 3")
    say(ann, "written offline")
    expect_texts(ben, "before", "missed 0", "missed 1", "missed 2", "missed 3")
    network.mend()
    connected(ann)
    expected = ["before", "missed 0", "missed 1", "missed 2", "missed 3", "written offline"]
    for page in (ann, ben):
        expect_texts(page, *expected)
    expect(ann.locator(".divider")).to_have_text(["While you were away: 4 messages"])
    following = ann.locator(".divider.away + .message p")
    expect(following).to_have_text("missed 0")
    # Those that were there have missed nothing.
    expect(ben.locator(".divider")).to_have_count(0)
    say(ben, "after")
    for page in (ann, ben):
        expect_texts(page, *expected, "after")
    # A second cut counts anew.
    network.cut()
    expect(ann.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    say(ben, "missed again")
    network.mend()
    connected(ann)
    expect_texts(ann, *expected, "after", "missed again")
    expect(ann.locator(".divider")).to_have_text(["While you were away: 4 messages", "While you were away: 1 message"])


@pytest.mark.outage
def test_more_was_missed_than_the_server_keeps(windows, demo, network):
    ann = chat(windows, network, "Ann")
    say(ann, "before")
    expect(ann.locator(".pending")).to_have_count(0)
    network.cut()
    expect(ann.locator("#connection")).to_have_text(re.compile("Reconnecting"))
    for number in range(130):
        demo.publish("chat:test", {"text": f"missed {number}"})
    network.mend()
    connected(ann)
    expect_texts(ann, "before", *(f"missed {number}" for number in range(30, 130)))
    expect(ann.locator(".divider.away")).to_have_text(["While you were away: 100 messages"])
    assert len(set(texts(ann))) == 101
