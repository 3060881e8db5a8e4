#!/usr/bin/env python3
"""The server's processor time for each delivery of a fan-out, with permessage-deflate and without.

    Benchmarks/deflate/fanout.py [PROGRAM] [--subscribers 1000] [--publications 300] [--rounds 3]

Subscribers are plain sockets of this process that throw away what they get. `takeover` compresses for each subscriber.
"""

import argparse
import http.client
import json
import os
import random
import re
import selectors
import socket
import subprocess
import time

HEAD = (
    "GET /connection/websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n"
)
OFFER = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
MODES = {
    "plain": {},
    "deflate": {"MARTLET_DEFLATE_ENABLED": "true"},
    "takeover": {"MARTLET_DEFLATE_ENABLED": "true", "MARTLET_DEFLATE_TAKEOVER": "true"},
}


def frame(text):
    body = text.encode()
    assert len(body) < 126
    return bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body


def wait_for(receiver, end):
    data = b""
    while end not in data:
        piece = receiver.recv(65_536)
        assert piece, data
        data += piece


def subscriber(port, offers):
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall((HEAD % (OFFER if offers else "")).encode())
    wait_for(connection, b"\r\n\r\n")
    connection.sendall(frame('{"id":1,"connect":{}}') + frame('{"id":2,"subscribe":{"channel":"news:x"}}'))
    wait_for(connection, b'"subscribe"')
    connection.setblocking(False)
    return connection


def message(size, seed):
    """JSON of so many bytes: the same keys, other values."""
    generator = random.Random(seed)
    items, text = [], ""
    while len(text) < size:
        items.append({"symbol": f"S{generator.randrange(500)}", "price": round(generator.uniform(1, 999), 2),
                      "volume": generator.randrange(100_000), "up": generator.random() < 0.5})
        text = json.dumps(items, separators=(",", ":"))
    return items


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as status:
        fields = status.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


def drain(selector, quiet_seconds):
    total = 0
    while ready := selector.select(quiet_seconds):
        for key, _ in ready:
            total += len(key.fileobj.recv(1 << 18))
    return total


def measure(program, mode, options):
    environment = {**os.environ, **MODES[mode], "MARTLET_LIMITS_PING_SECONDS": "3600", "MARTLET_LIMITS_PONG_SECONDS": "60"}
    server = subprocess.Popen(
        [program, "serve", "--demo", "--port", "0", "--loops", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, env=environment)
    try:
        for line in server.stdout:
            if found := re.search(r"listening on ws://[^:]+:(\d+)", line):
                port = int(found[1])
                break
        before = resident_kib(server.pid)
        selector = selectors.DefaultSelector()
        for _ in range(options.subscribers):
            selector.register(subscriber(port, mode != "plain"), selectors.EVENT_READ)
        idle = (resident_kib(server.pid) - before) * 1024 / options.subscribers
        api = http.client.HTTPConnection("127.0.0.1", port)
        bodies = [json.dumps({"channel": "news:x", "data": message(options.size, seed)}) for seed in range(32)]

        def publish(count):
            received = 0
            for number in range(count):
                api.request("POST", "/api/publish", bodies[number % 32], {"X-API-Key": "demo-key"})
                api.getresponse().read()
                received += drain(selector, 0)
            return received + drain(selector, 0.2)

        publish(20)
        start = processor_seconds(server.pid)
        received = publish(options.publications)
        spent = processor_seconds(server.pid) - start
        deliveries = options.publications * options.subscribers
        return spent / deliveries * 1e9, received / deliveries, idle
    finally:
        server.kill()
        server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?", default=".build/release/martlet")
    parser.add_argument("--subscribers", type=int, default=1_000)
    parser.add_argument("--publications", type=int, default=300)
    parser.add_argument("--size", type=int, default=1_024)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for round in range(options.rounds):
        for mode in MODES:
            nanoseconds, size, idle = measure(options.program, mode, options)
            print(f"{mode:9} {nanoseconds:8.0f} ns and {size:6.0f} B a delivery, {idle:6.0f} B of memory a connection",
                  flush=True)


if __name__ == "__main__":
    main()
