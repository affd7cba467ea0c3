"""Strangers in a person's place bring what other people brought, and leave the place as it was."""

from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from risk_scorer.core.facts import NO_AGENT_FACTS, NO_FINGERPRINT_FACTS, NO_IP_FACTS
from risk_scorer.core.observation import Observation
from tests.unit.risk_scorer.core.small import seen
from training.attackers import IS_SELDOM, KINDS, Attackers

NETWORK = ("ip", "prefix", "asn", "asn_key", "country", "region", "city", "ip_rep", "network", "zone")
CLIENT = (
    "user_agent", "browser", "browser_version", "os", "device_type", "agent", "ja4", "ja4h", "ja4s", "fingerprint",
    "device_id",
)  # fmt: skip
KEPT = ("ts", "user_id", "event_id", "success", "kind", "session")
Values = dict[str, Any]


def login(person: int, country: str) -> Observation:
    """A login of which every value names the person, so that it can be told where a value came from."""
    names = {name: f"{name} of {person}" for name in (*NETWORK, *CLIENT)}
    facts: Values = {
        "asn": person,
        "ip_rep": float(person),
        "country": country,
        "network": msgspec.structs.replace(NO_IP_FACTS, asn=person),
        "agent": msgspec.structs.replace(NO_AGENT_FACTS, os_version=str(person)),
        "fingerprint": msgspec.structs.replace(NO_FINGERPRINT_FACTS, client=str(person)),
    }
    return seen(**{**names, **facts}, user_id=f"u{person}", ts=1000.0 + person, event_id=f"evt_{person}")


LOGINS = [login(person, country) for person, country in enumerate(("US", "US", "US", "DE", "DE", "SE", "US", "DE"))]
LOGINS += [msgspec.structs.replace(LOGINS[0], ts=5000.0, user_agent="user_agent of 0, again")]


def drawn(logins: list[Observation], *, rounds: int = 200, seed: int = 1, with_seldom: bool = True) -> Any:
    """(victim, kind, stranger) of many draws."""
    attackers = Attackers(logins, np.random.default_rng(seed))
    return [
        (victim, KINDS[kind], stranger)
        for _ in range(rounds)
        for victim in logins
        for kind, stranger in attackers.against(victim, with_seldom=with_seldom)
    ]


def values(of: Observation, names: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(getattr(of, name) for name in names)


def owners(of: Observation, names: tuple[str, ...]) -> set[str]:
    """Whose login these values are from, taken all together."""
    return {each.user_id for each in LOGINS if values(each, names) == values(of, names)}


DRAWN = drawn(LOGINS)


def test_every_kind_is_drawn_and_the_last_three_are_the_seldom_ones() -> None:
    """Weights and reports go by place."""
    assert {kind for _, kind, _ in DRAWN} == set(KINDS)
    assert {kind for _, kind, _ in drawn(LOGINS, with_seldom=False)} == set(KINDS[:3])
    assert [name for name, seldom in zip(KINDS, IS_SELDOM, strict=True) if seldom] == list(KINDS[3:])


def test_a_stranger_comes_when_the_victim_came_and_as_the_victim() -> None:
    """Name, moment and outcome are the victim's: only what somebody brings differs."""
    assert all(values(stranger, KEPT) == values(victim, KEPT) for victim, _, stranger in DRAWN)


def test_no_stranger_brings_what_is_the_victims_own() -> None:
    """Neither from the same login nor from another one of the victim, where the kind says somebody else's."""
    for victim, kind, stranger in DRAWN:
        networks, clients = owners(stranger, NETWORK), owners(stranger, CLIENT)
        assert networks == {victim.user_id} if kind == "housemate" else victim.user_id not in networks
        assert clients == {victim.user_id} if kind == "stolen_device" else victim.user_id not in clients


def test_network_and_client_are_each_somebodys_as_a_whole() -> None:
    """No address with another one's operator, no browser with another one's fingerprint; nobody's are nobody's."""
    for _, kind, stranger in DRAWN:
        assert len(owners(stranger, NETWORK)) == len(owners(stranger, CLIENT)) == (0 if kind == "nobody" else 1)


def test_kinds_differ_in_where_their_network_and_client_are_from() -> None:
    """Naive: anywhere. VPN: the victim's country, any client. Targeted: one neighbour's network and client."""
    near = {kind: Counter[bool]() for kind in KINDS}
    same = {kind: Counter[bool]() for kind in KINDS}
    for victim, kind, stranger in DRAWN:
        near[kind][stranger.country == victim.country] += 1
        same[kind][owners(stranger, NETWORK) == owners(stranger, CLIENT)] += 1
    assert set(near["vpn"]) == set(near["targeted"]) == {True}
    assert set(near["naive"]) == set(near["stolen_device"]) == {True, False}
    assert set(same["targeted"]) == {True}
    assert set(same["naive"]) == set(same["vpn"]) == {True, False}


def test_a_vpn_attackers_client_is_from_anywhere() -> None:
    """Only the network pretends."""
    clients = {owners(stranger, CLIENT).pop() for victim, kind, stranger in DRAWN if kind == "vpn"}
    assert {"u3", "u5"} <= clients


def test_nobody_has_values_that_no_login_can_have() -> None:
    """NUL is refused everywhere else, so nothing in a log or history is like it."""
    found = [stranger for _, kind, stranger in DRAWN if kind == "nobody"]
    for name in ("ip", "prefix", "asn_key", "country", "device_id", "user_agent", "browser", "os", "ja4", "ja4h"):
        assert {getattr(each, name) for each in found} == {"\0"}
    assert {(each.network, each.agent, each.fingerprint) for each in found} == {
        (NO_IP_FACTS, NO_AGENT_FACTS, NO_FINGERPRINT_FACTS)
    }
    assert {(each.asn, each.ip_rep, each.city) for each in found} == {(0, 0.0, "")}


@pytest.mark.parametrize(("seed", "same"), [(1, True), (2, False)])
def test_draws_repeat_by_seed(seed: int, same: bool) -> None:
    """The same strangers again from the same generator, others from another."""
    assert (drawn(LOGINS, rounds=3, seed=seed) == drawn(LOGINS, rounds=3, seed=1)) is same


def test_a_log_of_one_person_has_no_strangers_but_nobody() -> None:
    """There is nobody else to draw from, and no draw goes on for ever."""
    alone = [LOGINS[0], LOGINS[-1]]
    assert {kind for _, kind, _ in drawn(alone, rounds=5)} == {"nobody"}
    assert drawn(alone, rounds=5, with_seldom=False) == []


def test_without_a_neighbour_the_kinds_that_need_one_are_left_out() -> None:
    """The only person of a country is attacked from elsewhere alone."""
    found = {kind for victim, kind, _ in DRAWN if victim.user_id == "u5"}
    assert found == {"naive", "stolen_device", "housemate", "nobody"}


def test_a_stranger_lives_by_the_clock_of_the_place_they_come_from() -> None:
    """The zone and its offset travel together; nowhere has none."""
    home = seen(user_id="a", zone="America/Los_Angeles", utc_offset_s=-25200)
    logins = [home, seen(user_id="b", zone="Europe/Moscow", utc_offset_s=10800)]
    found = list(Attackers(logins, np.random.default_rng(1)).against(home, with_seldom=True))
    assert {(each.zone, each.utc_offset_s) for kind, each in found if kind in (0, 3)} == {("Europe/Moscow", 10800)}
    assert [each.utc_offset_s for kind, each in found if KINDS[kind] == "nobody"] == [0]


def test_a_victim_from_a_country_of_its_own_meets_no_neighbours() -> None:
    """The kinds that need one are left out."""
    attackers = Attackers([seen(user_id="b")], np.random.default_rng(1))
    assert {KINDS[kind] for kind, _ in attackers.against(seen(country="XX"), with_seldom=False)} == {"naive"}
