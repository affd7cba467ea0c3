"""Whether a name has an account is told by no byte and by no stopwatch, in whatever state the account is: at the JSON
face and at the sign-in page.
"""

from collections.abc import Callable
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest

from auth_gateway.adapters.imports import keycloak
from auth_gateway.adapters.passwords import PasswordHasher
from auth_gateway.adapters.refusal_floor import RefusalFloor
from auth_gateway.core.imported import ImportedUser, Record
from auth_gateway.core.throttle import FREE_FAILURES
from tests.stories.gateway import exports
from tests.stories.gateway.applications import ISSUER
from tests.stories.gateway.relying_party import without_chance
from tests.stories.gateway.sign_in_form import begun
from tests.stories.gateway.stopwatch import Try, medians, timed_story
from tests.stories.gateway.story import HOME, PASSWORD, Story

NOBODY = "nobody"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DP"
LONG = "x" * 5000
# In form NFD, and a name in full-width letters.
UNFOLDED = "Pa\u0308ssword 123!"


class Face(Protocol):
    """Where a password is asked for."""

    def __call__(self, username: str, password: str, *, peer: str = HOME) -> httpx2.Response: ...


def json_face(story: Story) -> Face:
    return lambda username, password, *, peer=HOME: story.login(username, password, peer=peer)


def page_face(story: Story) -> Face:
    return begun(story).post


FACES: dict[str, Callable[[Story], Face]] = {"json": json_face, "page": page_face}


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest, story_with: Callable[..., Story]) -> Face:
    """A gateway with an imported account beside the usual people."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    with_import(story)
    return FACES[request.param](story)


def shown(answer: httpx2.Response, tried: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Everything a stranger gets to see that he did not type himself, but for the chance in a passkey's question."""
    text = without_chance(answer.text).replace(escape(tried), "(the name)")
    return answer.status_code, text, sorted((*_without_length(answer), ("size", str(len(text)))))


def _without_length(answer: httpx2.Response) -> list[tuple[str, str]]:
    """A page that repeats a name is longer by its letters."""
    return [(name, value) for name, value in answer.headers.items() if name != "content-length"]


def wide(name: str) -> str:
    """The name in full-width letters, which is the same name."""
    return "".join(chr(ord(letter) + 0xFEE0) for letter in name)


# The account, and what is tried; `alice` has an authenticator, `bob` has none, `frozen` is frozen.
ATTEMPTS: dict[str, tuple[str, str]] = {
    "wrong password, with a factor": ("alice", "wrong"),
    "wrong password, no factor": ("bob", "wrong"),
    "wrong password, frozen": ("frozen", "wrong"),
    "right password, frozen": ("frozen", PASSWORD),
    "over-long password": ("bob", LONG),
    "no password": ("bob", ""),
    "NUL after the right password": ("bob", PASSWORD + "\0"),
    "another form of the name": (wide("bob"), "wrong"),
    "another case of the name": ("BOB", "wrong"),
    "another form of a password": ("bob", UNFOLDED),
    "wrong password, imported account": ("imported", "wrong"),
    "over-long password, imported account": ("imported", LONG),
    "NUL after the right password, imported account": ("imported", exports.PASSWORD + "\0"),
}


def with_import(story: Story) -> None:
    stored = exports.keycloak_pbkdf2("pbkdf2-sha256", "sha256", 32)
    realm = exports.keycloak_realm(exports.keycloak_user("imported", stored))
    assert story.gateway.imports(keycloak.records(BytesIO(realm))).taken == 1


@pytest.mark.parametrize("name", ATTEMPTS)
def test_no_byte_tells_an_account_from_none(face: Face, name: str) -> None:
    """The same attempt at a name that nobody has gets the same status, body and headers."""
    username, password = ATTEMPTS[name]
    absent = wide(NOBODY) if username == wide("bob") else NOBODY
    answers = [shown(face(tried, password, peer=f"203.0.113.{n}"), tried) for n, tried in enumerate((username, absent))]
    assert answers[0] == answers[1]
    # No form may hold NUL, whoever sends it; and a page that got no password asks for it.
    assert answers[0][0] in {401, 400 if "\0" in password else 401, 401 if password else 200}


@pytest.mark.parametrize("username", ["alice", "bob", "frozen", "imported", "BOB", wide("alice")])
def test_no_byte_of_a_throttled_answer_tells_an_account_from_none(face: Face, username: str) -> None:
    """The wait comes after as many failures and is as long, right password or wrong."""

    def answers(tried: str, peer: str) -> list[tuple[int, str, list[tuple[str, str]]]]:
        found = [shown(face(tried, "wrong", peer=peer), tried) for _ in range(FREE_FAILURES["account"] + 2)]
        return [*found, shown(face(tried, PASSWORD, peer=peer), tried)]

    present, absent = answers(username, "203.0.113.1"), answers(NOBODY, "203.0.113.2")
    assert present == absent
    assert [status for status, _, _ in present][-2:] == [429, 429]


def test_a_refused_address_is_the_same_for_every_name(face: Face) -> None:
    """A network that has to wait does so whatever name it tries next."""
    for number in range(FREE_FAILURES["network"]):
        face(f"n{number}", "wrong")
    answers = {name: shown(face(name, PASSWORD), name) for name in ("alice", "bob", "frozen", NOBODY)}
    assert {status for status, _, _ in answers.values()} == {429}
    assert len({body for _, body, _ in answers.values()}) == 1


KINDS: dict[str, dict[str, Any]] = {
    "wrong": {},
    "frozen": {"is_frozen": True},
    "factor": {"totp_secret": SECRET},
    "long": {},
    "wide": {},
    "weak": {},
    "dear": {},
}


@cache
def stored_hashes(hasher: PasswordHasher, rounds: int) -> dict[str, str]:
    key = exports.unpadded(exports.pbkdf2_key("sha256", rounds, 32))
    dear = f"$pbkdf2-sha256${rounds}${exports.unpadded(exports.SALT)}${key}".replace("+", ".")
    return {kind: hasher.hash(PASSWORD) for kind in KINDS} | {"weak": exports.bcrypt_hash(), "dear": dear}


def crowd(hasher: PasswordHasher, count: int, *, rounds: int = 60_000) -> list[Record]:
    """So many people of each kind: an attempt at one of them says nothing of the next."""
    hashes = stored_hashes(hasher, rounds)
    return [
        Record(
            place=f"{kind}{number}",
            user=ImportedUser(**{"username": f"{kind}{number}", "password_hash": hashes[kind]} | more),
        )
        for kind, more in KINDS.items()
        for number in range(count)
    ]


def attempt(face: Face, username: str, password: str, number: int, *, expected: int = 401) -> None:
    peer = f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
    assert face(username, password, peer=peer).status_code == expected


def attempts_of(face: Face) -> dict[str, Try]:
    """The kinds of try that are compared; `unknown` is the measure of the others."""

    def trying(kind: str, guess: str = "wrong", name: Callable[[str], str] = str) -> Try:
        return lambda number: attempt(face, name(f"{kind}{number}"), guess, number)

    return {
        "unknown": trying("nobody"),
        "unknown, over-long password": trying("nobody", LONG),
        "unknown, another form": trying("nobody", UNFOLDED, wide),
        "wrong password": trying("wrong"),
        "frozen": trying("frozen", PASSWORD),
        "with a factor": trying("factor"),
        "over-long password": trying("long", LONG),
        "another form": trying("wide", UNFOLDED, wide),
        "imported, quick to check": trying("weak"),
        "imported, slow to check": trying("dear"),
    }


def throttled_of(face: Face) -> dict[str, Try]:
    """Tries that have to wait: at a name that nobody has, at an account, and at a frozen one."""
    names = {"unknown": NOBODY, "account": "wrong0", "with a factor": "factor0", "frozen": "frozen0"}
    for name in names.values():
        for number in range(FREE_FAILURES["account"] + 1):
            face(name, "wrong", peer=f"192.0.2.{number}")
    return {
        kind: lambda number, name=name: attempt(face, name, PASSWORD, number, expected=429)  # type: ignore[misc]
        for kind, name in names.items()
    }


def apart(tries: dict[str, Try], *, count: int, rounds: int, is_long: bool) -> dict[str, float]:
    """By how many milliseconds each kind's median is beyond its bound from the unknown name's, in the best series.

    A stranger may average away what disturbs a series; what is left in the quietest one is what there is to see.
    """
    best: dict[str, float] = {"not measured": 1e9}
    for turn in range(rounds):
        found = medians(tries, count, start=turn * count)
        reference = found["unknown"]
        bound = max(0.003, 0.02 * reference) if is_long else max(0.008, 0.2 * reference)
        beyond = {kind: 1e3 * (abs(taken - reference) - bound) for kind, taken in found.items()}
        beyond = {kind: round(excess, 2) for kind, excess in beyond.items() if excess > 0}
        if sum(beyond.values()) < sum(best.values()):
            best = beyond
        if not best:
            break
    return best


ROUNDS = 3


@pytest.mark.parametrize(
    ("at", "are_throttled"),
    [
        ("json", False),
        ("page", True),
        pytest.param("json", True, marks=pytest.mark.long),
        pytest.param("page", False, marks=pytest.mark.long),
    ],
)
@pytest.mark.alone
def test_no_stopwatch_tells_an_account_from_none(tmp_path: Path, is_long: bool, at: str, are_throttled: bool) -> None:
    """Medians of 400 tries of each kind lie within 3 ms or 2 % of those at names that nobody has (40 tries within 8 ms
    or 20 % in the short run), with hash schemes of very different cost in one database."""
    count = 400 if is_long else 40
    hasher = PasswordHasher() if is_long else PasswordHasher(memory_kib=64, passes=1)
    with timed_story(tmp_path / "state", crowd(hasher, count * ROUNDS), hasher, jwt_issuer=ISSUER) as story:
        face = FACES[at](story)
        tries = throttled_of(face) if are_throttled else attempts_of(face)
        assert apart(tries, count=count, rounds=ROUNDS, is_long=is_long) == {}


@pytest.mark.alone
def test_the_stopwatch_would_see_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the floor the same measurement tells a slow hash from a quick one, and so from names that nobody has."""

    async def leave_at_once(_floor: RefusalFloor, _started_at: float) -> None:
        """No wait."""

    monkeypatch.setattr(RefusalFloor, "hold", leave_at_once)
    hasher = PasswordHasher(memory_kib=64, passes=1)
    kinds = ("unknown", "imported, slow to check")
    with timed_story(tmp_path / "state", crowd(hasher, 15, rounds=600_000), hasher) as story:
        tries = attempts_of(json_face(story))
        found = medians({kind: tries[kind] for kind in kinds}, 15)
    assert found["imported, slow to check"] > 1.5 * found["unknown"]
