"""One function scores; it changes nothing, and a batch is no different from its parts."""

import msgspec
import numpy as np
import pytest

from risk_scorer.core.facts import IpFacts
from risk_scorer.core.history import encode, learn
from risk_scorer.core.scoring import NOBODY, score_many, score_rows, warm
from risk_scorer.core.signals import gather
from risk_scorer.core.terms import TERMS, UNUSUAL
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, known, model, seen

CASES = [
    (HOME, known()),
    (HOME, None),
    (STRANGE, known()),
    (STRANGE, None),
    (NOBODY, None),
    *(
        (seen(ts=NOON + 997.0 * step, device_id=f"dev-{step % 7}", ip_rep=float(step % 101)), known(step % 9 + 1))
        for step in range(300)
    ),
]


def test_single_and_bulk_agree_to_the_bit() -> None:
    """Each event scored alone has exactly the numbers that it has in a batch, in any order."""
    small = model()
    observations, histories = [case[0] for case in CASES], [case[1] for case in CASES]
    together = score_many(small, observations, histories)
    backwards = score_many(small, observations[::-1], histories[::-1])
    for place, (observation, history) in enumerate(CASES):
        alone = score_many(small, [observation], [history])
        for name in ("score", "total", "evidence", "points"):
            number = getattr(alone.weighed, name)[0]
            assert (number == getattr(together.weighed, name)[place]).all()
            assert (number == getattr(backwards.weighed, name)[len(CASES) - 1 - place]).all()


def test_gathering_first_and_scoring_later_is_the_same() -> None:
    """A stream that gathers row by row gets the bits that the service gives."""
    small = model()
    rows = [gather(small.encoders, observation, history) for observation, history in CASES]
    direct = score_many(small, [case[0] for case in CASES], [case[1] for case in CASES])
    assert (score_rows(small, rows).score == direct.score).all()


def test_scoring_never_learns() -> None:
    """History and model are the same before and after, to the byte, and so is the next score."""
    small, history = model(), known()
    stored, counts = encode(history), msgspec.json.encode(small.encoders)
    first = score_many(small, [STRANGE] * 50, [history] * 50).score
    assert encode(history) == stored
    assert msgspec.json.encode(small.encoders) == counts
    assert set(first.tolist()) == {float(score_many(small, [STRANGE], [history]).score[0])}


def test_somebody_else_scores_higher_than_the_owner_on_a_network_all_use() -> None:
    """The right password from a common network and browser that are not the victim's own is still not the victim."""
    small = model()
    common = seen(
        ip="192.0.2.7", prefix="192.0.2.0/24", asn=64501, asn_key="64501", country="DE", device_id="dev-2",
        user_agent="Chrome on Windows", browser="Chrome", browser_version="Chrome 138", os="Windows",
        network=IpFacts(latitude=52.5, longitude=13.4),
    )  # fmt: skip
    scores = score_many(small, [HOME, common], [known(), known()]).score
    assert scores[0] < 60.0 < scores[1]


@pytest.mark.parametrize("outcome", ["failure", "mfa_failed"])
def test_an_attackers_failures_do_not_lower_the_next_score(outcome: str) -> None:
    """Five hundred failed logins from the attacker's context make it look no better.

    Of the owner nothing changes but how rare the forest finds so many failures.
    """
    small, history = model(), known()
    before = score_many(small, [STRANGE, HOME], [history, history]).weighed
    for _ in range(500):
        history = learn(history, STRANGE, outcome)  # type: ignore[arg-type]
    after = score_many(small, [STRANGE, HOME], [history, history]).weighed
    assert after.score[0] > before.score[0]
    assert {TERMS[term] for term in np.flatnonzero(after.evidence[1] != before.evidence[1])} <= {UNUSUAL}


def test_every_signal_at_its_worst_is_denied_and_a_quiet_login_is_not() -> None:
    """Both ends of the scale are reached."""
    scores = score_many(model(), [STRANGE, HOME], [known(), known()]).score
    assert scores[0] >= 80.0
    assert scores[1] < 60.0


def test_a_warm_model_scores_as_a_cold_one() -> None:
    """Warming compiles; it changes no number."""
    small = model()
    warm(small)
    assert np.isfinite(score_many(small, [NOBODY], [None]).score).all()


def test_no_events_have_no_scores() -> None:
    """An empty batch is an empty answer."""
    assert len(score_many(model(), [], []).score) == 0
