"""What is kept of passwords is sealed, and people log in while the keys for it are exchanged."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from auth_gateway.adapters.sealed_passwords import bytes_of, is_sealed
from auth_gateway.core.imported import ImportedUser, Record
from auth_gateway.opening import CannotStart
from plumbing.refusals import Refused
from plumbing.vault import Vault
from tests.stories.gateway.pairs import Pair, all_at_once, running_pair
from tests.stories.gateway.story import PASSWORD, Story, running_story

NEW = "tidal-amber-cactus-97"
OLD_HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()


@pytest.fixture(params=["sqlite", "postgresql"])
def given(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The settings of each database."""
    if request.param == "sqlite":
        return {}
    return {"auth_gateway_database": request.getfixturevalue("postgresql_url")}


@pytest.fixture
def story(tmp_path: Path, given: dict[str, Any]) -> Iterator[Story]:
    with running_story(tmp_path / "state", **given) as story:
        yield story


def kept(story: Story, name: str = "bob") -> str:
    """As the table has it."""
    with story.gateway.database.engine.connect() as connection:
        (row,) = connection.exec_driver_sql(f"SELECT password_hash FROM users WHERE username = '{name}'")  # noqa: S608
        return str(row[0])


def keep(story: Story, text: str, name: str = "bob") -> None:
    """As an older release, or somebody who can write the table, leaves it."""
    assert "'" not in text
    with story.gateway.database.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE users SET password_hash = '{text}' WHERE username = '{name}'")  # noqa: S608


def opened(story: Story, name: str = "bob") -> str:
    return story.gateway.users.passwords.open(f"id-{name}", kept(story, name))


def lose_keys(story: Story) -> None:
    """A vault that never had the keys takes the place of ours; the files are gone as well."""
    for file in story.gateway.state.path.glob("sealing.key.*"):
        file.unlink()
    if story.gateway.database.engine.dialect.name == "postgresql":
        with story.gateway.database.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE sealing_keys SET sealed = NULL")
    story.gateway.vault._named = {}


def test_a_hash_in_the_clear_verifies_and_is_sealed_at_the_login(story: Story) -> None:
    """Of the same password, under the same version; a wrong password and a frozen account's seal nothing."""
    for name in ("bob", "frozen"):
        keep(story, opened(story, name), name)
    assert story.login("bob", "wrong").status_code == story.login("frozen").status_code == 401
    assert not is_sealed(kept(story))
    assert not is_sealed(kept(story, "frozen"))
    clear = kept(story)
    assert story.login("bob").status_code == 200
    assert (is_sealed(kept(story)), opened(story)) == (True, clear)
    sealed = kept(story)
    assert story.login("bob").status_code == 200
    assert kept(story) == sealed


def test_a_run_seals_those_who_never_log_in(story: Story) -> None:
    """Whatever they were imported with; they log in with it afterwards."""
    keep(story, OLD_HASH)
    story.gateway.resealing()
    assert (is_sealed(kept(story)), opened(story)) == (True, OLD_HASH)
    assert story.login("bob").status_code == 200
    assert opened(story).startswith("$argon2id$")


def test_every_way_in_seals(story: Story) -> None:
    """An import, a command, a new account; the first key alone opens nothing after an exchange."""
    gateway = story.gateway
    gateway.imports([Record(place="1", user=ImportedUser(username="dora", password_hash=OLD_HASH, user_id="id-dora"))])
    gateway.accounts.set_password("bob", NEW)
    assert [is_sealed(kept(story, name)) for name in ("alice", "bob", "dora")] == [True] * 3
    before = kept(story, "dora")
    gateway.resealing()
    assert before != kept(story, "dora")
    assert (story.login("dora").status_code, story.login("bob", NEW).status_code) == (200, 200)
    first = type(gateway.users.passwords)(Vault(gateway.state.secret("vault.key")))
    assert first.open("id-dora", before) == OLD_HASH
    with pytest.raises(Refused, match="sealing_key_missing"):
        first.open("id-bob", kept(story))


def test_a_password_that_changes_meanwhile_is_not_overwritten(story: Story) -> None:
    """Neither by a run that had read the one before, nor by a better hash of it; either order."""
    gateway, users = story.gateway, story.gateway.users
    resealing = gateway.resealing
    (value,) = (
        one for one in gateway.database.read(lambda tx: resealing._after("users", "", tx)) if one.key == "id-bob"
    )
    before, anew = kept(story), gateway.vault.seal(b"$what was", "password-hash:id-bob")
    gateway.accounts.set_password("bob", NEW)
    changed = kept(story)
    assert gateway.database.write_sync(lambda tx: resealing.sealed.replace(tx, value, anew)) is False
    upgrade = {"expected_hash": before, "new_hash": "$better"}
    assert gateway.database.write_sync(lambda tx: users.upgrade_hash(tx, "id-bob", **upgrade)) is False
    assert kept(story) == changed
    gateway.resealing()
    upgrade["expected_hash"] = changed
    assert gateway.database.write_sync(lambda tx: users.upgrade_hash(tx, "id-bob", **upgrade)) is False
    assert story.login("bob", NEW).status_code == 200


@pytest.mark.parametrize(
    "change", [lambda text: text[:-8], lambda text: text[:20] + "!" + text[21:], lambda _: "sealed:"]
)
def test_what_was_cut_or_altered_opens_nothing(tmp_path: Path, change: Any) -> None:
    """Nobody is told that the password was wrong, since nobody knows."""
    with running_story(tmp_path / "state") as story:
        keep(story, change(kept(story)))
        answer = story.login("bob")
        assert (answer.status_code, answer.json()["error"]) == (503, "sealing_key_missing")


def test_another_ones_hash_does_not_open_in_its_place(story: Story) -> None:
    """Whoever can write the table cannot give an account the password of theirs."""
    story.gateway.accounts.set_password("alice", NEW)
    keep(story, kept(story, "alice"))
    assert story.login("bob", NEW).status_code == 503
    assert story.login("alice", NEW).status_code == 200


def test_a_lost_key_is_no_wrong_password(
    story: Story, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """503 however often, for names that nobody has as well; nobody is locked out; `/ready` and the log say why, and
    all is well once the file is back."""
    story.gateway.resealing()
    assert story.ask("GET", "/ready").status_code == 200
    file = story.gateway.state.path / "sealing.key.1"
    shutil.copy(file, file.with_name("saved"))
    lose_keys(story)
    ready = story.ask("GET", "/ready")
    assert ready.status_code == 503
    assert ready.json()["checks"] == {"database": True, "storage": True, "keys": False}
    for name in ("bob", "nobody", "frozen") * 4:
        answer = story.login(name, PASSWORD)
        assert (answer.status_code, answer.json()["error"]) == (503, "sealing_key_missing"), name
    # Where it goes depends on whether a command has set up logging in this process before.
    assert "password_cannot_be_opened" in capsys.readouterr().out + caplog.text
    assert [kind for kind, _ in story.audited()].count("login.failed") == 0
    file.with_name("saved").rename(file)
    assert story.ask("GET", "/ready").status_code == 200
    assert (story.login("bob").status_code, story.login("nobody").status_code) == (200, 401)


def test_a_database_of_passwords_alone_needs_its_key(tmp_path: Path) -> None:
    """Before there is any key that signs: the key is not silently made anew."""
    with running_story(tmp_path / "state") as story:
        state = story.gateway.state.path
        with story.gateway.database.engine.begin() as connection:
            for table in ("signing_keys", "totp_factors"):
                connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
    (state / "vault.key").unlink()
    with pytest.raises(CannotStart, match=r"vault\.key is missing"), running_story(state):
        pass


def logins_during(pair: Pair, exchanges: int) -> list[int]:
    """The answers to logins at both gateways while each of them exchanges the key in its turn."""
    statuses: list[int] = []

    def exchange() -> None:
        for number in range(exchanges):
            pair[number % 2].gateway.resealing()

    exchanging = threading.Thread(target=exchange)
    exchanging.start()
    turns = 0
    while exchanging.is_alive() or turns < 4:
        people = [f"person{(turns * 3 + number) % 12}" for number in range(6)]
        requests = [{"url": "/login", "json": {"username": name, "password": NEW}} for name in people]
        statuses += [answer.status_code for answer in all_at_once(pair, requests)]
        turns += 1
    exchanging.join(60)
    return statuses


@pytest.mark.parametrize("is_old", [False, True], ids=["sealed", "clear-and-old"])
def test_nobody_is_refused_while_keys_are_exchanged(
    tmp_path: Path, given: dict[str, Any], is_old: bool, is_long: bool
) -> None:
    """Several times in a row at either gateway, while better hashes of the same people are written."""
    exchanges = 20 if is_long else 3
    with running_pair(tmp_path / "state", **given) as pair:
        here = pair[0].gateway
        for number in range(12):
            here.accounts.add(f"person{number}", NEW, user_id=f"id-person{number}")
            if is_old:
                keep(pair[0], bcrypt.hashpw(NEW.encode(), bcrypt.gensalt(4)).decode(), f"person{number}")
        statuses = logins_during(pair, exchanges)
        assert set(statuses) == {200}, statuses
        here.resealing()
        assert all(here.vault.is_sealed_now(*_sealed(pair[0], f"person{number}")) for number in range(12))
        assert [story.login("person3", NEW).status_code for story in pair] == [200, 200]
        assert pair[0].login("person3", "wrong").status_code == 401


def _sealed(story: Story, name: str) -> tuple[bytes, str]:
    return bytes_of(kept(story, name)), f"password-hash:id-{name}"
