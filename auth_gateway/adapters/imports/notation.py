"""Password hashes of other systems in the notation that is verified here. Nothing is computed but notation.

PBKDF2 derives its key block by block, each for itself (RFC 8018 section 5.2), and scrypt ends in PBKDF2-HMAC-SHA-256
(RFC 7914 section 6). So the first block of a longer key is the key of one block's length, and comparing it is as good
as comparing all: it is what remains when one is rewritten.
"""

import binascii
import re
from base64 import b64encode, urlsafe_b64decode

from auth_gateway.adapters.password_schemes import PBKDF2_DIGEST_BYTES, Scheme, judged
from auth_gateway.core.imported import Untakeable

SCRYPT_DIGEST_BYTES = 32
MOST_ENCODED = 1024
_PHC_PBKDF2 = re.compile(
    r"\$pbkdf2(?P<digest>(?:-[a-z0-9]+)?)\$(?P<costs>[a-z0-9=,]{1,128})\$(?P<salt>[^$]{0,256})\$(?P<key>[^$]{0,256})"
)
_BCRYPT = re.compile(r"(\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{21})([./A-Za-z0-9])([./A-Za-z0-9]{30})([./A-Za-z0-9])")
# bcrypt's own base64.
_BCRYPT_ALPHABET = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_SHA1_MARKS = frozenset({"", "-sha1"})


def settled(text: str) -> str:
    """A hash that stands in a file as one text, in our notation.

    Raises: Untakeable with the reason why it is not verified.
    """
    if match := _PHC_PBKDF2.fullmatch(text):
        return _from_phc_pbkdf2(match)
    if bcrypt := _BCRYPT.fullmatch(text):
        text = bcrypt[1] + _without_stray_bits(bcrypt[2], 0x30) + bcrypt[3] + _without_stray_bits(bcrypt[4], 0x3C)
    found = judged(text)
    if not isinstance(found, Scheme):
        raise Untakeable(found)
    return text


def pbkdf2(mark: str, *, iterations: int, salt: bytes, derived: bytes) -> str:
    """The hash of these parts; `mark` is `-sha256`, `-sha512`, or nothing for SHA-1.

    Raises: Untakeable.
    """
    n_bytes = PBKDF2_DIGEST_BYTES.get(mark)
    if n_bytes is None:
        raise Untakeable("unknown_hash_scheme")
    if len(derived) < n_bytes or not salt:
        raise Untakeable("malformed_hash")
    parts = f"{_base64(salt)}${_base64(derived[:n_bytes])}".replace("+", ".")
    return _affordable(f"$pbkdf2{mark}${_number(iterations)}${parts}")


def scrypt(*, cost: int, block_size: int, lanes: int, salt: bytes, derived: bytes) -> str:
    """The hash of these parts; `cost` is N, a power of two.

    Raises: Untakeable.
    """
    if cost < 2 or cost & (cost - 1):
        raise Untakeable("hash_cost_out_of_bounds")
    if len(derived) < SCRYPT_DIGEST_BYTES or not salt:
        raise Untakeable("malformed_hash")
    costs = f"ln={_number(cost).bit_length() - 1},r={_number(block_size)},p={_number(lanes)}"
    return _affordable(f"$scrypt${costs}${_base64(salt)}${_base64(derived[:SCRYPT_DIGEST_BYTES])}")


def argon2(*, variant: str, version: str, memory_kib: int, passes: int, lanes: int, salt: bytes, derived: bytes) -> str:
    """The hash of these parts; `variant` is `id`, `i` or `d`, `version` what the algorithm calls itself (`1.3`).

    Raises: Untakeable.
    """
    if variant not in {"id", "i", "d"} or version != "1.3":
        raise Untakeable("unknown_hash_scheme")
    costs = f"m={_number(memory_kib)},t={_number(passes)},p={_number(lanes)}"
    return _affordable(f"$argon2{variant}$v=19${costs}${_base64(salt)}${_base64(derived)}")


def from_base64(text: str) -> bytes:
    """Bytes of either alphabet, with padding or without.

    Raises: Untakeable("malformed_hash").
    """
    plain = text.rstrip("=").translate({ord("+"): "-", ord("/"): "_"})
    if len(text) > MOST_ENCODED or not re.fullmatch(r"[A-Za-z0-9_-]*", plain):
        raise Untakeable("malformed_hash")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        raise Untakeable("malformed_hash") from None


def from_hex(text: str) -> bytes:
    """Bytes of hexadecimal digits in either case.

    Raises: Untakeable("malformed_hash").
    """
    if len(text) > MOST_ENCODED or not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", text):
        raise Untakeable("malformed_hash")
    return bytes.fromhex(text)


def _from_phc_pbkdf2(match: re.Match[str]) -> str:
    """`$pbkdf2-sha256$i=27500,l=64$salt$key` as the PHC string format has it: parameters by name, base64."""
    costs = dict(part.partition("=")[::2] for part in match["costs"].split(","))
    iterations = costs.get("i", "")
    if not iterations.isdigit():
        if match["costs"].isdigit():  # our own notation, which has the number alone
            return _affordable(match[0])
        raise Untakeable("malformed_hash")
    mark = "" if match["digest"] in _SHA1_MARKS else match["digest"]
    salt, derived = from_base64(match["salt"]), from_base64(match["key"])
    return pbkdf2(mark, iterations=int(iterations), salt=salt, derived=derived)


def _affordable(text: str) -> str:
    found = judged(text)
    if isinstance(found, Scheme):
        return text
    # All of its parts were of a scheme we know.
    raise Untakeable("malformed_hash" if found == "unknown_hash_scheme" else found)


def _number(cost: int) -> int:
    """A cost that may be written out: the time that takes grows with the square of the digits."""
    if not 0 < cost < 2**31:
        raise Untakeable("hash_cost_out_of_bounds")
    return cost


def _base64(raw: bytes) -> str:
    return b64encode(raw).rstrip(b"=").decode()


def _without_stray_bits(character: str, mask: int) -> str:
    """The last character of a bcrypt part without the bits that stand for nothing; old libraries left them in."""
    return _BCRYPT_ALPHABET[_BCRYPT_ALPHABET.index(character) & mask]
