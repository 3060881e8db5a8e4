"""JSON Web Tokens (RFC 7519), signed with HMAC-SHA256 by hand, so that a wrong one can be made too."""

import base64
import hashlib
import hmac
import json
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(secret, /, expires_in=600, header=None, **claims):
    """A token with these claims; `expires_in` in seconds from now, None leaves `exp` out."""
    if expires_in is not None:
        claims["exp"] = int(time.time()) + expires_in
    header = {"typ": "JWT", "alg": "HS256"} if header is None else header
    signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))
    return signed + "." + base64url(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))
