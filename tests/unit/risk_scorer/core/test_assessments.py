"""The answer that people read: score, level and label from one number, reasons that add up, facts that are counts."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest

from risk_scorer.contract.assessment import RiskScore
from risk_scorer.core.assessments import assessments
from risk_scorer.core.calibration import Weighed
from risk_scorer.core.facts import IpFacts
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import BASELINE, CODES
from risk_scorer.core.scoring import score_many
from risk_scorer.core.signals import LEVELS
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, known, likelihood, model, seen


def answer(observation: Observation, history: UserHistory | None) -> RiskScore:
    small = model()
    scored = score_many(small, [observation], [history])
    return assessments(small, [observation], [history], scored, ts=NOON)[0]


def answer_for(score: float) -> RiskScore:
    """The answer to Alice at home, had it come to this score."""
    small = model()
    scored = score_many(small, [HOME], [known()])
    weighed = Weighed(scored.weighed.evidence, scored.weighed.total, np.array([score]), 0 * scored.weighed.points)
    return assessments(small, [HOME], [known()], replace(scored, weighed=weighed), ts=NOON)[0]


@pytest.mark.parametrize(
    ("raw", "shown", "level", "label"),
    [
        (0.0, 0.0, "low", 1),
        (59.9999, 59.99, "low", 1),
        (60.0, 60.0, "medium", -1),
        (79.999, 79.99, "medium", -1),
        (80.0, 80.0, "high", -1),
        (100.0, 100.0, "high", -1),
    ],
)
def test_level_and_label_derive_from_the_score_that_is_shown(raw: float, shown: float, level: str, label: int) -> None:
    """A score just below a mark is shown below it."""
    found = answer_for(raw)
    assert (found.risk_score, found.risk_level, found.model_label) == (shown, level, label)


@pytest.mark.parametrize("history", [None, known(1), known(20)])
@pytest.mark.parametrize("observation", [HOME, STRANGE, seen(device_id="dev-9"), seen(country="DE", asn_key="64501")])
def test_points_of_all_reasons_add_up_to_the_score(observation: Observation, history: UserHistory | None) -> None:
    """To the hundredth, ranked, every code once and from the closed vocabulary, the rest in the baseline."""
    found = answer(observation, history)
    points = [reason.points for reason in found.reasons]
    codes = [reason.code for reason in found.reasons]
    assert sum(points) == pytest.approx(found.risk_score, abs=1e-9)
    assert points[:-1] == sorted(points[:-1], reverse=True)
    assert min(points) >= 0.0
    assert codes[-1] == BASELINE
    assert len(set(codes)) == len(codes)
    assert set(codes) <= set(CODES)


def test_the_same_login_is_explained_in_the_same_words() -> None:
    """Reasons are deterministic to the byte."""
    assert msgspec.json.encode(answer(STRANGE, known())) == msgspec.json.encode(answer(STRANGE, known()))


def test_a_new_device_is_told_with_what_is_usual_instead() -> None:
    """Observed, usual and how many others have it."""
    reason = next(each for each in answer(seen(device_id="dev-2"), known()).reasons if each.code == "new_device")
    assert (reason.observed, reason.usual) == ("dev-2", "dev-1")
    assert "980 of 1000 logins" in reason.text


def test_a_rule_is_told_with_what_it_matched() -> None:
    """The address for a listed network, the number for a reputation, the client for an automated one."""
    told = {reason.code: reason.observed for reason in answer(STRANGE, known()).reasons}
    assert told["listed_network"] == STRANGE.ip
    assert told["bad_reputation"] == "95 of 100"
    assert told["automated_client"] == "WeirdAgent/1.0"


def test_a_login_without_history_is_never_called_new() -> None:
    """To somebody unknown everything is new, so nothing is."""
    found = answer(STRANGE, None)
    assert found.explain.new == ()
    assert not any(reason.code.startswith("new_") for reason in found.reasons)


def test_explain_counts_the_training_log_and_names_what_is_new() -> None:
    """Frequencies are whole logins; distance, hour and weekday are as measured."""
    explain = answer(seen(device_id="dev-2", browser_version="Firefox 141"), known()).explain
    assert (explain.user_freq, explain.ip_freq, explain.device_freq, explain.ua_freq) == (20, 20, 980, 500)
    assert (explain.ja4_freq, explain.ja4h_freq, explain.ja4s_freq) == (999, 1000, 1000)
    assert (explain.hour, explain.day_of_week, explain.success) == (12, 1, 1)
    assert (explain.asn, explain.asn_name, explain.ip_rep) == (64500, "Example Cable", 5.0)
    assert (explain.known_logins, explain.new) == (20, ("browser_version", "device"))
    assert explain.geo_distance_km == pytest.approx(0.0, abs=1e-6)


def test_what_is_unknown_is_null_not_zero() -> None:
    """No history means no distance; an operator name belongs to the looked-up number only."""
    found = answer(seen(asn=1, asn_key="1"), None).explain
    assert found.geo_distance_km is None
    assert (found.asn, found.asn_name) == (1, None)


def test_explain_tells_when_where_and_how_fast() -> None:
    """Days, kilometres, km/h and the hour at home, as plain numbers; null for whoever has no past."""
    sydney = seen(ts=NOON + 6 * 3600.0, network=IpFacts(latitude=-33.9, longitude=151.2), prefix="203.0.113.0/24")
    found, unknown = answer(sydney, known()).explain, answer(sydney, None).explain
    assert found.days_since_last == pytest.approx(7.0 / 24.0)
    assert found.place_km == pytest.approx(11_960.0, rel=0.01)
    assert 1500.0 < (found.speed_kmh or 0.0) < 1710.0
    assert (found.hour, found.hour_local, found.rules) == (18, 18, ("impossible_travel",))
    assert (unknown.days_since_last, unknown.place_km, unknown.speed_kmh) == (None, None, None)
    assert unknown.rules == ()


def test_the_hour_is_told_in_utc_and_at_home() -> None:
    """Somebody who lives seven hours behind."""
    west = {"zone": "America/Los_Angeles", "utc_offset_s": -25_200}
    explain = answer(seen(**west), learn(None, seen(ts=NOON - 3600.0, **west), "success")).explain
    assert (explain.hour, explain.hour_local) == (12, 5)


def test_rules_that_only_report_are_told_without_points() -> None:
    """The rule is in `rules`, not among the reasons, and the score is that of a login which it does not match."""
    listed = seen(network=IpFacts(is_listed=True, latitude=37.34, longitude=-121.89))
    quiet = seen(network=IpFacts(latitude=37.34, longitude=-121.89))
    small = model().reporting_only(["listed_network"])
    found, usual = (
        assessments(small, [each], [known()], score_many(small, [each], [known()]), ts=NOON)[0]
        for each in (listed, quiet)
    )
    assert (found.explain.rules, usual.explain.rules) == (("listed_network",), ())
    assert "listed_network" not in {reason.code for reason in found.reasons}
    assert found.risk_score == usual.risk_score < answer(listed, known()).risk_score


def test_only_levels_that_the_log_had_are_called_new() -> None:
    """What was never learned is not news."""
    without = model(likelihood=likelihood(used=np.where(np.array(LEVELS) == "device", 0.0, 1.0)))
    strange = seen(device_id="dev-2", ja4="rare")
    scored = score_many(without, [strange], [known()])
    assert assessments(without, [strange], [known()], scored, ts=NOON)[0].explain.new == ("ja4",)


def test_answers_come_in_the_order_of_the_events() -> None:
    """Each with its own id, all with the same time and version."""
    small = model()
    observations, histories = [HOME, STRANGE, HOME], [known(), known(), None]
    found = assessments(small, observations, histories, score_many(small, observations, histories), ts=NOON)
    assert [each.event_id for each in found] == ["evt_1", "evt_2", "evt_1"]
    assert {(each.ts_scored, each.model_version) for each in found} == {(NOON, "small")}
    assert found[1] == answer(STRANGE, known())
