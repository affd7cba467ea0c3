"""Each rule matches what its name says, on both sides of its boundary."""

from typing import Any

import msgspec
import pytest

from risk_scorer.core.facts import NO_PRESSURE, FingerprintFacts, IpFacts, NetworkKind, Pressure, SessionFacts
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.lessons import taught_by
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import RULE_TEXTS
from risk_scorer.core.rules import COLUMN_OF_RULE, RULES, WEIGHTS, matches
from risk_scorer.core.signals import gather, table
from risk_scorer.core.verdicts import condemn, pardon
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, encoders, known, seen


def matched(
    observation: Observation, history: UserHistory | None = None, pressure: Pressure = NO_PRESSURE
) -> dict[str, float]:
    row = matches(table([gather(encoders(), observation, history, pressure)]))[0]
    return dict(zip(RULES, row.tolist(), strict=True))


def test_a_quiet_login_matches_no_rule() -> None:
    """Alice at home."""
    assert set(matched(HOME, known()).values()) == {0.0}


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("listed_network", {"network": IpFacts(is_listed=True)}),
        ("tor_exit", {"network": IpFacts(kind="tor")}),
        ("anonymous_vpn", {"network": IpFacts(kind="vpn"), "asn_key": "1"}),
        ("hosting_network", {"network": IpFacts(kind="hosting"), "asn_key": "1"}),
        ("fingerprint_contradicts_browser", {"fingerprint": FingerprintFacts(parses=True, client="Chromium")}),
        ("unparseable_fingerprint", {"ja4": "bad", "fingerprint": FingerprintFacts()}),
        ("automated_client", {"browser": "Other", "browser_version": "Other"}),
        ("bad_reputation", {"ip_rep": 100.0}),
        ("malicious_fingerprint", {"fingerprint": FingerprintFacts(parses=True, is_malicious=True)}),
        ("session_client_changed", {"session": SessionFacts(device_id="dev-2")}),
        (
            "session_network_changed",
            {
                "session": SessionFacts(asn_key="1", country="DE"),
                "asn_key": "2",
                "network": IpFacts(asn=2, country="US"),
            },
        ),
        ("impossible_travel", {"network": IpFacts(latitude=-33.9, longitude=151.2), "prefix": "203.0.113.0/24"}),
    ],
)
def test_a_rule_matches_what_it_is_named_after(rule: str, changes: dict[str, Any]) -> None:
    """That rule in full, and no other."""
    assert matched(seen(**changes), known()) == {**dict.fromkeys(RULES, 0.0), rule: 1.0}


@pytest.mark.parametrize(("ip_rep", "share"), [(0.0, 0.0), (50.0, 0.0), (75.0, 0.5), (100.0, 1.0)])
def test_a_reputation_counts_from_fifty_on(ip_rep: float, share: float) -> None:
    """Ordinary networks have some bad neighbours."""
    assert matched(seen(ip_rep=ip_rep))["bad_reputation"] == share


def test_a_persons_own_vpn_says_less_each_time() -> None:
    """Somebody who always works over one VPN service is not suspected for it; a listed network stays listed."""
    vpn = seen(network=IpFacts(kind="vpn", is_listed=True))
    assert matched(vpn, None)["anonymous_vpn"] == 1.0
    assert matched(vpn, known(9))["anonymous_vpn"] == pytest.approx(0.1)
    assert matched(vpn, known(9))["listed_network"] == 1.0


def test_no_fingerprint_is_not_an_unparseable_one() -> None:
    """Nothing was sent, so nothing is malformed."""
    assert matched(seen(ja4="", fingerprint=FingerprintFacts()))["unparseable_fingerprint"] == 0.0


def test_no_user_agent_is_not_an_automated_one() -> None:
    """A missing user agent is judged by novelty and frequency, not by this rule."""
    assert matched(seen(user_agent="", browser="", browser_version=""))["automated_client"] == 0.0
    assert matched(STRANGE)["automated_client"] == 1.0


STUFFING = Pressure(network_failures=90.0, network_people=30.0, network_logins=10.0)
ELSEWHERE = seen(prefix="203.0.113.0/24", ip="203.0.113.9", asn_key="64511", device_id="dev-x", ja4="other",
                 browser_version="Chrome 138")  # fmt: skip
"""Nothing against it but that it is new."""


@pytest.mark.parametrize(
    ("people", "failures", "logins", "degree"),
    [
        (4.0, 100.0, 0.0, 0.0),
        (10.0, 50.0, 50.0, 0.25),
        (16.0, 16.0, 0.0, 1.0),
        (64.0, 90.0, 10.0, 0.9),
        (64.0, 50.0, 950.0, 0.2),
    ],
)
def test_many_people_failing_at_one_network_are_stuffing(
    people: float, failures: float, logins: float, degree: float
) -> None:
    """A household is not, an office hardly; logins of the attacker's own hide little of it."""
    around = Pressure(network_failures=failures, network_people=people, network_logins=logins)
    assert matched(ELSEWHERE, known(), around)["stuffing_in_progress"] == pytest.approx(degree)


def test_stuffing_is_seen_by_device_as_well_and_familiar_ones_say_less() -> None:
    """One program behind a thousand addresses; the person's own office is theirs."""
    through = Pressure(device_failures=30.0, device_people=30.0)
    assert matched(ELSEWHERE, known(), through)["stuffing_in_progress"] == 1.0
    assert matched(HOME, known(9), through)["stuffing_in_progress"] == pytest.approx(0.1)
    assert matched(HOME, known(9), STUFFING)["stuffing_in_progress"] == pytest.approx(0.09)


def test_the_owner_is_not_locked_out_by_what_others_try() -> None:
    """Under attack only a device and an operator that are both unknown are suspect; it cools within hours."""
    attacked = known()
    for _ in range(10):
        attacked = learn(attacked, STRANGE, "failure")
    assert matched(ELSEWHERE, attacked)["account_under_attack"] == 1.0
    assert matched(seen(device_id="dev-x"), attacked)["account_under_attack"] == 0.0
    assert matched(seen(asn_key="64511"), attacked)["account_under_attack"] == 0.0
    later = msgspec.structs.replace(ELSEWHERE, ts=NOON + 7200.0)
    assert matched(later, attacked)["account_under_attack"] == 0.0


def test_a_few_failures_are_no_attack() -> None:
    """People mistype three times; half way to ten counts half."""
    history = known()
    for _ in range(3):
        history = learn(history, ELSEWHERE, "failure")
    assert matched(ELSEWHERE, history)["account_under_attack"] == 0.0
    for _ in range(3):
        history = learn(history, ELSEWHERE, "failure")
    assert matched(ELSEWHERE, history)["account_under_attack"] == pytest.approx(3 / 7)


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({"device_id": "dev-x"}, 1.0),
        ({"ip": "203.0.113.9"}, 1.0),
        ({"prefix": "203.0.113.0/24"}, 1.0),
        ({"asn_key": "64511"}, 0.0),
        ({"ja4": "other"}, 0.0),
        ({"asn_key": "64511", "ja4": "other"}, 1.0),
        ({"asn_key": "64511", "browser_version": "Chrome 138"}, 1.0),
        ({"device_id": "", "ip": "192.0.2.1", "prefix": "192.0.2.0/24"}, 0.0),
    ],
)
def test_a_confirmed_attacker_is_known_again(changes: dict[str, Any], held: float) -> None:
    """By device, address or network; by operator and client only together, as both are shared by many."""
    condemned = condemn(known(), taught_by(ELSEWHERE, "failure"))
    assert matched(seen(**changes), condemned)["confirmed_attacker"] == held
    assert matched(HOME, condemned)["confirmed_attacker"] == 0.0


NETWORK_RULES = {"listed_network", "bad_reputation", "tor_exit", "impossible_travel", "stuffing_in_progress",
                 "session_network_changed"}  # fmt: skip
CLIENT_RULES = {"fingerprint_contradicts_browser", "unparseable_fingerprint", "automated_client",
                "malicious_fingerprint", "session_client_changed"}  # fmt: skip
ALL_WRONG = msgspec.structs.replace(
    STRANGE, ts=NOON + 60.0, user_agent="curl/8", browser="Other", browser_version="curl 8",
    network=IpFacts(latitude=-33.9, longitude=151.2, is_listed=True, country="RU"),
    session=SessionFacts(device_id="dev-1", country="US"), fingerprint=FingerprintFacts(is_malicious=True),
)  # fmt: skip


def shared(kind: NetworkKind, **changes: Any) -> Observation:
    network = IpFacts(kind=kind, is_listed=True)
    return msgspec.structs.replace(ALL_WRONG, network=network, **changes)


def pardoned(**changes: Any) -> UserHistory:
    """Somebody whose context was confirmed safe, as if nothing of it had been learned."""
    context = msgspec.structs.replace(ALL_WRONG, **changes)
    return msgspec.structs.replace(known(), pardoned=pardon(None, taught_by(context, "failure")).pardoned)


def test_a_pardoned_network_is_silent_and_only_it() -> None:
    """An operator said so; what is said of the client stays."""
    before, after = (
        matched(ALL_WRONG, past, STUFFING)
        for past in (known(), pardoned(device_id="dev-y", ja4="y", browser_version="y"))
    )
    assert all(before[rule] > 0.0 and after[rule] == 0.0 for rule in NETWORK_RULES - {"tor_exit"})
    assert all(before[rule] == after[rule] for rule in CLIENT_RULES)
    tor = shared("tor")
    assert (matched(tor, known())["tor_exit"], matched(tor, pardoned())["tor_exit"]) == (1.0, 0.0)


def test_a_pardoned_operator_excuses_data_centres_and_no_listed_address() -> None:
    """A company's cloud is large, and others rent there too."""
    past = pardoned(prefix="192.0.2.0/24", ip="192.0.2.1", ip_rep=0.0, network=IpFacts(kind="residential"))
    for kind, rule in (("hosting", "hosting_network"), ("vpn", "anonymous_vpn")):
        found = matched(shared(kind), past)  # type: ignore[arg-type]
        assert (found[rule], found["listed_network"]) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("changes", "is_silent"),
    [
        ({"browser_version": "y"}, True),
        ({"ja4": "y"}, False),
        ({"device_id": "y"}, False),
        ({"device_id": ""}, False),
        ({"ja4": ""}, False),
        ({"device_id": "y", "ja4": "y"}, False),
    ],
    ids=["device and handshake", "device alone", "handshake alone", "no device then", "no handshake then", "browser"],
)
def test_a_pardoned_client_is_silent_and_only_it(changes: dict[str, str], is_silent: bool) -> None:
    """Device and handshake together: a stranger may have the one, or leave the other out."""
    after = matched(ALL_WRONG, pardoned(prefix="192.0.2.0/24", ip="192.0.2.1", asn_key="1", **changes))
    wrong = CLIENT_RULES - {"fingerprint_contradicts_browser"}
    assert all((after[rule] == 0.0) is is_silent for rule in wrong)
    assert after["listed_network"] == 1.0


def test_every_rule_has_a_weight_a_column_and_a_sentence() -> None:
    """No rule without a name that people can read."""
    assert set(RULES) == set(WEIGHTS) == set(COLUMN_OF_RULE) == set(RULE_TEXTS)
    assert all(weight > 0 for weight in WEIGHTS.values())
