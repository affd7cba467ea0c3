"""A link in a mail counts once, for its purpose and in its time, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from auth_gateway.adapters.storage.mail_links import StoredMailLinks
from auth_gateway.core.letter import LinkPurpose, MailLink
from plumbing.database import Database

NOW = 1_700_000_000.0
LINKS = StoredMailLinks()
LINK = MailLink(
    token_digest=b"\x00link",
    purpose="recover",
    user_id="alice",
    data=b"{}",
    created_at=NOW,
    expires_at=NOW + 1800,
)


@pytest.fixture
def kept(database: Database) -> Database:
    """A database with one link."""
    database.write_sync(lambda tx: LINKS.add(tx, LINK))
    return database


def used(database: Database, *, at: float = NOW, purpose: LinkPurpose = "recover", digest: bytes = b"\x00link") -> bool:
    return database.write_sync(lambda tx: LINKS.use(tx, digest, purpose, at))


def test_a_link_comes_back_as_it_was_put(kept: Database) -> None:
    """Every field, in its place; of an unknown secret there is none."""
    assert kept.read(lambda tx: LINKS.find(tx, LINK.token_digest)) == LINK
    assert kept.read(lambda tx: LINKS.find(tx, b"other")) is None


def test_a_link_is_used_once(kept: Database) -> None:
    """The second use finds nothing, and the link says when the first was."""
    assert [used(kept, at=NOW + 1), used(kept, at=NOW + 2)] == [True, False]
    found = kept.read(lambda tx: LINKS.find(tx, LINK.token_digest))
    assert found == msgspec.structs.replace(LINK, used_at=NOW + 1)


@pytest.mark.parametrize(("at", "is_used"), [(NOW + 1799.9, True), (NOW + 1800, False)])
def test_a_link_has_its_time(kept: Database, at: float, is_used: bool) -> None:
    """To the last moment, and not at its end."""
    assert used(kept, at=at) is is_used


def test_a_link_is_of_no_use_for_another_purpose(kept: Database) -> None:
    """And is not spent by the try."""
    assert [used(kept, purpose="was_this_you"), used(kept)] == [False, True]


def test_withdrawn_links_count_no_more(kept: Database) -> None:
    """Those of that person and purpose; others go on."""
    for digest, user, purpose in (
        (b"a", "alice", "was_this_you"),
        (b"b", "bob", "recover"),
        (b"c", "alice", "recover"),
    ):
        other = msgspec.structs.replace(LINK, token_digest=digest, user_id=user, purpose=purpose)
        kept.write_sync(lambda tx, other=other: LINKS.add(tx, other))  # type: ignore[misc]
    assert used(kept, digest=b"c")
    assert kept.write_sync(lambda tx: LINKS.withdraw(tx, "alice", "recover", NOW)) == 1
    assert [used(kept), used(kept, digest=b"a", purpose="was_this_you"), used(kept, digest=b"b")] == [False, True, True]


@pytest.mark.parametrize(("since", "sent"), [(NOW - 0.1, 1), (NOW, 0)])
def test_links_of_a_while_are_counted(kept: Database, since: float, sent: int) -> None:
    """Used ones among them, so that using them buys no more of them."""
    assert used(kept)
    assert kept.read(lambda tx: LINKS.sent_since(tx, "alice", "recover", since)) == sent
    assert kept.read(lambda tx: LINKS.sent_since(tx, "bob", "recover", since)) == 0


def test_old_links_are_cleared_away(kept: Database) -> None:
    """Once they have run out, used or not."""
    forgotten = [kept.write_sync(lambda tx, at=at: LINKS.forget_expired(tx, at)) for at in (NOW + 1800, NOW + 1801)]
    assert forgotten == [0, 1]


@pytest.mark.parametrize("clients", [2, 5, 20])
def test_of_many_who_use_a_link_at_once_one_has_it(kept: Database, clients: int, rounds: int) -> None:
    """Exactly one, each time."""
    with ThreadPoolExecutor(clients) as pool:
        for number in range(rounds):
            secret = f"link {number}".encode()
            kept.write_sync(lambda tx, s=secret: LINKS.add(tx, msgspec.structs.replace(LINK, token_digest=s)))  # type: ignore[misc]
            won = list(pool.map(lambda _, s=secret: used(kept, digest=s), range(clients)))  # type: ignore[misc]
            assert won.count(True) == 1
