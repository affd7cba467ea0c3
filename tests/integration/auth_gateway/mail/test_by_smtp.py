"""Letters reach a real mail server, once at least, however it behaves; what it refuses for good stays and says why."""

import asyncio
import re
import time
from typing import Any

import pytest

from auth_gateway.core.letter import Letter
from tests.ports import free_port
from webhooks.delivery import Pace

pytestmark = pytest.mark.anyio

LINK = "https://login.example/link/0123456789"
LETTER = Letter(
    to="alice@example.com",
    kind="recover",
    language="de",
    values={"name": "Alice Übermut", "username": "alice", "link": LINK},
)


async def test_a_letter_arrives_as_text_and_as_html(mail: Any) -> None:
    """From the operator's sender to the person alone, in their language, with the link in both forms."""
    postbox = mail.Postbox()
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER)
        await mail.until_delivered()
    got = postbox.mail()
    assert (got["From"], got["To"]) == ("Login <login@gateway.example>", "alice@example.com")
    assert got["Subject"] == "Neues Passwort bei Häuser & Co setzen"
    assert (got["Message-ID"], got["Auto-Submitted"]) == ("<msg_1@gateway.example>", "auto-generated")
    text, html = (got.get_body((kind,)).get_content() for kind in ("plain", "html"))
    assert "Guten Tag Alice Übermut," in text
    assert LINK in text.splitlines()
    assert f'<a href="{LINK}">' in html
    assert "Häuser &amp; Co" in html
    assert postbox.recipients == [["alice@example.com"]]
    assert (mail.fate().attempts, mail.fate().last_status) == (1, 250)


async def test_nothing_of_a_letter_stands_in_the_database(mail: Any) -> None:
    """Neither its link nor whom it is for, while it waits and afterwards."""
    postbox = mail.Postbox()
    await mail.post(LETTER)
    before = mail.bodies()
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.until_delivered()
    for held in (before, mail.bodies()):
        assert held
        for secret in (b"0123456789", b"alice", b"link"):
            assert secret not in held


async def test_a_letter_to_nobody_is_not_kept(mail: Any) -> None:
    """Somebody without an address gets none."""
    await mail.post(Letter(to="", kind="recover"))
    assert mail.bodies() == b""


async def test_tls_is_begun_before_anything_is_said(mail: Any, authority: Any) -> None:
    """The name and the password pass inside it."""
    postbox = mail.Postbox()
    async with (
        mail.serving(postbox, tls_context=authority.server, require_starttls=True, auth_required=True) as port,
        mail.sending(
            mail.by_smtp(port, must_start_tls=True, tls=authority.client, user=mail.USER, password=mail.PASSWORD)
        ),
    ):
        await mail.post(LETTER)
        await mail.until_delivered()
    assert (postbox.were_encrypted, postbox.users) == ([True], [mail.USER])


async def test_a_connection_may_begin_with_tls(mail: Any, authority: Any) -> None:
    """`smtps://`."""
    postbox = mail.Postbox()
    async with (
        mail.serving(postbox, implicit_tls=authority.server) as port,
        mail.sending(mail.by_smtp(port, begins_with_tls=True, tls=authority.client)),
    ):
        await mail.post(LETTER)
        await mail.until_delivered()
    assert len(postbox.taken) == 1


async def test_a_server_without_tls_gets_nothing_where_tls_is_needed(mail: Any) -> None:
    """Whoever takes the offer of TLS out on the way reads no letter; it waits."""
    postbox = mail.Postbox()
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port, must_start_tls=True)):
        await mail.post(LETTER)
        await mail.until(lambda: mail.fate().last_error is not None)
    assert (postbox.taken, postbox.commands, mail.fate().dead_at) == ([], 0, None)


async def test_a_server_that_nobody_vouches_for_gets_nothing(mail: Any, authority: Any) -> None:
    """Its certificate is looked at."""
    postbox = mail.Postbox()
    async with (
        mail.serving(postbox, tls_context=authority.server) as port,
        mail.sending(mail.by_smtp(port, must_start_tls=True, user=mail.USER, password=mail.PASSWORD)),
    ):
        await mail.post(LETTER)
        await mail.until(lambda: mail.fate().last_error is not None)
    assert (postbox.taken, postbox.users, mail.fate().dead_at) == ([], [], None)


async def test_a_wrong_password_is_no_fault_of_the_letter(mail: Any, authority: Any) -> None:
    """It waits for the operator to set the right one."""
    postbox = mail.Postbox()
    secure = {"must_start_tls": True, "tls": authority.client, "user": mail.USER}
    async with mail.serving(postbox, tls_context=authority.server, auth_required=True) as port:
        async with mail.sending(mail.by_smtp(port, **secure, password="another")):
            await mail.post(LETTER)
            await mail.until(lambda: mail.fate().last_status == 535)
        assert (mail.fate().dead_at, postbox.taken) == (None, [])
        async with mail.sending(mail.by_smtp(port, **secure, password=mail.PASSWORD)):
            await mail.until_delivered()
    assert "another" not in (mail.fate().last_error or "")


@pytest.mark.parametrize("at", ["says_to_recipient", "says_to_content"])
async def test_a_server_that_says_later_is_asked_again(mail: Any, at: str) -> None:
    """4xx: the letter waits, and arrives when the server takes it."""
    postbox = mail.Postbox(**{at: "451 Try later"})
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER)
        await mail.until(lambda: mail.fate().attempts >= 2)
        assert (mail.fate().last_status, mail.fate().dead_at) == (451, None)
        setattr(postbox, at, "250 OK")
        await mail.until_delivered()
    assert len(postbox.taken) == 1


@pytest.mark.parametrize(
    ("at", "problem"),
    [("says_to_recipient", "recipient_refused_550"), ("says_to_content", "content_refused_550")],
)
async def test_a_mail_that_is_refused_for_good_is_not_sent_again(mail: Any, at: str, problem: str) -> None:
    """5xx about this very mail: one attempt, the row stays and says why; the next letter goes out."""
    postbox = mail.Postbox(**{at: "550 alice@example.com is nobody here"})
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER)
        await mail.until_dead()
        setattr(postbox, at, "250 OK")
        await mail.post(LETTER, "2")
        await mail.until_delivered("2")
    assert (mail.fate().attempts, mail.fate().last_error) == (1, problem)
    assert len(postbox.taken) == 1


@pytest.mark.parametrize("at", ["RCPT", "DATA"])
async def test_a_server_that_hangs_costs_its_deadline(mail: Any, at: str) -> None:
    """And the letter arrives once it answers again."""
    postbox = mail.Postbox(hangs_at=at)
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER)
        await mail.until(lambda: mail.fate().last_error == "timeout")
        postbox.hangs_at = ""
        await mail.until_delivered()
    assert len(postbox.taken) == 1


async def test_a_port_that_says_nothing_costs_its_deadline(mail: Any) -> None:
    """A connection without a greeting is no mail server."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER)
        await mail.until(lambda: mail.fate().last_error == "timeout")
    server.close()
    assert mail.fate().dead_at is None


async def test_letters_wait_for_a_server_that_is_away(mail: Any) -> None:
    """Ten of them, and when it is back each arrives."""
    port = free_port()
    postbox = mail.Postbox()
    async with mail.sending(mail.by_smtp(port)):
        for number in range(10):
            await mail.post(LETTER, str(number))
        await mail.until(lambda: all(mail.fate(str(number)).attempts >= 2 for number in range(10)))
        async with mail.serving(postbox, port=port):
            await mail.until(lambda: all(mail.fate(str(n)).delivered_at is not None for n in range(10)))
    ids = {postbox.mail(number)["Message-ID"] for number in range(10)}
    assert ids == {f"<msg_{number}@gateway.example>" for number in range(10)}


async def test_a_letter_is_sent_again_after_a_sudden_end(mail: Any) -> None:
    """Whoever took it on and died before it was marked has lost nothing: it goes out when the lease ends."""
    postbox = mail.Postbox(hangs_at="DATA")
    pace = Pace(first_retry=0.05, longest_retry=0.4, deadline=1.0, lease=1.2, poll=0.2)
    short = Pace(first_retry=0.05, longest_retry=0.4, deadline=0.3, lease=0.4, poll=0.2)
    async with mail.serving(postbox) as port:
        await mail.post(LETTER)
        async with mail.sending(mail.by_smtp(port), pace=pace):
            await mail.until(lambda: postbox.commands == 1)
        postbox.hangs_at = ""
        async with mail.sending(mail.by_smtp(port), pace=short):
            await mail.until(lambda: mail.fate().delivered_at is not None, seconds=10.0)
    assert (mail.fate().attempts, len(postbox.taken)) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "seconds", "is_sent"),
    [("recover", 1_799, True), ("recover", 1_801, False), ("email_code", 601, False), ("password_changed", 9e4, True)],
)
async def test_what_is_over_is_not_sent(mail: Any, kind: Any, seconds: float, is_sent: bool) -> None:
    """A server that was away for an hour brings nobody a link or a code that no longer works."""
    postbox = mail.Postbox()
    values = {"name": "Alice", "username": "alice", "code": "12345678", "at": "1800000000"}
    values |= {"link": LINK} if kind == "recover" else {}
    letter = Letter(to="alice@example.com", kind=kind, values=values)
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(letter, at=time.time() - seconds)
        await mail.until(lambda: mail.fate().delivered_at or mail.fate().dead_at)
    assert len(postbox.taken) == is_sent
    assert mail.fate().last_error == (None if is_sent else "too_late")


HOSTILE = "Eve\r\nBcc: everybody@example.com\r\n\r\nhttps://evil.example\x00\u2028\u202e"


@pytest.mark.parametrize("to", ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "a b@c.d", "@"])
async def test_what_is_no_address_gets_no_mail(mail: Any, to: str) -> None:
    """It ends at once and never reaches the server."""
    postbox = mail.Postbox()
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(Letter(to=to, kind="recover", values=LETTER.values))
        await mail.until_dead()
    assert (postbox.commands, mail.fate().last_error) == (0, "bad_address")


async def test_what_people_are_called_adds_no_header_and_no_line(mail: Any) -> None:
    """One recipient, our own headers, and the name on its own line."""
    postbox = mail.Postbox()
    values = {"name": HOSTILE, "username": HOSTILE}
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(Letter(to="alice@example.com", kind="already_registered", values=values))
        await mail.until_delivered()
    got = postbox.mail()
    assert postbox.recipients == [["alice@example.com"]]
    assert "Bcc" not in got
    text = got.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert re.search(r"^Hello EveBcc: everybody@example\.comhttps://evil\.example,$", text, re.MULTILINE)


async def test_what_nobody_can_open_ends(mail: Any) -> None:
    """A row that was altered, or sealed under a lost key, does not hold up the others."""
    postbox = mail.Postbox()
    await mail.post(LETTER)
    with mail.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE outbox SET body = x'00112233445566778899aabbccddeeff'")
    async with mail.serving(postbox) as port, mail.sending(mail.by_smtp(port)):
        await mail.post(LETTER, "2")
        await mail.until_delivered("2")
        await mail.until_dead()
    assert mail.fate().last_error == "unsealable"
