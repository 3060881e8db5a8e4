"""Clients of the JSON protocol without a WebSocket, one for each transport: `send` commands, take the `next` reply."""

import json

import requests


class Streamed:
    """Replies on a response that goes on, commands by posts."""

    def __init__(self, http, kind, connect, verify=True):
        self.http, self.web = http, requests.Session()
        self.web.verify, self.web.trust_env = verify, False
        command = json.dumps({"id": 1, "connect": connect})
        if kind == "sse":
            self.response = self.web.get(
                f"{http}/connection/sse", params={"cf_connect": command}, stream=True, timeout=20)
        else:
            self.response = self.web.post(f"{http}/connection/{kind}", command, stream=True, timeout=20)
        assert self.response.status_code == 200, self.response.text
        self.lines = self.response.iter_lines(chunk_size=1)
        answer = self.next()["connect"]
        self.session, self.node = answer["session"], answer["node"]

    def next(self):
        for line in self.lines:
            if line and (reply := json.loads(line.removeprefix(b"data: "))):
                return reply
        return None

    def send(self, *commands):
        data = "\n".join(json.dumps(command) for command in commands)
        body = {"session": self.session, "node": self.node, "data": data}
        response = self.web.post(f"{self.http}/emulation", json=body, timeout=10)
        assert response.status_code == 204, response.text

    def close(self):
        self.response.close()
        self.web.close()


class Polled:
    """Replies and commands by polls."""

    def __init__(self, http, kind, connect, verify=True):
        self.url, self.web = f"{http}/connection/poll", requests.Session()
        self.web.verify, self.web.trust_env = verify, False
        self.replies, self.number, self.session = [], 0, None
        self.poll(data=json.dumps({"id": 1, "connect": connect}))
        self.replies.clear()

    def poll(self, **body):
        if self.session:
            body |= {"session": self.session, "ack": self.number}
        response = self.web.post(self.url, json=body, timeout=30)
        assert response.status_code == 200, response.text
        answer = response.json()
        self.session = answer["session"]
        self.number = answer["from"] + len(answer["replies"]) - 1
        self.replies += [reply for reply in answer["replies"] if reply]

    def next(self):
        while not self.replies:
            self.poll()
        return self.replies.pop(0)

    def send(self, *commands):
        self.poll(data="\n".join(json.dumps(command) for command in commands), wait=0)

    def close(self):
        """Nobody polls any more."""
        self.web.close()


class Tunnelled:
    """The protocol of a WebSocket, whose messages go through a tunnel."""

    def __init__(self, http, kind, connect, verify=True):
        self.url, self.web, self.streams = f"{http}/tunnel", requests.Session(), kind == "tunnel_stream"
        self.web.verify, self.web.trust_env = verify, False
        self.replies, self.number, self.sent = [], 0, 0
        self.response = self.web.post(
            f"{self.url}/connection/websocket", json={"stream": self.streams}, stream=self.streams, timeout=20)
        assert self.response.status_code == 200, self.response.text
        if self.streams:
            self.lines = self.response.iter_lines(chunk_size=1)
            self.session = json.loads(next(self.lines))["session"]
        else:
            self.session = self.response.json()["session"]
        self.send({"id": 1, "connect": connect})
        assert "connect" in self.next()

    def messages(self):
        if self.streams:
            line = next(self.lines)
            return [json.loads(line)] if line else []
        answer = self.post(ack=self.number).json()
        self.number = answer["from"] + len(answer["replies"]) - 1
        return answer["replies"]

    def next(self):
        while not self.replies:
            for message in self.messages():
                self.replies += [json.loads(line) for line in message["text"].split("\n") if line]
        return self.replies.pop(0)

    def post(self, **body):
        response = self.web.post(self.url, json={"session": self.session, **body}, timeout=30)
        assert response.status_code in (200, 204), response.text
        return response

    def send(self, *commands):
        text = "\n".join(json.dumps(command) for command in commands)
        self.post(**{"from": self.sent + 1, "messages": [{"text": text}]})
        self.sent += 1

    def close(self):
        self.response.close()
        self.web.close()


FALLBACKS = {
    "http_stream": Streamed, "sse": Streamed, "poll": Polled, "tunnel_stream": Tunnelled, "tunnel_poll": Tunnelled,
}


def connect(http, kind, connect=None, verify=True):
    """A client of the transport `kind`, connected."""
    return FALLBACKS[kind](http, kind, connect or {}, verify)


def until(client, wanted):
    """The replies up to the first one that is wanted, with it."""
    replies = []
    while not replies or not wanted(replies[-1]):
        replies.append(client.next())
        assert replies[-1] is not None, f"the connection ended after {replies}"
    return replies
