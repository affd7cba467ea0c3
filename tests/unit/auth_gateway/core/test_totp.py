"""One-time codes, against the published table."""

import hashlib
from base64 import b32encode
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest

from auth_gateway.core.totp import NEVER_USED, matching_step, provisioning_uri

SECRET = b32encode(b"12345678901234567890").decode()
NOW = 1_700_000_015.0
STEP = 56_666_667

# RFC 6238, appendix B; the seeds of SHA-256 and SHA-512 are the same digits, 32 and 64 of them (errata 2866)
TABLE = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
DIGESTS: list[tuple[Any, int]] = [(hashlib.sha1, 20), (hashlib.sha256, 32), (hashlib.sha512, 64)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: str(row[0]))
def test_the_table_of_rfc_6238_holds(row: tuple[int, str, str, str]) -> None:
    """All six times, all three digests, eight digits."""
    now, *codes = row
    for (digest, n_bytes), code in zip(DIGESTS, codes, strict=True):
        secret = b32encode((b"1234567890" * 7)[:n_bytes]).decode()
        assert matching_step(secret, code, now, NEVER_USED, window=0, digits=8, digest=digest) == now // 30


def code_at(step: int) -> str:
    return str(pyotp.HOTP(SECRET).at(step))


@pytest.mark.parametrize(("distance", "is_taken"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_delay_either_way_is_forgiven(distance: int, is_taken: bool) -> None:
    """A slow clock passes, an old code does not."""
    assert matching_step(SECRET, code_at(STEP + distance), NOW, NEVER_USED) == (STEP + distance if is_taken else None)


def test_a_code_works_once_and_no_earlier_one_after_it() -> None:
    """n, then n+1, then n again: the last is refused, and so is n+1 again."""
    assert matching_step(SECRET, code_at(STEP), NOW, NEVER_USED) == STEP
    assert matching_step(SECRET, code_at(STEP), NOW, STEP) is None
    assert matching_step(SECRET, code_at(STEP + 1), NOW, STEP) == STEP + 1
    assert matching_step(SECRET, code_at(STEP), NOW, STEP + 1) is None


def test_a_code_may_be_typed_with_spaces() -> None:
    """People copy `123 456` as it is shown."""
    code = code_at(STEP)
    assert matching_step(SECRET, f" {code[:3]} {code[3:]}\n", NOW, NEVER_USED) == STEP


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12345\0", "-12345", "1" * 100_000])
def test_what_is_no_code_matches_nothing(code: str) -> None:
    """Wrong lengths, letters and other scripts' digits are simply wrong."""
    assert matching_step(SECRET, code, NOW, NEVER_USED) is None


@pytest.mark.parametrize(
    ("issuer", "shown"),
    [
        ("https://id.example.com", "id.example.com"),
        ("http://localhost:9000", "localhost 9000"),
        ("https://[2001:db8::1]:8443", "[2001 db8  1] 8443"),
        ("iam-ai-sample", "iam-ai-sample"),
        ("a:b", "a b"),
    ],
)
def test_an_authenticator_shows_the_issuer_s_host_and_the_name(issuer: str, shown: str) -> None:
    """The label has one colon, between the two, however either is written: applications cut it there."""
    link = urlsplit(provisioning_uri(SECRET, username="al:ice", issuer=issuer))
    assert unquote(link.path) == f"/{shown}:al ice"
    assert parse_qs(link.query)["issuer"] == [shown]
