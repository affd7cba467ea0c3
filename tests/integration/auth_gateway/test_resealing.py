"""A new sealing key while everything goes on."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from auth_gateway.assembly import Gateway, assemble
from auth_gateway.flows import resealing
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
    assert resealed.values == 3 + len(kids)
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
    assert first.values == second.values == 5
    assert secrets(gateway) == known
