"""A new sealing key while everything goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.core.letter import LETTER_PURPOSE, Letter, Posted
from auth_gateway.flows import resealing
from auth_gateway.opening import CannotStart
from auth_gateway.settings import load_settings
from plumbing.vault import Unsealable, Vault

Opened = Callable[[], Gateway]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    """Gateways on one state, each like a process of its own."""
    gateways: list[Gateway] = []

    def open_one() -> Gateway:
        gateways.append(assemble(load_settings(auth_gateway_state=tmp_path / "state", jwt_issuer="http://localhost:9")))
        return gateways[-1]

    yield open_one
    for gateway in gateways:
        gateway.close()


def enrolled(gateway: Gateway, count: int) -> dict[str, str]:
    """People with an authenticator, and its secret."""
    found = {}
    for number in range(count):
        gateway.accounts.add(f"person{number}", "tidal-amber-cactus-97")
        found[f"person{number}"] = gateway.enrol_totp(f"person{number}").secret
    return found


def secrets(gateway: Gateway) -> dict[str, str]:
    """The same as the gateway reads them."""
    found = {}
    for account in gateway.accounts.list():
        factor = gateway.database.read(lambda tx, id=account.user_id: gateway.factors.find(tx, id))
        assert factor is not None
        found[account.username] = gateway.vault.open(factor.sealed_secret, "totp-secret").decode()
    return found


def test_everything_is_sealed_anew_and_nothing_is_lost(opened: Opened) -> None:
    """By one process, under the eyes of another; a third that starts later reads it too."""
    service, command = opened(), opened()
    known = enrolled(service, 3)
    service.ring.prepare()
    kids = {key["kid"] for key in service.ring.published()}
    resealed = command.resealing()
    assert resealed.number == 1
    assert resealed.values == 2 * 3 + len(kids)  # authenticators and passwords
    assert secrets(service) == secrets(command) == secrets(opened()) == known
    later = opened()
    later.ring.prepare()
    assert {key["kid"] for key in later.ring.published()} == kids


def test_a_copy_of_before_does_not_open_what_came_after(opened: Opened, tmp_path: Path) -> None:
    """Whoever has the first key alone has nothing of what was sealed anew."""
    gateway = opened()
    enrolled(gateway, 1)
    gateway.resealing()
    account = gateway.accounts.list()[0]
    factor = gateway.database.read(lambda tx: gateway.factors.find(tx, account.user_id))
    assert factor is not None
    first = Vault((tmp_path / "state" / "vault.key").read_bytes())
    with pytest.raises(Unsealable):
        first.open(factor.sealed_secret, "totp-secret")


def test_a_second_rotation_seals_anew_once_more(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """In as many batches as it takes."""
    monkeypatch.setattr(resealing, "BATCH", 2)
    gateway = opened()
    known = enrolled(gateway, 5)
    first, second = gateway.resealing(), gateway.resealing()
    assert (first.number, second.number) == (1, 2)
    assert first.values == second.values == 10
    assert secrets(gateway) == known


def test_letters_that_wait_are_sealed_anew(opened: Opened, tmp_path: Path) -> None:
    """They hold links: the first key opens none of them any more, and they are still sent."""
    gateway = opened()
    letter = Letter(to="ann@example.com", kind="recover", values={"link": "https://id.example/link/x"})
    gateway.database.write_sync(lambda tx: gateway.post_office.post(tx, letter, letter_id="ltr_1", now=1.0))
    assert gateway.resealing().values == 1
    with gateway.database.engine.connect() as connection:
        ((body,),) = connection.exec_driver_sql("SELECT body FROM outbox").fetchall()
    assert msgspec.json.decode(gateway.vault.open(body, LETTER_PURPOSE), type=Posted).letter == letter
    with pytest.raises(Unsealable):
        Vault((tmp_path / "state" / "vault.key").read_bytes()).open(body, LETTER_PURPOSE)


def test_other_messages_and_letters_given_up_stay_as_they_are(opened: Opened) -> None:
    """A webhook's message is not sealed, and a letter that nobody could open is nobody's obstacle."""
    gateway = opened()
    with gateway.database.engine.begin() as connection:
        for endpoint, dead_at in (("webhook", "NULL"), ("mail", "2.0")):
            connection.exec_driver_sql(
                "INSERT INTO outbox (message_id, endpoint, event_type, body, created_at, next_attempt_at, attempts,"  # noqa: S608
                f" claimed_until, dead_at) VALUES ('m', '{endpoint}', 't', X'7B7D', 1.0, 1.0, 0, 0.0, {dead_at})"
            )
    assert gateway.resealing().values == 0


def test_a_gateway_without_the_new_key_says_which_file_it_needs(opened: Opened, tmp_path: Path) -> None:
    """Rather than that the first key is wrong."""
    gateway = opened()
    enrolled(gateway, 1)
    gateway.resealing()
    (tmp_path / "state" / "sealing.key.1").unlink()
    with pytest.raises(CannotStart, match=r"sealing\.key"):
        opened()
