"""What an owner answers to "Was this you?" reaches the real scorer, by the gateway's own way, and its next score of the
same circumstances is another one. Both services as the demo starts them, with a real mail server.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pyotp
import pytest

from demo.people import NEW_PHONE_ABROAD, USUAL, Attempt
from risk_scorer.contract.assessment import MEDIUM_FROM
from tests.house import RunningHouse, running_house
from tests.mail_server import MailServer, link_in, running_mail_server

HOME = USUAL.context
PHONE = {**NEW_PHONE_ABROAD.context, **{name: HOME[name] for name in ("country", "region", "city")}}
NEW_PHONE = Attempt("alice", USUAL.password, {**PHONE, "ip": "2001:db8:5::33"})
THIEF = Attempt("alice", USUAL.password, {**NEW_PHONE_ABROAD.context, "device_id": "somebody-elses"})
_numbers = count()


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with running_mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def owners(trained_models: Path, mail: MailServer) -> Iterator[RunningHouse]:
    """A house of its own, for its owner's account is locked at the end. Alice has a mailbox; codes are asked for up to
    the deny mark, so that her thief, who has talked one out of her, gets in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTP_URL", mail.url)
        patch.setenv("MAIL_FROM", "login@gateway.example")
        patch.setenv("LOGIN_POLICY_PHISHING_RESISTANT_FROM", "80")
        with running_house(trained_models.parent / "owners", trained_models) as house:
            file = house.house.workplace.state / "gateway" / "gateway.db"
            with closing(sqlite3.connect(file, timeout=10)) as connection, connection:
                connection.execute("UPDATE users SET email = username || '@example.com', email_verified = 1")
            yield house


def scored(house: RunningHouse, context: dict[str, str]) -> Any:
    """What the scorer says of Alice there, without a login."""
    event = {**context, "user_id": "alice", "timestamp": time.time(), "event_id": f"look-{next(_numbers)}"}
    with house.scorer() as client:
        return client.post("/score", json=event).raise_for_status().json()


def settled(house: RunningHouse, context: dict[str, str], is_awaited: Callable[[float], bool]) -> Any:
    """What the scorer says once it is what is waited for, and stays so: what teaches it arrives a little later."""
    last: list[float] = []
    for _ in range(150):
        found = scored(house, context)
        last = [*last[-4:], found["risk_score"]]
        if len(last) == 5 and len(set(last)) == 1 and is_awaited(last[0]):
            return found
        time.sleep(0.2)
    raise AssertionError(f"the scorer says {last}")


def let_in(house: RunningHouse, gateway: httpx2.Client, attempt: Attempt, later: int) -> None:
    """By password and the code of this half minute, or of the one after it."""
    begun = gateway.post("/login", json=attempt.body()).json()
    code = pyotp.TOTP(house.totp_secret).at(int(time.time()) + 30 * later)
    done = gateway.post("/login/complete", json={"challenge_id": begun["challenge_id"], "code": code})
    assert done.status_code == 200, done.text


def test_what_owners_say_changes_the_next_score(owners: RunningHouse, mail: MailServer) -> None:
    """A yes makes the phone an old acquaintance; a no makes the thief's circumstances those of a known attacker, and
    leaves the owner's home as it was."""
    with owners.gateway() as gateway:
        for _ in range(3):
            assert gateway.post("/login", json=USUAL.body()).json()["allowed"] is True
        unknown = settled(owners, NEW_PHONE.context, lambda points: points >= MEDIUM_FROM)["risk_score"]
        let_in(owners, gateway, NEW_PHONE, 0)
        learned = settled(owners, NEW_PHONE.context, lambda points: points < unknown)["risk_score"]
        assert gateway.post(link_in(mail.await_mail("New sign-in")), data={"answer": "yes"}).status_code == 200
        settled(owners, NEW_PHONE.context, lambda points: points < learned)

        stranger = settled(owners, THIEF.context, lambda points: points >= MEDIUM_FROM)["risk_score"]
        let_in(owners, gateway, THIEF, 1)
        settled(owners, THIEF.context, lambda points: points < stranger)
        assert gateway.post(link_in(mail.await_mail("New sign-in")), data={"answer": "no"}).status_code == 200
        known = settled(owners, THIEF.context, lambda points: points >= stranger)
        assert "confirmed_attacker" in known["explain"]["rules"]
        assert scored(owners, HOME)["risk_score"] < MEDIUM_FROM
        assert gateway.post("/login", json=USUAL.body()).status_code == 401
