"""`martlet serve` and the application behind it: questions, keys, webhooks, revocations."""

import asyncio
import hashlib
import hmac
import json
import time

import jwt as pyjwt
import pytest
from aiohttp import web
from application import application
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from messaging import API, SECRET, Commands
from programs import Server
from tokens import jwt
from websockets.exceptions import ConnectionClosed

ANN = {"result": {"user": "ann", "meta": {"plan": "gold"}, "data": {"hello": 1}}}


async def test_two_issuers(tmp_path):
    """Each with a key of its own, which both call “k”; and a token of one that the other has signed."""
    private = {name: ed25519.Ed25519PrivateKey.generate() for name in ("one", "two")}

    def token(issuer, signer, **claims):
        claims = {"sub": "ann", "exp": int(time.time()) + 60, "iss": issuer, **claims}
        return pyjwt.encode(claims, private[signer], algorithm="EdDSA", headers={"kid": "k"})

    async def keys(request):
        name = request.match_info["name"]
        public = json.loads(pyjwt.algorithms.OKPAlgorithm.to_jwk(private[name].public_key()))
        return web.json_response({"keys": [{**public, "kid": "k"}]})

    issuer = web.Application()
    issuer.router.add_get("/{name}", keys)
    runner = web.AppRunner(issuer)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = "http://127.0.0.1:%d" % site._server.sockets[0].getsockname()[1]
    environment = {"MARTLET_TOKEN_SECRET": SECRET,
                   "MARTLET_TOKEN_ISSUERS": f"one {url}/one aud=chat alg=EdDSA, two {url}/two"}
    try:
        with await asyncio.to_thread(Server, "serve", "--port", 0, env=environment) as server:

            async def connect(text):
                for _ in range(50):
                    async with Commands.open(server) as it:
                        await it.send({"id": 1, "connect": {"token": text}})
                        try:
                            answer = await it.next()
                        except ConnectionClosed as closed:
                            return closed.rcvd.code
                    if answer.get("error", {}).get("code") != 100:
                        return "connect" in answer
                    await asyncio.sleep(0.05)

            assert await connect(token("one", "one", aud="chat")) is True
            assert await connect(token("two", "two")) is True
            assert await connect(jwt(SECRET, sub="ann")) is True
            for wrong in (
                token("one", "two", aud="chat"), token("two", "one"), token("one", "one"), token("three", "one"),
                jwt(SECRET, sub="ann", iss="one", aud="chat"), jwt(SECRET, sub="ann", iss="three"),
            ):
                assert await connect(wrong) == 3500
    finally:
        await runner.cleanup()


async def test_connect_and_what_follows(tmp_path):
    answers = {
        "connect": ANN,
        "subscribe": {"result": {"data": [1], "allow": ["hst"]}},
        "publish": {"result": {"data": "censored"}},
        "rpc": {"result": {"data": {"sum": 3}}},
    }
    async with application(tmp_path, **answers) as (app, server):
        async with Commands.open(server, additional_headers={"Cookie": "c=1", "X-Other": "no"}) as it:
            reply = await it.connect(name="test", data={"d": 1})
            assert reply["data"] == {"hello": 1}
            event, body, headers = await app.request()
            assert (event, body["client"], body["data"]) == ("connect", reply["client"], {"d": 1})
            assert (body["transport"], body["protocol"], body["name"]) == ("websocket", "json", "test")
            assert headers["Cookie"] == "c=1" and headers["X-Key"] == "of the application" and "X-Other" not in headers

            subscribed = await it.call(subscribe={"channel": "asked:a"})
            assert subscribed["subscribe"]["data"] == [1]
            _, body, _ = await app.request()
            assert (body["user"], body["channel"], body["meta"]) == ("ann", "asked:a", {"plan": "gold"})

            assert (await it.call(publish={"channel": "asked:a", "data": "rude"}))["publish"] == {}
            assert (await it.push())["pub"]["data"] == "censored"
            history = await it.call(history={"channel": "asked:a", "limit": 1})
            assert history["history"]["publications"][0]["data"] == "censored"

            assert (await it.call(rpc={"method": "add", "data": [1, 2]}))["rpc"]["data"] == {"sum": 3}
            # All of it on one kept connection.
            assert len(app.connections) == 1
            # The server API has the same methods.
            answer = await asyncio.to_thread(API(server).post, "rpc", {"method": "add", "params": [1, 2]})
            assert answer.json() == {"result": {"data": {"sum": 3}}}
            for transport in ("websocket", "websocket", "server_api"):
                event, body, _ = await app.request()
                assert body["transport"] == transport, body
            assert (event, body["method"], body["data"], body["client"]) == ("rpc", "add", [1, 2], "")


@pytest.mark.parametrize(
    "answer, expected",
    [
        ({"error": {"code": 1000, "message": "no"}}, {"code": 1000, "message": "no"}),
        (web.Response(status=500), {"code": 100, "message": "internal server error", "temporary": True}),
        ({"disconnect": {"code": 4500, "reason": "go"}}, 4500),
    ],
    ids=["error", "out of order", "disconnect"],
)
async def test_the_application_refuses(tmp_path, answer, expected):
    async with application(tmp_path, connect=answer) as (_, server):
        async with Commands.open(server) as it:
            if isinstance(expected, int):
                await it.send({"id": 1, "connect": {}})
                assert await it.closed() == expected
            else:
                assert (await it.connect())["error"] == expected


async def test_an_application_that_is_slow(tmp_path):
    async def slow(_):
        await asyncio.sleep(30)

    async with application(tmp_path, connect=ANN, rpc=slow) as (_, server):
        async with Commands.open(server) as it:
            await it.connect()
            start = time.monotonic()
            assert (await it.call(rpc={"method": "x"}))["error"]["code"] == 100
            assert 0.9 < time.monotonic() - start < 3


async def test_the_application_prolongs(tmp_path):
    async def soon(_):
        return {"result": {"user": "ann", "expire_at": int(time.time()) + 2}}

    async def once(_):
        return {"result": {"expired": True}}

    async with application(tmp_path, connect=soon, refresh=once) as (app, server):
        async with Commands.open(server) as it:
            await it.connect()
            assert await it.closed() == 3005
        assert [(await app.request())[0] for _ in range(2)] == ["connect", "refresh"]


# Keys


def key_set_entry(private, kid):
    algorithm = {rsa.RSAPrivateKey: "RSA", ec.EllipticCurvePrivateKey: "EC"}
    for kind, name in algorithm.items():
        if isinstance(private, kind):
            adapter = pyjwt.algorithms.RSAAlgorithm if name == "RSA" else pyjwt.algorithms.ECAlgorithm
            return {**json.loads(adapter.to_jwk(private.public_key())), "kid": kid, "use": "sig"}
    return {**json.loads(pyjwt.algorithms.OKPAlgorithm.to_jwk(private.public_key())), "kid": kid}


KEYS = {
    "RS256": rsa.generate_private_key(65537, 2048),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "ES384": ec.generate_private_key(ec.SECP384R1()),
    "ES512": ec.generate_private_key(ec.SECP521R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}


async def test_tokens_of_fetched_keys(tmp_path):
    keys = [key_set_entry(key, name) for name, key in KEYS.items()]
    async with application(tmp_path, keys=keys) as (_, server):
        claims = {"sub": "ann", "exp": int(time.time()) + 60}
        for name, key in KEYS.items():
            token = pyjwt.encode(claims, key, algorithm=name, headers={"kid": name})
            async with Commands.open(server) as it:
                reply = await it.connect(token)
                # The first one may come before the keys: the client is asked to come again.
                if reply.get("error", {}).get("temporary"):
                    await asyncio.sleep(1)
                    reply = await it.connect(token)
                assert "client" in reply, (name, reply)
        stranger = ed25519.Ed25519PrivateKey.generate()
        async with Commands.open(server) as it:
            token = pyjwt.encode(claims, stranger, algorithm="EdDSA", headers={"kid": "EdDSA"})
            await it.send({"id": 1, "connect": {"token": token}})
            assert await it.closed() == 3500


def pem(key, public):
    if public:
        return key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize("name", KEYS)
def test_the_command_line_signs_with_a_private_key(tmp_path, name):
    from programs import martlet

    path = tmp_path / "key.pem"
    path.write_bytes(pem(KEYS[name], public=False))
    made = martlet("token", "--user", "ann", "--key", path, "--algorithm", name, "--kid", "k", "--id", "t")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    claims = pyjwt.decode(token, KEYS[name].public_key(), algorithms=[name])
    assert (claims["sub"], claims["jti"]) == ("ann", "t")
    assert pyjwt.get_unverified_header(token) == {"alg": name, "typ": "JWT", "kid": "k"}


# Webhooks


async def test_webhooks(tmp_path):
    async with application(tmp_path) as (app, server):
        async with Commands.open(server) as it:
            me = (await it.connect(jwt(SECRET, sub="ann")))["client"]
            await it.call(subscribe={"channel": "room:a"})
        told = await app.events(6)
        assert {event["event"] for event in told} == {
            "connect", "disconnect", "channel_occupied", "channel_vacated", "member_added", "member_removed"
        }  # fmt: skip
        assert all(event["client"] == me for event in told if "client" in event)


async def test_webhooks_are_signed_and_sent_again(tmp_path):
    async with application(tmp_path) as (app, server):
        app.hook_status = 503
        async with Commands.open(server) as it:
            await it.connect(jwt(SECRET, sub="ann"))
            headers, body = await asyncio.wait_for(app.hooks.get(), 10)
            app.hook_status = 200
            again, same = await asyncio.wait_for(app.hooks.get(), 10)
        assert body == same and headers["X-Martlet-Delivery"] == again["X-Martlet-Delivery"]
        signed = again["X-Martlet-Timestamp"].encode() + b"." + same
        expected = hmac.new(b"signs hooks", signed, hashlib.sha256).hexdigest()
        assert again["X-Martlet-Signature"] == "sha256=" + expected


# Revocations


async def test_revocations(tmp_path):
    async with application(tmp_path) as (_, server):
        api = API(server)
        token = jwt(SECRET, sub="ann", jti="one", iat=int(time.time()))
        async with Commands.open(server) as it:
            await it.connect(token)
            assert await asyncio.to_thread(api.call, "revoke_token", uid="one") == {}
            assert await it.closed() == 3500
        async with Commands.open(server) as it:
            await it.send({"id": 1, "connect": {"token": token}})
            assert await it.closed() == 3500
        async with Commands.open(server) as it:
            assert "client" in await it.connect(jwt(SECRET, sub="ann", jti="two"))
            await asyncio.to_thread(api.call, "block_user", user="ann", expire_at=int(time.time()) + 60)
            assert await it.closed() == 3500
        await asyncio.to_thread(api.call, "unblock_user", user="ann")
        async with Commands.open(server) as it:
            assert "client" in await it.connect(jwt(SECRET, sub="ann", jti="two"))
