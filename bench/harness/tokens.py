"""Tokens for the custody services that are measured (RFC 7519, HS256)."""

import base64
import hashlib
import hmac
import json
import time

SECRET = "a secret of the benchmark, 32 bytes or more"
DAY_S = 86_400


def _text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def bearer_token():
    claims = {"sub": "bench", "aud": "custody-sandbox", "exp": int(time.time()) + DAY_S,
              "scope": "custody:read custody:write"}  # fmt: skip
    signed = b".".join(_text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
    return (signed + b"." + _text(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest())).decode()
