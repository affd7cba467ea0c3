"""Which time step a one-time code belongs to. Secrets come as arguments; who counts the tries is not here."""

import hashlib
import hmac
from typing import Any
from urllib.parse import urlsplit

import pyotp

STEP_SECONDS = 30
DIGITS = 6
WINDOW = 1
NEVER_USED = -1


def matching_step(
    secret: str,
    code: str,
    now: float,
    last_used_step: int,
    *,
    window: int = WINDOW,
    digits: int = DIGITS,
    digest: Any = hashlib.sha1,
) -> int | None:
    """The time step that `code` is right for, or None. Never `last_used_step` or an earlier one: a code works once.

    `secret` is base32. All steps of the window are computed and compared, so the time tells nothing.
    Source: RFC 6238 sections 4.2, 5.2 (one step of delay either way, used codes refused); RFC 4226 section 5.3.
    """
    given = "".join(code.split())
    if len(given) != digits or not (given.isascii() and given.isdigit()):
        return None
    generator = pyotp.HOTP(secret, digits=digits, digest=digest)
    present_step = int(now // STEP_SECONDS)
    found: int | None = None
    for step in range(max(0, present_step - window), present_step + window + 1):
        is_right = hmac.compare_digest(generator.at(step), given)
        if is_right and step > last_used_step:
            found = step
    return found


def provisioning_uri(secret: str, *, username: str, issuer: str) -> str:
    """The `otpauth://` text that an authenticator application reads from a QR code.

    Neither part of its label may have a colon, which is where applications cut it in two: of an issuer's address the
    host alone is shown, and a port after a blank. Source: google-authenticator wiki, "Key Uri Format", Label.
    """
    shown = (urlsplit(issuer).netloc or issuer).replace(":", " ")
    uri: str = pyotp.TOTP(secret).provisioning_uri(name=username.replace(":", " "), issuer_name=shown)
    return uri
