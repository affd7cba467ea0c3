"""After whole stories the database, its journal, the outbox and the log hold nothing that would open anything."""

import asyncio
import base64
import html
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import inspect

from auth_gateway.wiring import passkeys
from tests.mail_server import MailServer, link_in, running_mail_server, text_of
from tests.soft_authenticator import SoftAuthenticator, bytes_of
from tests.stories.gateway.account_pages import AccountBrowser
from tests.stories.gateway.letters import with_address
from tests.stories.gateway.relying_party import ISSUER, Browser, redeem, registered, returned
from tests.stories.gateway.story import PASSWORD, Story, running_story

NEW = "correct horse battery staple"
KEY_FILES = {"vault.key", "sealing.key"}
NOT_OURS = {"mail.log", "httpx2"}
"""What the test's own mail server and the people's own browser write down."""
_HASH = re.compile(rb"\$(?:argon2|2[abxy]|pbkdf2|scrypt)[^\s\x00]*\$[A-Za-z0-9+/.]{22,}")
"""A password's hash with its salt, which somebody could try passwords against."""
_CHALLENGE = re.compile(r'data-options="([^"]+)"')


@dataclass
class Secrets:
    """What somebody could open something with, by a name that a failure can say."""

    known: dict[str, set[bytes]] = field(default_factory=dict)

    def add(self, name: str, *values: str | bytes) -> None:
        """All of them in each form that a table or a line would hold them in."""
        for value in values:
            raw = value.encode() if isinstance(value, str) else value
            forms = {
                raw,
                raw.hex().encode(),
                base64.b64encode(raw).rstrip(b"="),
                base64.urlsafe_b64encode(raw).rstrip(b"="),
            }
            self.known.setdefault(name, set()).update(forms)

    def found_in(self, held: bytes) -> list[str]:
        return sorted(name for name, forms in self.known.items() if any(form in held for form in forms))


@dataclass
class Kept:
    """A story, its mail server and what must not be kept."""

    story: Story
    mail: MailServer
    secret: str
    secrets: Secrets = field(default_factory=Secrets)

    def taken(self, subject: str) -> Any:
        return self.mail.await_mail(subject, pause=lambda seconds: self.story.runner.run(asyncio.sleep(seconds)))

    def link(self, subject: str) -> str:
        path = urlsplit(link_in(self.taken(subject))).path
        self.secrets.add(f"link of {subject}", path.rpartition("/")[2])
        return path

    def cookies(self, browser: Browser) -> None:
        for name, value in browser.cookies.items():
            self.secrets.add(f"cookie {name}", *value.split("."))

    def challenge(self, browser: Browser) -> str:
        """What the page asks a passkey; the question is a secret until it was answered."""
        assert browser.page is not None
        options = html.unescape(_CHALLENGE.findall(browser.page.text)[0])
        challenge = re.search(r'"challenge": ?"([^"]+)"', options)
        assert challenge is not None, options
        self.secrets.add("passkey challenge", challenge[1], bytes_of(challenge[1]))
        return options


@pytest.fixture(params=["sqlite", "postgresql"])
def kept(request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Kept]:
    """A provider with a mail server, on each database."""
    caplog.set_level(logging.DEBUG)
    given: dict[str, Any] = {"jwt_issuer": ISSUER, "risk_api_credential": "rgs_test"}
    if request.param == "postgresql":
        given["auth_gateway_database"] = request.getfixturevalue("postgresql_url")
    with running_mail_server() as mail:
        given |= {"smtp_url": mail.url, "mail_from": "login@gateway.example"}
        with running_story(tmp_path / "state", **given) as story:
            for name in ("alice", "bob"):
                with_address(story, f"id-{name}", f"{name}@example.com")
            yield Kept(story, mail, registered(story))


def seeds_and_codes(kept: Kept) -> AccountBrowser:
    """Bob enrols an authenticator and Alice makes recovery codes and a passkey."""
    secrets, bob, alice = kept.secrets, AccountBrowser(kept.story), AccountBrowser(kept.story)
    bob.enter("bob", "/authenticator")
    secrets.add("offer", bob.offer())
    for name, seed in (("bob", bob.secret()), ("alice", kept.story.totp_secret)):
        secrets.add(f"seed of {name}", seed, base64.b32decode(seed + "=" * (-len(seed) % 8)))
    assert "is set up" in bob.send("/authenticator", offer=bob.offer(), code=bob.new_code()).text
    page = alice.strong("/recovery-codes")
    shown = alice.send("/recovery-codes", once=page.text.split('name="once" value="')[1].split('"')[0]).text
    codes = [part.split("<")[0] for part in shown.split("<li><code>")[1:]]
    assert len(codes) == 10
    for code in codes:
        bare = code.replace("-", "")
        secrets.add("recovery code", code, code.upper(), bare, bare.upper())
    for browser in (bob, alice):
        kept.cookies(browser)
    used = AccountBrowser(kept.story)
    kept.story.scorer.score = 65.0
    used.enter("alice", "/passkeys")
    used.post(choose="recovery_code")
    assert used.post(code=codes[0], method="recovery_code", trust="yes").status_code == 200
    kept.cookies(used)
    return used


def by_passkey(kept: Kept, maker: AccountBrowser) -> None:
    """A passkey is made and signs in."""
    key = SoftAuthenticator(origin=ISSUER, rp_id="id.example")
    assert (
        "The passkey is added" in maker.send("/passkeys", credential=key.create(kept.challenge(maker)), name="K").text
    )
    registration = passkeys.registration(kept.story.gateway)
    assert registration is not None
    mine = key.but(user_handle=registration.ceremonies.handle("id-alice"), count=2)
    browser = Browser(kept.story)
    browser.authorize(scope="openid offline_access")
    answer = returned(browser.post(credential=mine.get(kept.challenge(browser))))
    kept.cookies(browser)
    kept.secrets.add("authorization code", answer["code"])
    tokens = redeem(kept.story, answer["code"], secret=kept.secret).json()
    kept.secrets.add("token", *(tokens[name] for name in ("access_token", "refresh_token", "id_token")))


def by_mail(kept: Kept) -> None:
    """A code by mail, a question by mail, a new password by mail; each link once left waiting and once used."""
    story, secrets = kept.story, kept.secrets
    story.scorer.new = ("device",)
    story.clock.advance(31)
    challenge = story.login("bob").json()["challenge_id"]
    secrets.add("challenge", challenge)
    assert story.ask("POST", "/login/email-code", json={"challenge_id": challenge}).status_code == 200
    (shown,) = re.findall(r"code is (\d{4}\D?\d{4})\.", text_of(kept.taken("Your code")))
    code = re.sub(r"\D", "", shown)
    secrets.add("mailed code", code, shown)
    body = {"challenge_id": challenge, "code": code, "method": "email_code"}
    done = story.ask("POST", "/login/complete", json=body).json()
    secrets.add("token", done["tokens"]["access_token"], done["tokens"]["refresh_token"])
    link = kept.link("New sign-in")
    assert "locked" in story.ask("POST", link, data={"answer": "no"}).text
    form = story.ask("GET", "/recover")
    csrf = re.search(r'name="csrf" value="([^"]+)"', form.text)
    assert csrf is not None
    asked = {"csrf": csrf[1], "card": "recover", "named": "alice"}
    story.ask("POST", "/recover", data=asked, headers={"cookie": form.headers["set-cookie"].partition(";")[0]})
    link = kept.link("Set a new password")
    page = story.ask("POST", link, data={"card": "factor", "method": "totp", "code": story.code()})
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket is not None, page.text
    secrets.add("ticket", ticket[1])
    done_page = story.ask("POST", link, data={"card": "password", "password": NEW, "ticket": ticket[1]})
    assert "Your password is set" in done_page.text


def held(story: Story) -> bytes:
    """Every cell of every table, and every file beside them but the keys themselves."""
    engine, cells = story.gateway.database.engine, []
    with engine.connect() as connection:
        for table in inspect(engine).get_table_names():
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}"):  # noqa: S608 - our own tables
                cells += [bytes(cell) if isinstance(cell, bytes | memoryview) else str(cell).encode() for cell in row]
    state = story.gateway.settings.auth_gateway_state
    files = [file.read_bytes() for file in state.rglob("*") if file.is_file() and file.name not in KEY_FILES]
    return b"\n".join([*cells, *files])


def test_nothing_that_opens_anything_is_kept(
    kept: Kept, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Seeds, codes, links, cookies, questions to passkeys, tickets, tokens, passwords: in no form that can be read."""
    kept.secrets.add("password", PASSWORD, NEW)
    kept.secrets.add("client secret", kept.secret)
    by_passkey(kept, seeds_and_codes(kept))
    by_mail(kept)
    at_rest = held(kept.story)
    for proof_of_reading in (b"factor.enrolled", b"was_this_you", b"sign_in.reported", b"id-alice"):
        assert proof_of_reading in at_rest
    assert kept.secrets.found_in(at_rest) == []
    assert _HASH.findall(at_rest) == []
    out, err = capfd.readouterr()
    lines = [record.getMessage() for record in caplog.records if record.name not in NOT_OURS]
    assert "login.challenged" in out  # the lines of decisions are among what is read
    assert kept.secrets.found_in("\n".join((*lines, out, err)).encode()) == []
    assert kept.secrets.found_in(kept.story.app.state.watching.meters.exposition()) == []
    assert len(kept.secrets.known) >= 15
    print(sorted(kept.secrets.known))


def test_the_search_finds_what_is_there(kept: Kept) -> None:
    """A cookie in a column, a seed in hexadecimal: each would be found."""
    kept.secrets.add("seed", b"0123456789abcdefghij")
    assert kept.secrets.found_in(b"x" + b"0123456789abcdefghij".hex().encode()) == ["seed"]
    with kept.story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET display_name = '0123456789abcdefghij'")
    assert kept.secrets.found_in(held(kept.story)) == ["seed"]
    stored_hash = kept.story.gateway.hasher.hash(PASSWORD)
    with kept.story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE users SET password_hash = '{stored_hash}'")  # noqa: S608
    assert stored_hash.encode() in _HASH.findall(held(kept.story))
