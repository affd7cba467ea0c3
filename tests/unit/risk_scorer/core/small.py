"""A small world for the core's tests: observations with everything filled in, and a model whose parts all speak."""

import math
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from sklearn.ensemble import IsolationForest

from risk_scorer.core.calibration import ScoreMap, Surprise
from risk_scorer.core.encoders import Encoders, kinds
from risk_scorer.core.facts import AgentFacts, FingerprintFacts, IpFacts
from risk_scorer.core.features import FEATURES, Scales
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.likelihood import Likelihood
from risk_scorer.core.model import Hours, Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.pairs import INPUTS, Pairs
from risk_scorer.core.rules import WEIGHTS, RuleBook
from risk_scorer.core.scoring import NOBODY
from risk_scorer.core.signals import LEVELS
from training.forest_export import export

NOON = 1_598_961_600.0
"""2020-09-01T12:00:00Z, a Tuesday."""

HOME = msgspec.structs.replace(
    NOBODY,
    event_id="evt_1",
    ts=NOON,
    user_id="alice",
    ip="198.51.100.9",
    prefix="198.51.100.0/24",
    asn=64500,
    asn_key="64500",
    country="US",
    city="San Jose",
    device_id="dev-1",
    user_agent="Firefox on Mac",
    browser="Firefox",
    browser_version="Firefox 140",
    os="Mac OS X",
    device_type="desktop",
    ja4="t13d1516h2_8daaf6152771_02713d6af862",
    ja4h="ge11",
    ja4s="t13",
    ip_rep=5.0,
    network=IpFacts(asn=64500, asn_name="Example Cable", latitude=37.34, longitude=-121.89, reputation=5.0),
    agent=AgentFacts(browser="Firefox", browser_version="140", os="Mac OS X", device_type="desktop"),
    fingerprint=FingerprintFacts(parses=True, tls_version="1.3", alpn="h2"),
)
"""Alice at home."""

STRANGE = msgspec.structs.replace(
    HOME,
    event_id="evt_2",
    ip="203.0.113.200",
    prefix="203.0.113.0/24",
    asn=64511,
    asn_key="64511",
    country="RU",
    city="",
    device_id="dev-x",
    user_agent="WeirdAgent/1.0",
    browser="",
    browser_version="",
    os="",
    device_type="unknown",
    ja4="bad",
    ja4h="bad",
    ja4s="bad",
    ip_rep=95.0,
    network=IpFacts(latitude=55.75, longitude=37.62, kind="hosting", reputation=95.0, is_listed=True),
    agent=AgentFacts(),
    fingerprint=FingerprintFacts(),
)
"""Somebody else with Alice's password, from the worst place there is."""


def seen(**changes: Any) -> Observation:
    """Alice at home, but for these fields."""
    return msgspec.structs.replace(HOME, **changes)


def known(logins: int = 20) -> UserHistory:
    """The history of so many logins like `HOME`, an hour apart."""
    history: UserHistory | None = None
    for login in range(logins):
        history = learn(history, seen(ts=NOON - 3600.0 * (logins - login)), "success")
    assert history is not None
    return history


def encoders() -> Encoders:
    """A thousand logins, half of them from Alice's network and browser, none from the strange one."""
    return Encoders(
        total=1000,
        user={"alice": 20, "bob": 980},
        ip={"198.51.100.9": 20, "198.51.100.10": 1},
        prefix={"198.51.100.0/24": 500, "192.0.2.0/24": 500},
        asn={"64500": 500, "64501": 499, "64502": 1},
        country={"US": 500, "DE": 500},
        device={"dev-1": 20, "dev-2": 980},
        ua={"Firefox on Mac": 500, "Chrome on Windows": 500},
        browser={"Firefox": 500, "Chrome": 500},
        browser_version={"Firefox 140": 500, "Chrome 138": 499, "Chrome 60": 1},
        os={"Mac OS X": 500, "Windows": 500},
        device_type={"desktop": 1000},
        ja4={"t13d1516h2_8daaf6152771_02713d6af862": 999, "rare": 1},
        ja4h={"ge11": 1000},
        ja4s={"t13": 1000},
    )


def likelihood(**changes: Any) -> Likelihood:
    """One login of back-off at every level, rarity worth something at the ASN."""
    ones = np.ones(len(LEVELS))
    scale = np.where(np.array(LEVELS) == "asn", 300.0, 0.0)
    fields: dict[str, Any] = {
        "strength": ones,
        "discount": 0.0 * ones,
        "scale": scale,
        "unseen": np.where(scale > 0, 250.0, 1.0),
        "used": ones,
        "most": 6.0,
    }
    return Likelihood(**{**fields, **changes})


NEW, OWN = 1.0, -0.3
"""What a level of `pairs()` says of a value that the person never had, and of one that they had."""


def pairs(**changes: Any) -> Pairs:
    """One stump for each level, asking whether the person ever had the value, and one for an absence of a month."""
    asked = [INPUTS.index(f"age_{level}") for level in LEVELS] + [INPUTS.index("gap")]
    trees = len(asked)
    root = 3 * np.arange(trees + 1)
    fields: dict[str, Any] = {
        "feature": np.array([[each, 0, 0] for each in asked], np.int32).ravel(),
        "threshold": np.tile([29.0, np.inf, np.inf], trees),
        "child": np.array([[at + 1, at + 1, at + 2] for at in root[:-1]], np.int32).ravel(),
        "value": np.tile([0.0, OWN, NEW], trees),
        "part": np.repeat(np.arange(trees), 3).astype(np.int32),
        "root": root.astype(np.int32),
        "depth": 1,
        "baseline": 0.1,
        "usual": np.append(np.full(len(LEVELS), OWN), OWN + 0.1),
    }
    fields["threshold"][-3] = math.log1p(30 * 86_400.0)
    return Pairs(**{**fields, **changes})


@lru_cache(maxsize=1)
def isolation() -> tuple[Any, np.ndarray[Any, Any]]:
    """A fitted forest over every feature and what it was fitted on."""
    rows = np.random.default_rng(3).normal(size=(2000, len(FEATURES)))
    rows[:, 2] = rows[:, 2] > 0
    return IsolationForest(n_estimators=100, max_samples=256, contamination=0.02, random_state=5).fit(rows), rows


def model(**changes: Any) -> Model:
    """A model in which forest, likelihood and rules all count."""
    counts = encoders()
    fields: dict[str, Any] = {
        "version": "small",
        "features": FEATURES,
        "absent": {},
        "encoders": counts,
        "scales": Scales(total=float(counts.total), kinds=kinds(counts), unknown_km=500.0),
        "forest": export(isolation()[0], np.arange(len(FEATURES))),
        "likelihood": likelihood(),
        "pairs": pairs(),
        "hours": Hours(profile=np.full(24, 1.0 / 24.0), strength=5.0, weight=1.0),
        "rules": RuleBook(weight=np.array(list(WEIGHTS.values()))),
        "surprise": Surprise(unusual=np.array([-0.1, 0.0, 0.1]), nats=np.array([0.0, 2.0, 5.0]), weight=0.5),
        "score_map": ScoreMap(evidence=np.array([-12.0, 0.0, 5.0, 15.0]), score=np.array([5.0, 40.0, 60.0, 80.0])),
        "manifest": msgspec.UNSET,
        "histories_sha256": "",
    }
    return Model(**{**fields, **changes})
