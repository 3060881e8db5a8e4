"""What backends do: publish over the server API."""

import requests


def publish(http, channel, *items, key="demo-key", verify=True):
    """Publishes the items in their order. `http` is where the server is, `verify` an authority's file where it has TLS."""
    with requests.Session() as web:
        web.verify, web.trust_env = verify, False
        for data in items:
            answer = web.post(
                f"{http}/api/publish", json={"channel": channel, "data": data}, headers={"X-API-Key": key}, timeout=10)
            answer.raise_for_status()
            assert "error" not in answer.json(), answer.text
