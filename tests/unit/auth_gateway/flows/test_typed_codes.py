"""Recovery codes and codes by mail as answers to a challenge, and how many of all codes are looked at."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from auth_gateway.core import recovery_code
from auth_gateway.core.guessing import seconds_each
from auth_gateway.core.letter import LETTER_PURPOSE, Posted
from auth_gateway.core.policy import Policy
from auth_gateway.core.recovery_code import drawn_code
from auth_gateway.flows.answers import Allowed, ChallengeOver, Denied, MfaRequired, Throttled, WrongCode
from auth_gateway.flows.mailed_code import CodeSent, NoMoreCodes, NotByMail

DAY = 86_400.0
KEY = b"r" * 32


def challenge(world: Any, mark: float | None = 70.0, **context: Any) -> str:
    world.scorer.mark = mark
    answer = asyncio.run(world.login(**context))
    assert isinstance(answer, MfaRequired), answer
    return answer.challenge_token


def answer(world: Any, token: str, code: str, kind: str = "totp", **context: Any) -> Any:
    return asyncio.run(world.complete(token, code, kind=kind, **context))


def with_recovery_codes(world: Any, count: int = 2) -> list[str]:
    codes = [drawn_code(bytes([number] * 10)) for number in range(count)]
    digests = [recovery_code.code_digest(KEY, "alice", code) for code in codes]
    world.database.write_sync(lambda tx: world.recovery_codes.replace(tx, "alice", digests, world.clock.now()))
    return codes


def with_mail(world: Any) -> None:
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET email = 'alice@example.com', email_verified = 1")


def mailed(world: Any) -> list[str]:
    """The codes in the letters that wait, the oldest first."""
    with world.database.engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM outbox WHERE endpoint = 'mail' ORDER BY rowid").fetchall()
    letters = [json.loads(world.vault.open(row[0], LETTER_PURPOSE)) for row in rows]
    return [letter["letter"]["values"]["code"] for letter in letters]


def send(world: Any, token: str) -> Any:
    return asyncio.run(world.mail_flow(token, world.client))


def claims(found: Any) -> tuple[list[str], str]:
    assert isinstance(found, Allowed), found
    said = json.loads(found.tokens.access_token)
    return said["amr"], said["acr"]


def test_a_recovery_code_stands_in_for_the_authenticator_once(world: Any) -> None:
    """However it is written down; a second time it is wrong, and another one is right."""
    world.person(factor=True)
    first, second = with_recovery_codes(world)
    typed = first.upper().replace("-", " ")
    assert claims(answer(world, challenge(world), typed, "recovery_code")) == (["pwd", "otp", "mfa"], "aal2")
    token = challenge(world)
    assert isinstance(answer(world, token, first, "recovery_code"), WrongCode)
    assert isinstance(answer(world, token, second, "recovery_code"), Allowed)


def test_a_code_counts_as_what_it_is_said_to_be(world: Any) -> None:
    """A recovery code in the authenticator's field is a wrong code, and stays unspent."""
    secret = world.person(factor=True)
    (code,) = with_recovery_codes(world, 1)
    token = challenge(world)
    assert isinstance(answer(world, token, code), WrongCode)
    assert isinstance(answer(world, token, world.code(secret), "recovery_code"), WrongCode)
    assert isinstance(answer(world, token, code, "recovery_code"), Allowed)


def test_what_a_login_can_be_finished_with_is_told(world: Any) -> None:
    """The strongest first, and only what the risk takes."""
    world.person(factor=True)
    with_mail(world)
    with_recovery_codes(world)
    world.scorer.mark = 70.0
    assert asyncio.run(world.login()).methods == ("totp", "recovery_code", "email_code")
    world.scorer.mark = None
    assert asyncio.run(world.login()).methods == ("totp", "recovery_code")
    world.passkey()
    world.scorer.mark = 76.0
    assert asyncio.run(world.login()).methods == ("passkey",)


def test_near_high_a_code_is_not_looked_at(world: Any) -> None:
    """The true one is as wrong as every other, and unspent; the passkey is right."""
    secret = world.person(factor=True)
    proof = world.passkey()
    (code,) = with_recovery_codes(world, 1)
    token = challenge(world, 76.0)
    assert isinstance(answer(world, token, world.code(secret)), WrongCode)
    assert isinstance(answer(world, token, code, "recovery_code"), WrongCode)
    assert world.count("guesses") == 0
    assert claims(asyncio.run(world.show(token, proof))) == (["pwd", "pop", "user", "mfa"], "phr")


def test_somebody_elses_passkey_is_a_wrong_answer(world: Any) -> None:
    """However right its signature is; and what another request spent counts no more."""
    world.person()
    world.person("bob")
    mine, theirs = world.passkey(), world.passkey("bob")
    token = challenge(world)
    assert isinstance(asyncio.run(world.show(token, theirs)), WrongCode)
    spent = type(mine)(user_id="alice", is_user_verified=True, spend=lambda _: False)
    assert isinstance(asyncio.run(world.show(token, spent)), WrongCode)
    assert isinstance(asyncio.run(world.show(token, mine)), Allowed)


def test_a_mailed_code_answers_and_makes_nobody_strong(world: Any) -> None:
    """It is sent when it is asked for, and the session is of one factor."""
    world.person()
    with_mail(world)
    token = challenge(world)
    assert mailed(world) == []
    assert send(world, token) == CodeSent(expires_in=600)
    (code,) = mailed(world)
    assert claims(answer(world, token, f" {code[:4]} {code[4:]} ", "email_code")) == (["pwd", "mca"], "aal1")
    (line,) = world.audited("mail.sent")
    assert (line.rule, line.user_id) == ("email_code", "alice")


@pytest.mark.parametrize(("elapsed", "is_right"), [(599.9, True), (600.0, False)])
def test_a_mailed_code_is_good_for_ten_minutes(world: Any, elapsed: float, is_right: bool) -> None:
    """And the challenge, which would be over after five, waits for it."""
    world.person()
    with_mail(world)
    token = challenge(world)
    world.clock.advance(299)
    send(world, token)
    world.clock.advance(elapsed)
    assert isinstance(answer(world, token, mailed(world)[0], "email_code"), Allowed if is_right else ChallengeOver)


def test_a_mailed_code_is_for_its_own_challenge(world: Any) -> None:
    """Who began another login cannot use the code that was sent for this one, and a later code replaces it."""
    world.person()
    with_mail(world)
    first, second = challenge(world), challenge(world)
    send(world, first)
    assert isinstance(answer(world, second, mailed(world)[0], "email_code"), WrongCode)
    send(world, first)
    assert isinstance(answer(world, first, mailed(world)[0], "email_code"), WrongCode)
    assert isinstance(answer(world, first, mailed(world)[1], "email_code"), Allowed)


def test_three_codes_are_sent_for_a_challenge(world: Any) -> None:
    """The latest still counts then."""
    world.person()
    with_mail(world)
    token = challenge(world)
    assert [type(send(world, token)) for _ in range(4)] == [CodeSent, CodeSent, CodeSent, NoMoreCodes]
    assert isinstance(answer(world, token, mailed(world)[2], "email_code"), Allowed)


def test_ten_codes_are_sent_to_an_account_in_a_day(world: Any) -> None:
    """However many logins are begun; the day after there are more."""
    world.person()
    with_mail(world)
    sent = 0
    for _ in range(40):
        world.clock.advance(DAY / 41)
        world.throttle = type(world.throttle)()
        token = challenge(world)
        sent += sum(isinstance(send(world, token), CodeSent) for _ in range(3))
    assert 5 <= sent <= 10
    assert len(mailed(world)) == sent
    world.clock.advance(DAY)
    assert isinstance(send(world, challenge(world)), CodeSent)


@pytest.mark.parametrize("mark", [None, 76.0])
def test_no_code_is_mailed_where_none_is_taken(world: Any, mark: float | None) -> None:
    """Unscored and near high it would prove too little; it is not sent, and would not count."""
    world.person(factor=True)
    with_mail(world)
    world.passkey()
    token = challenge(world, mark)
    assert send(world, token) == NotByMail()
    assert mailed(world) == []


def test_the_operator_may_switch_mailed_codes_off(world: Any) -> None:
    """Then a person with nothing else is refused at medium risk."""
    world.policy = Policy(email_code=False)
    world.person()
    with_mail(world)
    world.scorer.mark = 70.0
    assert isinstance(asyncio.run(world.login()), Denied)
    world.enrol("alice")
    assert send(world, challenge(world)) == NotByMail()


@pytest.mark.parametrize("meanwhile", ["frozen", "not verified", "over", "no challenge"])
def test_nothing_is_mailed_for_a_login_that_cannot_be_finished(world: Any, meanwhile: str) -> None:
    """Nor to an address that is not verified any more."""
    world.person()
    with_mail(world)
    token = challenge(world)
    if meanwhile == "frozen":
        world.accounts.freeze("alice")
    elif meanwhile == "not verified":
        with world.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE users SET email_verified = 0")
    elif meanwhile == "over":
        world.clock.advance(300)
    else:
        token = "x" * 43
    assert send(world, token) in (ChallengeOver(), NotByMail())
    assert mailed(world) == []


def test_a_mailed_code_is_neither_in_the_database_nor_in_the_audit_trail(world: Any) -> None:
    """A copy of the file finishes nobody's login."""
    world.person()
    with_mail(world)
    send(world, challenge(world))
    (code,) = mailed(world)
    with world.database.engine.connect() as connection:
        dump = "\n".join(map(str, connection.connection.driver_connection.iterdump()))
    assert code not in dump
    assert code.encode().hex().upper() not in dump.upper()


def guess(world: Any, turn: int, kind: str, wrong: str) -> Any:
    """One wrong code in a new challenge from another address, as if no process had ever heard of a guess before."""
    world.throttle = type(world.throttle)()
    token = challenge(world, ip=f"203.0.113.{turn % 250}", device_id=f"dev-{turn}")
    return answer(world, token, wrong, kind, ip=f"203.0.113.{turn % 250}", device_id=f"dev-{turn}")


@pytest.mark.long
def test_of_a_thousand_guesses_in_a_day_fifty_are_looked_at(world: Any) -> None:
    """Over new logins, addresses, devices and restarts. Then the true codes are wrong too, and answered alike; the
    owner's passkey is right, and the day after the codes are."""
    secret = world.person(factor=True)
    with_mail(world)
    proof = world.passkey()
    (code,) = with_recovery_codes(world, 1)
    looks: list[str] = []
    proving_matches = type(world.proving)._matches

    def watched(self: Any, tx: Any, proof: Any, *rest: Any) -> bool:
        looks.append(proof.kind)
        return proving_matches(self, tx, proof, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(world.proving), "_matches", watched)
        for turn in range(1000):
            world.clock.advance(DAY / 1000)
            kind = ("totp", "recovery_code", "email_code")[turn % 3]
            assert isinstance(guess(world, turn, kind, f"{turn:08}"), WrongCode)
    counted = [looks.count(kind) for kind in ("totp", "recovery_code", "email_code")]
    assert 45 <= sum(counted) <= 50
    assert all(count <= most for count, most in zip(counted, (30, 10, 10), strict=True))
    wrong = guess(world, 0, "totp", "000000")
    world.throttle = type(world.throttle)()
    assert guess(world, 0, "totp", world.code(secret)) == wrong
    assert guess(world, 0, "recovery_code", code) == wrong
    world.throttle = type(world.throttle)()
    assert isinstance(asyncio.run(world.show(challenge(world), proof)), Allowed)
    world.clock.advance(DAY)
    assert isinstance(guess(world, 0, "totp", world.code(secret)), Allowed)
    assert isinstance(guess(world, 0, "recovery_code", code), Allowed)


def test_right_codes_use_up_nothing(world: Any) -> None:
    """Forty logins of a busy owner, each with a code."""
    secret = world.person(factor=True)
    for _ in range(40):
        world.clock.advance(60)
        assert isinstance(answer(world, challenge(world), world.code(secret)), Allowed)


def test_a_wait_for_codes_does_not_keep_a_passkey_waiting(world: Any) -> None:
    """Whoever guesses at the account cannot lock its owner out."""
    world.person(factor=True)
    proof = world.passkey()
    token = challenge(world)
    for _ in range(5):
        answer(world, token, "000000")
    token = challenge(world)
    assert isinstance(answer(world, token, "000000"), Throttled)
    assert isinstance(asyncio.run(world.show(token, proof)), Allowed)


def test_a_look_comes_back_with_time(world: Any) -> None:
    """One more after the part of a day that it weighs, at both sides of that moment."""
    secret = world.person(factor=True)
    for turn in range(15):
        guess(world, turn, "totp", "000000")
    began = world.clock.now()
    world.clock.advance(seconds_each(30) - 1)
    assert isinstance(guess(world, 0, "totp", world.code(secret)), WrongCode)
    world.clock.advance(began + seconds_each(30) + 1 - world.clock.now())
    assert isinstance(guess(world, 0, "totp", world.code(secret)), Allowed)


def test_posted_letters_say_what_they_are(world: Any) -> None:
    """The language of the account, and the address that was verified."""
    world.person()
    with_mail(world)
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET language = 'de'")
    send(world, challenge(world))
    with world.database.engine.connect() as connection:
        body = connection.exec_driver_sql("SELECT body FROM outbox WHERE endpoint = 'mail'").scalar_one()
    letter = msgspec.json.decode(world.vault.open(body, LETTER_PURPOSE), type=Posted).letter
    assert (letter.to, letter.kind, letter.language) == ("alice@example.com", "email_code", "de")
