"""Passkeys' answers that somebody forged, kept back or sent again: each is refused, and the operator reads why."""

import asyncio
import datetime
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from auth_gateway.adapters.storage.audit import StoredAuditTrail
from auth_gateway.adapters.storage.passkeys import StoredPasskeys
from auth_gateway.adapters.storage.provider import ProviderStore
from auth_gateway.adapters.storage.users import StoredUsers
from auth_gateway.adapters.webauthn import WebAuthnLibrary
from auth_gateway.adapters.webauthn_answers import LONGEST_ANSWER
from auth_gateway.core.account import Account
from auth_gateway.core.audit import AuditEvent
from auth_gateway.core.factor import Passkey
from auth_gateway.core.passkey_ceremony import MOST_PASSKEYS, Flawed, relying_party
from auth_gateway.flows.passkey_registration import PasskeyRegistration
from auth_gateway.flows.passkeys import Found, PasskeyCeremonies, Shown
from plumbing.clock import FixedClock
from plumbing.database import Database
from plumbing.randomness import SeededRandomness
from plumbing.refusals import Refused
from plumbing.statements import Transaction
from tests.migrated import migrated_storage
from tests.soft_authenticator import BACKED_UP, ELIGIBLE, PRESENT, VERIFIED, SoftAuthenticator, bytes_of, text_of

NOW = 1_700_000_000.0
ORIGIN = "https://login.example"
LINE = AuditEvent(event_id="evt_1", ts=NOW, kind="login.failed")
PEOPLE = {
    name: Account(user_id=f"id-{name}", username=name, display_name=name.title(), password_hash="$2b$12$abc")
    for name in ("alice", "bob")
}
TRUE = SoftAuthenticator(origin=ORIGIN, rp_id="login.example")


@dataclass
class Place:
    """A gateway's passkeys on a real SQLite file."""

    database: Database
    clock: FixedClock = field(default_factory=lambda: FixedClock(NOW))

    def __post_init__(self) -> None:
        party = relying_party(ORIGIN, "Example")
        assert party is not None
        self.ceremonies = PasskeyCeremonies(
            database=self.database,
            clock=self.clock,
            randomness=SeededRandomness(7),
            webauthn=WebAuthnLibrary(party),
            passkeys=StoredPasskeys(),
            seen_once=ProviderStore().seen_once,
            audit=StoredAuditTrail(),
            challenge_key=b"c" * 32,
            handle_key=b"h" * 32,
        )
        self.registration = PasskeyRegistration(ceremonies=self.ceremonies)

    def finish(self, text: str, name: str = "alice", **changed: Any) -> Passkey | Flawed:
        asked = {"user_id": f"id-{name}", "session_id": "s1", "name": "Phone", "ip": "198.51.100.9", **changed}
        return asyncio.run(self.registration.finish(text, **asked))

    def registered(self, authenticator: SoftAuthenticator, name: str = "alice") -> SoftAuthenticator:
        """The same authenticator, known as that person's from now on."""
        kept = self.finish(authenticator.create(self.registration.options(PEOPLE[name], "s1")), name)
        assert isinstance(kept, Passkey)
        return authenticator.but(user_handle=self.ceremonies.handle(f"id-{name}"), count=authenticator.count + 1)

    def sign_in(self, text: str, interaction_id: str = "i1") -> Shown | Flawed:
        found = self.ceremonies.find(text)
        return found if isinstance(found, Flawed) else self.ceremonies.check_sign_in(found, interaction_id, LINE)

    def step_up(self, text: str, bound_to: str = "chg_1", user_id: str = "id-alice") -> str | None:
        """What is wrong with it, as the operator reads it."""
        proof = self.ceremonies.proof(text, bound_to, LINE, expected_user_id=user_id)
        assert proof.user_id == user_id
        if self.database.write_sync(proof.spend):
            return None
        kind, rule, of = self.audited()[-1]
        assert (kind, of) == ("passkey.refused", user_id)
        return rule

    def spend(self, shown: Shown | Flawed) -> bool:
        assert isinstance(shown, Shown)
        return self.database.write_sync(shown.spend)

    def audited(self) -> list[tuple[str, str | None, str | None]]:
        lines = self.database.read(lambda tx: StoredAuditTrail().recent(tx, 100))
        return [(line.kind, line.rule, line.user_id) for line in reversed(lines)]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Alice and Bob; nobody has a passkey."""
    database = migrated_storage(tmp_path / "gateway.db")
    for account in PEOPLE.values():
        database.write_sync(lambda tx, account=account: StoredUsers().add(tx, account))
    yield Place(database)
    database.close()


def flaw(answer: object) -> str | None:
    """What is wrong with it, None when it is believed."""
    return answer.flaw if isinstance(answer, Flawed) else None


SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505 - to be refused
KEYS: dict[str, Callable[[], Any]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_true_passkey_is_kept_and_signs_in_and_steps_up(place: Place, algorithm: str) -> None:
    """With each kind of key that we ask for; what it says of its user and its backup is believed."""
    mine = place.registered(TRUE.but(key=KEYS[algorithm](), flags=PRESENT | VERIFIED | ELIGIBLE))
    signed_in = place.sign_in(mine.get(place.ceremonies.sign_in_options("i1")))
    assert place.spend(signed_in)
    options = place.ceremonies.step_up_options("id-alice", "chg_1")
    assert options is not None
    later = mine.but(count=3, flags=PRESENT | ELIGIBLE | BACKED_UP)
    assert place.step_up(later.get(options)) is None
    (kept,) = place.registration.of("id-alice")
    assert (kept.sign_count, kept.is_backed_up, kept.last_used_at) == (3, True, NOW)
    assert place.audited() == [("factor.enrolled", None, "id-alice")]


SIGN_IN_FORGERIES: dict[str, tuple[Callable[[SoftAuthenticator], SoftAuthenticator], str]] = {
    "another origin": (lambda mine: mine.but(origin="https://login.examp1e"), "origin"),
    "a neighbour's port": (lambda mine: mine.but(origin=f"{ORIGIN}:8443"), "origin"),
    "without https": (lambda mine: mine.but(origin="http://login.example"), "origin"),
    "another relying party": (lambda mine: mine.but(rp_id="example"), "rp_id"),
    "nobody was there": (lambda mine: mine.but(flags=VERIFIED), "user_presence"),
    "nobody was verified": (lambda mine: mine.but(flags=PRESENT), "user_verification"),
    "another key": (lambda mine: mine.but(key=KEYS["ES256"]()), "signature"),
    "another kind of key": (lambda mine: mine.but(key=KEYS["EdDSA"]()), "signature"),
    "another credential": (lambda mine: mine.but(credential_id=b"credential-9"), "unknown_credential"),
    "a registration's words": (lambda mine: mine.but(client_data={"type": "webauthn.create"}), "type"),
    "a payment's words": (lambda mine: mine.but(client_data={"type": "payment.get"}), "type"),
    "inside another's page": (lambda mine: mine.but(client_data={"crossOrigin": True}), "cross_origin"),
    "inside a page that is named": (
        lambda mine: mine.but(client_data={"topOrigin": "https://evil.example"}),
        "cross_origin",
    ),
    "inside a page of ours": (lambda mine: mine.but(client_data={"topOrigin": ORIGIN}), "cross_origin"),
    "a challenge of our length": (lambda mine: mine.but(client_data={"challenge": text_of(b"x" * 40)}), "challenge"),
    "no challenge": (lambda mine: mine.but(client_data={"challenge": ""}), "challenge"),
    "no person named": (lambda mine: mine.but(user_handle=None), "user_handle"),
    "another person named": (lambda mine: mine.but(user_handle=b"b" * 32), "user_handle"),
    "nobody's name": (lambda mine: mine.but(user_handle=b""), "user_handle"),
    "a copy where there is none": (lambda mine: mine.but(flags=PRESENT | VERIFIED | ELIGIBLE), "backup_eligibility"),
    "backed up but not copied": (lambda mine: mine.but(flags=PRESENT | VERIFIED | BACKED_UP), "signature"),
}


@pytest.mark.parametrize("name", SIGN_IN_FORGERIES)
def test_a_forged_answer_is_refused(place: Place, name: str) -> None:
    """Each lie by itself, under a signature of the true key unless the key is the lie."""
    lie, expected = SIGN_IN_FORGERIES[name]
    mine = place.registered(TRUE)
    options = place.ceremonies.sign_in_options("i1")
    assert flaw(place.sign_in(lie(mine).get(options))) == expected
    assert place.spend(place.sign_in(mine.get(options)))  # and the truth still counts


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
def test_no_byte_is_changed_afterwards(place: Place, part: str) -> None:
    """The first, one in the middle, the last; or none is there at all."""
    mine = place.registered(TRUE)
    answer = mine.get(place.ceremonies.sign_in_options("i1"))
    true = bytes_of(json.loads(answer)["response"][part])
    for at in (0, len(true) // 2, len(true) - 1):
        form = json.loads(answer)
        form["response"][part] = text_of(true[:at] + bytes((true[at] ^ 1,)) + true[at + 1 :])
        assert isinstance(place.sign_in(json.dumps(form)), Flawed)
    form = json.loads(answer)
    form["response"][part] = ""
    assert isinstance(place.sign_in(json.dumps(form)), Flawed)


def test_another_persons_passkey_is_no_second_factor(place: Place) -> None:
    """Bob's own key, asked for in Alice's step-up, whatever it says."""
    place.registered(TRUE)
    his = place.registered(TRUE.but(key=KEYS["ES256"](), credential_id=b"credential-bob"), "bob")
    options = place.ceremonies.step_up_options("id-alice", "chg_1")
    assert options is not None
    assert place.step_up(his.get(options)) == "another_person"
    assert place.step_up(his.but(user_handle=None).get(options)) == "another_person"
    hers = place.ceremonies.handle("id-alice")
    assert flaw(place.sign_in(his.but(user_handle=hers).get(place.ceremonies.sign_in_options("i1")))) == "user_handle"


def test_an_answer_counts_for_the_question_it_was_asked(place: Place) -> None:
    """Not for another sign-in, another challenge, another purpose, nor when the time is over."""
    mine = place.registered(TRUE)
    to_sign_in = mine.get(place.ceremonies.sign_in_options("i1"))
    to_step_up = mine.get(place.ceremonies.step_up_options("id-alice", "chg_1") or "")
    to_register = mine.get(place.registration.options(PEOPLE["alice"], "s1"))
    flaws = [
        flaw(place.sign_in(to_sign_in, "i2")),
        place.step_up(to_sign_in, "i1"),
        place.step_up(to_step_up, "chg_2"),
        flaw(place.sign_in(to_step_up, "chg_1")),
        flaw(place.sign_in(to_register, "s1")),
    ]
    assert flaws == ["challenge"] * 5
    later = mine.but(count=9).get(place.ceremonies.step_up_options("id-alice", "chg_1") or "")
    place.clock.advance(299)
    assert place.step_up(to_step_up) is None
    place.clock.advance(1)
    assert place.step_up(later) == "challenge"


def test_a_second_factor_is_refused_where_it_is_counted(place: Place) -> None:
    """What is no answer, no passkey of ours, or was answered before, spends nothing and is written down."""
    mine = place.registered(TRUE)
    answer = mine.get(place.ceremonies.step_up_options("id-alice", "chg_1") or "")
    stranger = mine.but(credential_id=b"credential-9").get(place.ceremonies.step_up_options("id-alice", "chg_1") or "")
    flaws = [place.step_up(text) for text in ("", stranger, answer, answer)]
    assert flaws == ["malformed", "unknown_credential", None, "replayed"]


def test_an_answer_counts_once(place: Place) -> None:
    """The second time nothing is changed, and it is written down."""
    mine = place.registered(TRUE)
    answer = mine.get(place.ceremonies.sign_in_options("i1"))
    first, again = place.sign_in(answer), place.sign_in(answer)
    assert [place.spend(first), place.spend(again)] == [True, False]
    assert place.audited()[-1] == ("passkey.refused", "replayed", "id-alice")


@pytest.mark.parametrize(("count", "is_taken"), [(6, True), (5, False), (4, False), (0, False)])
def test_a_counter_that_does_not_grow_gives_a_copy_away(place: Place, count: int, is_taken: bool) -> None:
    """Only a true signature accuses a key."""
    mine = place.registered(TRUE.but(count=5))
    answer = mine.but(count=count).get(place.ceremonies.sign_in_options("i1"))
    assert place.spend(place.sign_in(answer)) is is_taken
    refused = [("passkey.refused", "counter", "id-alice")]
    assert place.audited()[1:] == ([] if is_taken else refused)


def test_keys_that_count_nothing_are_taken_each_time(place: Place) -> None:
    """Most passkeys that are copied between devices stay at zero."""
    mine = place.registered(TRUE.but(count=0)).but(count=0)
    for _ in range(2):
        assert place.spend(place.sign_in(mine.get(place.ceremonies.sign_in_options("i1"))))


def test_a_passkey_that_was_removed_meanwhile_opens_nothing(place: Place) -> None:
    """Between the look and the decision."""
    mine = place.registered(TRUE)
    shown = place.sign_in(mine.get(place.ceremonies.sign_in_options("i1")))
    assert asyncio.run(place.registration.remove("id-alice", TRUE.credential_id, session_id="s1"))
    assert not place.spend(shown)
    assert place.audited()[1:] == [
        ("factor.removed", None, "id-alice"),
        ("passkey.refused", "counter", "id-alice"),
    ]


REGISTRATION_FORGERIES: dict[str, tuple[SoftAuthenticator, dict[str, Any], str]] = {
    "another origin": (TRUE.but(origin="https://evil.example"), {}, "origin"),
    "another relying party": (TRUE.but(rp_id="evil.example"), {}, "rp_id"),
    "nobody was there": (TRUE.but(flags=VERIFIED), {}, "user_presence"),
    "a sign-in's words": (TRUE.but(client_data={"type": "webauthn.get"}), {}, "type"),
    "inside another's page": (TRUE.but(client_data={"crossOrigin": True}), {}, "cross_origin"),
    "a named page around it": (TRUE.but(client_data={"topOrigin": "https://a.example"}), {}, "cross_origin"),
    "a challenge of its own": (TRUE.but(client_data={"challenge": text_of(b"x" * 40)}), {}, "challenge"),
    "a key that we did not ask for": (TRUE.but(key=ec.generate_private_key(ec.SECP384R1()), alg=-35), {}, "algorithm"),
    "another curve under our name": (TRUE.but(key=ec.generate_private_key(ec.SECP384R1()), alg=-7), {}, "algorithm"),
    "a short key": (TRUE.but(key=SHORT), {}, "algorithm"),
    "an old hash": (TRUE.but(key=rsa.generate_private_key(65537, 2048), alg=-65535), {}, "algorithm"),
    "a maker's word": (TRUE, {"fmt": "fido-u2f", "attStmt": {"sig": b"s", "x5c": [b"c"]}}, "attestation"),
    "a maker's certificate": (
        TRUE,
        {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"s", "x5c": [b"c"]}},
        "attestation",
    ),
    "a wrong word of its own": (TRUE, {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"s"}}, "attestation"),
    "an unknown form": (TRUE, {"fmt": "mine"}, "attestation"),
    "no credential": (TRUE, {"authData": b"\x00" * 37}, "malformed"),
    "no bytes": (TRUE, {"authData": b""}, "malformed"),
}


@pytest.mark.parametrize("name", REGISTRATION_FORGERIES)
def test_a_forged_registration_is_refused(place: Place, name: str) -> None:
    """Nothing is kept, and the operator reads why."""
    liar, changed, expected = REGISTRATION_FORGERIES[name]
    assert flaw(place.finish(liar.create(place.registration.options(PEOPLE["alice"], "s1"), **changed))) == expected
    assert place.registration.of("id-alice") == []
    assert place.audited() == [("passkey.refused", expected, "id-alice")]


def makers_certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A true one, by the maker's own word."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Maker")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + datetime.timedelta(days=36_500))
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def test_a_makers_word_is_taken_by_nobody(place: Place) -> None:
    """We ask for none and keep no makers' roots; a key's own signature on itself is as good as nothing."""
    options = place.registration.options(PEOPLE["alice"], "s1")
    assert isinstance(TRUE.key, ec.EllipticCurvePrivateKey)
    certified = TRUE.but(certificates=[makers_certificate(TRUE.key)])
    assert flaw(place.finish(certified.create(options))) == "attestation"
    assert isinstance(place.finish(TRUE.but(certificates=[]).create(options)), Passkey)


def test_a_credential_has_the_name_that_was_made_with_it(place: Place) -> None:
    """The form says one, what the authenticator made another."""
    form = json.loads(TRUE.create(place.registration.options(PEOPLE["alice"], "s1")))
    assert flaw(place.finish(json.dumps(form | {"id": text_of(b"other"), "rawId": text_of(b"other")}))) == "malformed"
    assert place.registration.of("id-alice") == []


def test_a_registration_counts_once_and_in_its_session(place: Place) -> None:
    """Sent again after the passkey was removed, from another session, or too late: nothing."""
    options = place.registration.options(PEOPLE["alice"], "s1")
    answer = TRUE.create(options)
    assert flaw(place.finish(answer, session_id="s2")) == "challenge"
    assert isinstance(place.finish(answer), Passkey)
    assert asyncio.run(place.registration.remove("id-alice", TRUE.credential_id, session_id="s1"))
    assert flaw(place.finish(answer)) == "replayed"
    late = TRUE.create(place.registration.options(PEOPLE["alice"], "s1"))
    place.clock.advance(600)
    assert flaw(place.finish(late)) == "challenge"


def test_a_credential_is_kept_for_one_person_alone(place: Place) -> None:
    """Bob cannot take Alice's, and her own again is no second one."""
    place.registered(TRUE)
    for name in ("bob", "alice"):
        answer = TRUE.create(place.registration.options(PEOPLE[name], "s1"))
        assert flaw(place.finish(answer, name)) == "duplicate"
    assert [len(place.registration.of(f"id-{name}")) for name in ("alice", "bob")] == [1, 0]
    assert place.audited()[-1] == ("passkey.refused", "duplicate", "id-alice")


def test_a_person_has_so_many_passkeys_and_no_more(place: Place) -> None:
    """Each is named on every page that asks for one."""
    for number in range(MOST_PASSKEYS):
        place.registered(TRUE.but(credential_id=b"credential-%d" % number))
    answer = TRUE.but(credential_id=b"one more").create(place.registration.options(PEOPLE["alice"], "s1"))
    assert flaw(place.finish(answer)) == "too_many"


def test_what_the_caller_adds_can_undo_all(place: Place) -> None:
    """A session that ended meanwhile leaves neither passkey nor line, and the answer is not spent."""

    def session_is_over(_tx: Transaction) -> None:
        raise Refused("session_over", "Sign in again.", status=409)

    answer = TRUE.create(place.registration.options(PEOPLE["alice"], "s1"))
    with pytest.raises(Refused, match="Sign in again"):
        place.finish(answer, also=session_is_over)
    assert (place.registration.of("id-alice"), place.audited()) == ([], [])
    assert isinstance(place.finish(answer), Passkey)


MALFORMED = [
    "",
    "null",
    "[]",
    "{}",
    "{",
    "\x00",
    "[" * 20_000,
    '"' + "a" * LONGEST_ANSWER + '"',
    '{"id":"a","rawId":"a","type":"public-key","response":{}}',
    '{"id":1,"rawId":"YQ","type":"public-key","response":{}}',
]


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_answer_is_malformed(place: Place, text: str) -> None:
    """No traceback, whatever is sent."""
    assert flaw(place.sign_in(text)) == "malformed"
    assert flaw(place.finish(text)) == "malformed"


@pytest.mark.parametrize(
    "changed",
    [
        {"type": "password"},
        {"id": "Y3JlZGVudGlhbC0x"},
        {"id": "", "rawId": ""},
        {"id": "Y3JlZGVudGlhbC0w=", "rawId": "Y3JlZGVudGlhbC0w="},
        {"id": "Y3Jl ZGVudGlhbC0w", "rawId": "Y3Jl ZGVudGlhbC0w"},
        {"id": "Y3JlZGVudGlhbC0w+", "rawId": "Y3JlZGVudGlhbC0w+"},
        {"id": "YR", "rawId": "YR"},
        {"id": "A" * 1366, "rawId": "A" * 1366},
    ],
)
def test_a_credential_is_named_to_the_letter(place: Place, changed: dict[str, str]) -> None:
    """Two texts are not one credential, nor is anything but a public key's."""
    mine = place.registered(TRUE)
    form = json.loads(mine.get(place.ceremonies.sign_in_options("i1")))
    assert flaw(place.sign_in(json.dumps(form | changed))) == "malformed"


def test_who_has_no_passkey_is_not_asked_for_one(place: Place) -> None:
    """Only their own are named to the browser, and only in a step-up."""
    assert place.ceremonies.step_up_options("id-alice", "chg_1") is None
    mine = place.registered(TRUE)
    asked = json.loads(place.ceremonies.step_up_options("id-alice", "chg_1") or "")
    assert [each["id"] for each in asked["allowCredentials"]] == [text_of(mine.credential_id)]
    assert (asked["rpId"], asked["userVerification"]) == ("login.example", "preferred")
    anybody = json.loads(place.ceremonies.sign_in_options("i1"))
    assert (anybody["allowCredentials"], anybody["userVerification"]) == ([], "required")


def test_an_authenticator_is_told_no_more_than_it_needs(place: Place) -> None:
    """A handle that names nobody, the keys that we take, those that are there already, and no maker's word."""
    place.registered(TRUE)
    asked = json.loads(place.registration.options(PEOPLE["alice"], "s1"))
    assert asked["user"] == {
        "id": text_of(place.ceremonies.handle("id-alice")),
        "name": "alice",
        "displayName": "Alice",
    }
    assert "id-alice" not in json.dumps(asked)
    assert [each["alg"] for each in asked["pubKeyCredParams"]] == [-8, -7, -257]
    assert [each["id"] for each in asked["excludeCredentials"]] == [text_of(TRUE.credential_id)]
    assert asked["attestation"] == "none"
    assert asked["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "preferred",
    }


def test_a_found_answer_is_only_found(place: Place) -> None:
    """Whoever knows a credential's id is told nothing by it."""
    mine = place.registered(TRUE)
    found = place.ceremonies.find(mine.but(key=KEYS["ES256"]()).get(place.ceremonies.sign_in_options("i1")))
    assert isinstance(found, Found)
    assert flaw(place.ceremonies.check_sign_in(found, "i1", LINE)) == "signature"
