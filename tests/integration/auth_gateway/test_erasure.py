"""`auth-gateway users erase`: nothing of a person is left in any table but lines that name nobody."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Boolean, Float, Integer, LargeBinary, Table, bindparam, insert, select
from typer.testing import CliRunner

from auth_gateway.adapters.storage.erasure import DELETED, ERASED, NOBODYS
from auth_gateway.adapters.storage.streams import StoredStreams
from auth_gateway.adapters.storage.tables import metadata
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.cli import commands
from auth_gateway.core.destination import Destination
from auth_gateway.core.letter import LETTER_PURPOSE, MAIL_ENDPOINT
from auth_gateway.core.provider.client import RegisteredClient
from auth_gateway.core.ssf.event_types import ACCOUNT_PURGED
from auth_gateway.core.ssf.stream import POLL, Stream
from auth_gateway.core.ssf.subject import by_id, covered
from auth_gateway.flows.erasure import AGAIN_SECONDS
from auth_gateway.receivers import endpoints_of
from auth_gateway.settings import Settings, load_settings
from auth_gateway.telling import SUBJECTS_PURPOSE, listeners
from auth_gateway.wiring.erasing import erase_account
from plumbing.refusals import Refused
from plumbing.statements import Statement
from webhooks.endpoint import Endpoint

ALICE, BOB = "id-alice-4711", "id-bob-0815"
MARKS = {ALICE: ("alice.of.wonderland", "alice@mirror.example"), BOB: ("bob", "bob@mirror.example")}
TOLD = {"person.erase", "account.erased", "logout"}
"""Messages that say by their id whom others are to forget; they go once they are delivered and old."""


@pytest.fixture
def gateway(database_url: str, tmp_path: Path) -> Iterator[Gateway]:
    given = {"auth_gateway_database": database_url} if database_url.startswith("postgresql") else {}
    settings = load_settings(
        auth_gateway_state=tmp_path / "state",
        jwt_issuer="https://id.example",
        risk_api_credential="rgs_" + "x" * 40,
        **given,
    )
    opened = assemble(settings)
    yield opened
    opened.close()


def fill(gateway: Gateway, user_id: str) -> None:
    """A row of the person in every table that erasure knows, whatever its columns are, each text saying their name."""
    username, email = MARKS[user_id]
    gateway.accounts.add(username, "tidal-amber-cactus-97", user_id=user_id, email=email)
    for table in metadata.sorted_tables:
        if table.name in ERASED - {"users", "stream_subjects"}:
            values = {column.name: value_of(table, column.name, user_id) for column in table.columns}
            if table.name in {"audit", "user_risk_history"}:
                values.pop("seq")
            adding = Statement(insert(table).values({name: bindparam(name) for name in values}))
            gateway.database.write_sync(lambda tx, adding=adding, values=values: tx.run(adding, **values))  # type: ignore[misc]


def value_of(table: Table, name: str, user_id: str) -> Any:
    """A value of that column that leads to the person, or says who they are."""
    username, email = MARKS[user_id]
    keys = {
        "user_id": user_id,
        "session_id": f"session-{user_id}",
        "family_id": f"family-{user_id}",
        "event_id": f"evt_{len(user_id)}",
        "rule": "quiet",
        "level": "low",
        "model_version": "model-1",
        "facts": msgspec.json.encode({"username": username, "user_agent": "Firefox", "device": "d1"}),
        "body": msgspec.json.encode({"data": {"user_id": user_id}}),
        "message_id": f"msg_of_{user_id}",
        "request": msgspec.json.encode({"login_hint": email.upper()}),
        "challenge_digest": f"pending_logins.token_digest {user_id}".encode(),
        "traceparent": None,
        "kind": "login.allowed",
        "decision": "allow",
        "client_id": "web",
    }
    column = table.columns[name]
    if name in keys:
        return keys[name]
    if isinstance(column.type, LargeBinary):
        return f"{table.name}.{name} {user_id}".encode()
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Integer | Float):
        return 1
    return f"{table.name} {name} {username} {email}"


def places_of(gateway: Gateway, user_id: str) -> set[str]:
    """Every column that has their id, name or address, of whichever table."""
    found, names = set(), [user_id, *MARKS[user_id]]
    for table in metadata.sorted_tables:
        for row in gateway.database.read(lambda tx, table=table: tx.all(Statement(select(table)))):  # type: ignore[misc]
            for column, value in zip(table.columns, row, strict=True):
                seen = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                if any(name.encode() in seen.lower() for name in names):
                    found.add(f"{table.name}.{column.name}")
    return found


def outbox_of(gateway: Gateway) -> list[tuple[str, str, bytes, float]]:
    outbox = metadata.tables["outbox"]
    columns = (outbox.c.endpoint, outbox.c.event_type, outbox.c.body, outbox.c.next_attempt_at)
    return gateway.database.read(lambda tx: [(a, b, bytes(c), d) for a, b, c, d in tx.all(Statement(select(*columns)))])


def test_every_table_is_either_searched_or_nobodys() -> None:
    """A table that is new is one where a person may be left: say in which of the two lists it belongs."""
    names = {table.name for table in metadata.sorted_tables}
    assert names == ERASED | NOBODYS
    assert not ERASED & NOBODYS
    telling = {"user_id", "username", "email", "ip", "user_agent", "device_digest", "display_name", "session_id"}
    for table in metadata.sorted_tables:
        if table.name in NOBODYS:
            assert not telling & set(table.columns.keys()), table.name


def test_nothing_of_an_erased_person_is_left_in_any_table(gateway: Gateway) -> None:
    """But the messages that say whom to forget; another person loses nothing."""
    for user_id in (ALICE, BOB):
        fill(gateway, user_id)
    before = places_of(gateway, BOB)
    assert {name.partition(".")[0] for name in places_of(gateway, ALICE)} >= ERASED - {"stream_subjects"}
    done = erase_account(gateway)(MARKS[ALICE][0])
    left = [body for _, kind, body, _ in outbox_of(gateway) if kind not in TOLD]
    assert places_of(gateway, ALICE) == {"outbox.body"}
    assert all(ALICE.encode() not in body for body in left)
    assert places_of(gateway, BOB) == before
    assert done.is_scorer_told


def test_a_gateway_that_knows_nothing_of_leeway_erases_people_who_have_some(gateway: Gateway) -> None:
    """While an older release still serves on the newer schema, its deletions find no key in their way."""
    for user_id in (ALICE, BOB):
        fill(gateway, user_id)
    older = [statement for table, statement in DELETED if table.name != "leeway"]
    gateway.database.write_sync(lambda tx: [tx.run(statement, person=ALICE) for statement in older])
    assert "leeway.user_id" not in places_of(gateway, ALICE)
    assert "leeway.user_id" in places_of(gateway, BOB)


def test_the_skeleton_says_what_happened_and_to_nobody(gateway: Gateway) -> None:
    """Event, time, kind and decision stay; whose it was is one random name for all of them."""
    fill(gateway, ALICE)
    before = {line.event_id: line for line in gateway.database.read(lambda tx: gateway.audit.recent(tx, 50))}
    done = erase_account(gateway)(MARKS[ALICE][0])
    after = {line.event_id: line for line in gateway.database.read(lambda tx: gateway.audit.recent(tx, 50))}
    assert before.keys() < after.keys()
    for event_id, line in before.items():
        now = after[event_id]
        assert (now.ts, now.kind, now.decision) == (line.ts, line.kind, line.decision)
        assert (now.user_id, now.ip, now.facts, now.detail, now.session_id) == (done.tombstone, None, None, None, None)
    [erased] = [line for line in after.values() if line.kind == "user.erased"]
    assert erased.user_id == done.tombstone
    assert ALICE not in done.tombstone
    waiting = metadata.tables["audit"].c
    rows = gateway.database.read(lambda tx: tx.all(Statement(select(waiting.seq).where(waiting.waits.is_not(None)))))
    assert rows == []  # nobody is told late of what was forgotten


def test_destinations_streams_and_the_scorer_are_told_by_id_alone(gateway: Gateway) -> None:
    """In the same transaction, and the scorer once more for what was on its way."""
    gateway.accounts.add(MARKS[ALICE][0], "tidal-amber-cactus-97", user_id=ALICE, email=MARKS[ALICE][1])
    siem = Destination(destination_id="", name="siem", kind="webhook", url="https://siem.example/in")
    listeners(gateway).add(siem, show=lambda secret: None)
    stream = Stream(
        stream_id="stream-1",
        client_id="shop",
        method=POLL,
        events_requested=(ACCOUNT_PURGED,),
        default_subjects="NONE",
        created_at=1.0,
    )
    named = covered(by_id(ALICE), gateway.vault.derive(SUBJECTS_PURPOSE))
    shop = RegisteredClient(client_id="shop", grant_types=("client_credentials",))
    gateway.registrations.add(shop, show=lambda secret: None)
    gateway.database.write_sync(lambda tx: StoredStreams().add(tx, stream, None))
    gateway.database.write_sync(lambda tx: StoredStreams().name_subject(tx, "stream-1", named, most=9))
    now = gateway.clock.now()
    erase_account(gateway)(MARKS[ALICE][0])
    told = outbox_of(gateway)
    [token] = [body for to, _, body, _ in told if to == "stream-1"]
    claims = msgspec.json.decode(urlsafe_b64decode(token.split(b".")[1] + b"=="))
    assert (list(claims["events"]), claims["sub_id"]["sub"]) == ([ACCOUNT_PURGED], ALICE)
    assert not gateway.database.read(lambda tx: StoredStreams().names_subject(tx, "stream-1", [named]))
    [told_siem] = [
        msgspec.json.decode(body) for to, kind, body, _ in told if kind == "account.erased" and to != "stream-1"
    ]
    assert (told_siem["type"], told_siem["data"]["user_id"]) == ("account.erased", ALICE)
    assert "username" not in told_siem["data"]
    scorer = sorted((at, body) for to, _, body, at in told if to == "scorer-erasure")
    assert [msgspec.json.decode(body) for _, body in scorer] == [{"user_id": ALICE}] * 2
    assert scorer[0][0] == pytest.approx(now, abs=60)
    receiver = endpoints_of(gateway.settings)["scorer-erasure"]
    assert isinstance(receiver, Endpoint)
    assert receiver.url == f"{gateway.settings.risk_api_url}/people/erase"
    assert scorer[1][0] - scorer[0][0] == pytest.approx(AGAIN_SECONDS)


def test_a_sealed_letter_that_waits_is_not_sent(gateway: Gateway) -> None:
    """One to them goes, one to somebody else stays."""
    for user_id, (username, email) in MARKS.items():
        gateway.accounts.add(username, "tidal-amber-cactus-97", user_id=user_id, email=email)
        body = gateway.vault.seal(msgspec.json.encode({"letter": {"to": email}}), LETTER_PURPOSE)
        gateway.database.write_sync(
            lambda tx, id=user_id, body=body: gateway.outbox.add(  # type: ignore[misc]
                tx, message_id=f"msg_{id}", endpoint=MAIL_ENDPOINT, event_type="mail.x", body=body, now=1.0
            )
        )
    erase_account(gateway)(MARKS[ALICE][0])
    letters = [gateway.vault.open(body, LETTER_PURPOSE) for to, _, body, _ in outbox_of(gateway) if to == MAIL_ENDPOINT]
    assert len(letters) == 1
    assert MARKS[BOB][1].encode() in letters[0]


def test_whoever_was_erased_is_unknown_and_the_name_is_free(gateway: Gateway) -> None:
    """A second time there is nobody; the name may be another person's."""
    username = MARKS[ALICE][0]
    first = gateway.accounts.add(username, "tidal-amber-cactus-97")
    erase_account(gateway)(username)
    with pytest.raises(Refused, match="unknown_user"):
        erase_account(gateway)(username)
    assert gateway.accounts.add(username, "tidal-amber-cactus-97").user_id != first.user_id


@pytest.mark.parametrize(
    ("arguments", "typed", "status"),
    [(["alice"], "n\n", 1), (["alice"], "y\n", 0), (["alice", "--yes"], "", 0), (["nobody", "--yes"], "", 2)],
)
def test_the_command_asks_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], typed: str, status: int
) -> None:
    """0 done, 1 not wanted, 2 nobody of that name."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("AUTH_GATEWAY_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("JWT_ISSUER", "https://id.example")
    gateway = assemble(load_settings())
    gateway.accounts.add("alice", "tidal-amber-cactus-97")
    done = CliRunner().invoke(commands(["users"]), ["users", "erase", *arguments], input=typed)
    assert done.exit_code == status, done.output
    assert len(gateway.accounts.list()) == (0 if status == 0 else 1)
    gateway.close()
