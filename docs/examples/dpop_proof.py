"""Prints a DPoP proof (RFC 9449) for one request, under a key that it keeps in `dpop_key.json`.

Usage: python dpop_proof.py METHOD URL [ACCESS_TOKEN]
"""

import hashlib
import json
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

KEPT = Path("dpop_key.json")


def kept_key() -> ECKey:
    """The key of last time, or a new one that nobody else can read."""
    if not KEPT.exists():
        KEPT.touch(mode=0o600)
        KEPT.write_text(json.dumps(ECKey.generate_key("P-256").as_dict(private=True)))
    return ECKey.import_key(json.loads(KEPT.read_text()))


def proof(method: str, url: str, access_token: str = "") -> str:
    """For this request, now, once; at a resource it names the access token that it goes with."""
    key = kept_key()
    claims = {"jti": str(uuid.uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
    if access_token:
        hashed = hashlib.sha256(access_token.encode()).digest()
        claims["ath"] = urlsafe_b64encode(hashed).rstrip(b"=").decode()
    return jwt.encode({"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}, claims, key)


if __name__ == "__main__":
    print(proof(*sys.argv[1:4]))
