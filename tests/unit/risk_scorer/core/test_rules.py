"""Each rule matches what its name says, on both sides of its boundary."""

from typing import Any

import pytest

from risk_scorer.core.facts import FingerprintFacts, IpFacts
from risk_scorer.core.history import UserHistory
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import RULE_TEXTS
from risk_scorer.core.rules import COLUMN_OF_RULE, RULES, WEIGHTS, matches
from risk_scorer.core.signals import gather, table
from tests.unit.risk_scorer.core.small import HOME, STRANGE, encoders, known, seen


def matched(observation: Observation, history: UserHistory | None = None) -> dict[str, float]:
    row = matches(table([gather(encoders(), observation, history)]))[0]
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


def test_every_rule_has_a_weight_a_column_and_a_sentence() -> None:
    """No rule without a name that people can read."""
    assert set(RULES) == set(WEIGHTS) == set(COLUMN_OF_RULE) == set(RULE_TEXTS)
    assert all(weight > 0 for weight in WEIGHTS.values())
