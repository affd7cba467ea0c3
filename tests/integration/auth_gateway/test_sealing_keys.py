"""Gateways with state directories of their own on one PostgreSQL database: a new sealing key reaches all of them."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auth_gateway.adapters import sealing_keys
from auth_gateway.assembly import Gateway, assemble
from auth_gateway.opening import CannotStart
from auth_gateway.settings import load_settings
from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from plumbing.vault import Unsealable, Vault

NOW = 1_800_000_000.0
Opened = Callable[[str], Gateway]


@pytest.fixture
def opened(tmp_path: Path, postgresql_url: str) -> Iterator[Opened]:
    """A gateway of that name, on a machine of its own: `vault.key` alone was copied there."""
    gateways: list[Gateway] = []

    def open_one(name: str) -> Gateway:
        place = tmp_path / name
        if gateways and not place.exists():
            place.mkdir(mode=0o700)
            shutil.copy(gateways[0].state.path / "vault.key", place)
        settings = load_settings(
            auth_gateway_state=place, auth_gateway_database=postgresql_url, jwt_issuer="http://localhost:9"
        )
        gateways.append(assemble(settings, clock=FixedClock(NOW)))
        return gateways[-1]

    yield open_one
    for gateway in gateways:
        gateway.close()


def enrolled(gateway: Gateway, name: str) -> str:
    gateway.accounts.add(name, "tidal-amber-cactus-97")
    return gateway.enrol_totp(name).secret


def secret_of(gateway: Gateway, name: str) -> str:
    """As that gateway reads it: in the middle of a read, as flows do."""
    account = next(one for one in gateway.accounts.list() if one.username == name)

    def read(tx):  # type: ignore[no-untyped-def]
        factor = gateway.factors.find(tx, account.user_id)
        assert factor is not None
        return gateway.vault.open(factor.sealed_secret, "totp-secret").decode()

    found: str = gateway.database.read(read)
    return found


def test_a_new_key_reaches_gateways_with_directories_of_their_own(opened: Opened) -> None:
    """Twice in a row, made by either; what one seals with it the other opens at once."""
    here, there = opened("here"), opened("there")
    known = {"ann": enrolled(here, "ann"), "ben": enrolled(there, "ben")}
    assert here.resealing().number == 1
    assert {name: secret_of(there, name) for name in known} == known
    assert there.resealing().number == 2
    known["cem"] = enrolled(there, "cem")
    assert {name: secret_of(here, name) for name in known} == known
    assert here.state.series("sealing.key") == there.state.series("sealing.key")
    late = opened("late")
    assert {name: secret_of(late, name) for name in known} == known


def test_two_who_make_one_at_once_have_the_same(opened: Opened) -> None:
    """Eight commands on two machines: numbers without a gap, and the same keys."""
    both = [opened("here"), opened("there")]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda n: both[n % 2].sealing_keys.make(), range(8)))
    assert set(numbers) == set(range(1, max(numbers) + 1))
    assert both[0].sealing_keys() == both[1].sealing_keys()
    assert len(both[0].sealing_keys()) == max(numbers)


@pytest.mark.parametrize(("waited", "arrives"), [(-1.0, True), (1.0, False)])
def test_a_key_is_on_its_way_for_a_day(opened: Opened, waited: float, arrives: bool) -> None:
    """Who was away for longer is told which file to fetch."""
    here = opened("here")
    enrolled(here, "ann")
    here.ring.prepare()
    here.resealing()
    here.clock.advance(sealing_keys.HANDED_SECONDS + waited)  # type: ignore[attr-defined]
    asyncio.run(here.sealing_keys.end())
    if arrives:
        assert secret_of(opened("late"), "ann")
        return
    with pytest.raises(CannotStart, match=r"copy each sealing\.key"):
        opened("late")


def test_what_is_on_its_way_does_not_open_with_the_key_before_alone_afterwards(opened: Opened) -> None:
    """Nor with another root on the day itself."""
    here = opened("here")
    here.resealing()
    with here.database.engine.connect() as connection:
        [(sealed,)] = connection.exec_driver_sql("SELECT sealed FROM sealing_keys").fetchall()
    assert Vault(here.state.secret("vault.key")).open(bytes(sealed), "sealing-key:1") == here.sealing_keys()[0]
    for vault, purpose in ((Vault(b"x" * 32), "sealing-key:1"), (Vault(here.state.secret("vault.key")), "other")):
        with pytest.raises(Unsealable):
            vault.open(bytes(sealed), purpose)
    here.clock.advance(sealing_keys.HANDED_SECONDS + 1)  # type: ignore[attr-defined]
    asyncio.run(here.sealing_keys.end())
    with here.database.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT sealed FROM sealing_keys").fetchall() == [(None,)]


def test_nobody_makes_a_second_key_of_a_number(opened: Opened) -> None:
    """A gateway that lacks one says so instead."""
    here, there = opened("here"), opened("there")
    assert here.sealing_keys.make() == 1
    here.clock.advance(sealing_keys.HANDED_SECONDS + 1)  # type: ignore[attr-defined]
    asyncio.run(here.sealing_keys.end())
    with pytest.raises(Refused, match="sealing_key_missing"):
        there.sealing_keys.make()
    shutil.copy(here.state.path / "sealing.key.1", there.state.path)
    assert there.sealing_keys.make() == 2
    assert here.sealing_keys() == there.sealing_keys()
