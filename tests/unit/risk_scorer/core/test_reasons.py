"""Why a score is what it is: every code has its sentence, and points are the score however a login came about."""

import math
import random
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from risk_scorer.contract.assessment import Reason, RiskScore
from risk_scorer.core.assessments import assessments
from risk_scorer.core.facts import FingerprintFacts, IpFacts, NetworkKind, Pressure, SessionFacts
from risk_scorer.core.history import UserHistory, learn
from risk_scorer.core.lessons import taught_by
from risk_scorer.core.model import Hours
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import BASELINE, CODES, LONG_ABSENCE, NO_HISTORY, NOUNS, RULE_TEXTS, Case, reasons
from risk_scorer.core.redaction import OF_CODE, OF_LEVEL
from risk_scorer.core.rules import RULES
from risk_scorer.core.scoring import score_many
from risk_scorer.core.signals import LEVELS, gather
from risk_scorer.core.terms import HOUR, TERM, TERMS, UNUSUAL
from risk_scorer.core.verdicts import condemn, pardon
from tests.unit.risk_scorer.core.small import HOME, NOON, STRANGE, encoders, known, model, seen

DAY = 86_400.0
SMALL = replace(model(), hours=Hours(profile=model().hours.profile, strength=1.0, weight=1.0))


def answer(
    observation: Observation, history: UserHistory | None, pressure: Pressure | None = None, **changes: Any
) -> RiskScore:
    small = replace(SMALL, **changes)
    scored = score_many(small, [observation], [history], None if pressure is None else [pressure])
    return assessments(small, [observation], [history], scored, ts=NOON)[0]


def reason_of(term: str, observation: Observation, past: UserHistory, **changes: Any) -> Reason:
    """The reason for one term worth 12.34 points of 20."""
    row = gather(encoders(), observation, past)
    case = Case(**{"seen": observation, "past": past, "encoders": encoders(), "row": row, "surprise_nats": 4.0,
                   "speed_kmh": 1500.0, **changes})  # fmt: skip
    first, rest = reasons(case, hundredths=2000.0, told=[(1234.0, TERM[term])])
    assert (first.points, rest.points, rest.code) == (12.34, 7.66, BASELINE)
    return first


def code_of(term: str, past: UserHistory) -> str:
    return reason_of(term, STRANGE, past).code


def test_every_term_has_a_code_and_every_code_a_term() -> None:
    """Of a stranger and of somebody unknown; only what is rare for a person themselves needs a third case."""
    found = {code_of(term, past) for term in TERMS for past in (known(), UserHistory())}
    assert found | {BASELINE} == set(CODES)
    assert len(CODES) == len(set(CODES))
    assert set(RULE_TEXTS) == set(RULES)
    assert set(NOUNS) == set(LEVELS)


def test_somebody_unknown_is_told_as_such_and_not_as_absent() -> None:
    """What is missing is a history; a person whose logins all failed has none either."""
    failed_only = learn(None, HOME, "failure")
    for past in (UserHistory(), failed_only):
        found = reason_of("pause", HOME, past)
        assert (found.code, found.observed, found.usual) == (NO_HISTORY, "0 logins", "")


def test_a_long_absence_is_told_in_days_beside_what_is_usual() -> None:
    """Twenty logins a day apart, then forty days of nothing."""
    past = known(1)
    for day in range(19):
        past = learn(past, seen(ts=NOON - 3600.0 + DAY * (day + 1)), "success")
    found = reason_of("pause", seen(ts=past.last_seen + 40.25 * DAY), past)
    assert (found.code, found.observed, found.usual) == (LONG_ABSENCE, "40.2 days", "1.0 days")
    assert found.text == "The last login of this person was 40.2 days ago; 20 are known."


def test_after_a_single_login_no_gap_is_usual() -> None:
    """There is no gap yet to be used to, and "nan days" are not told."""
    found = reason_of("pause", seen(ts=NOON + 40 * DAY), known(1))
    assert (found.code, found.observed, found.usual) == (LONG_ABSENCE, "40.0 days", "")
    assert "nan" not in f"{found.text}{found.observed}{found.usual}".lower()


def test_an_unusual_hour_is_told_in_the_persons_own_time() -> None:
    """Three o'clock at home, with the hour that is theirs and how often they came at this one."""
    home = {"zone": "America/Los_Angeles", "utc_offset_s": -25_200}
    past = learn(None, seen(ts=NOON - 9 * 3600.0, **home), "success")  # 20:00 of the day before
    for day in range(1, 10):
        past = learn(past, seen(ts=NOON + DAY * day + (9 if day == 5 else 5) * 3600.0, **home), "success")
    found = reason_of(HOUR, seen(ts=NOON + DAY * 20 - 2 * 3600.0, **home), past)
    assert (found.code, found.observed, found.usual) == (HOUR, "03:00", "10:00")
    assert found.text == (
        "This person seldom logs in around 03:00 of their own time: 0 of 10 logins were in that hour."
    )


def test_an_unusual_hour_is_worth_points_in_a_whole_answer() -> None:
    """Noon is alice's hour of all two hundred logins; at midnight the hour is a reason, at noon it is none."""
    past = known(1)
    for day in range(200):
        past = learn(past, seen(ts=NOON + DAY * day), "success")
    late, usual = (answer(seen(ts=NOON + DAY * 200 + hours * 3600.0), past) for hours in (12, 0))
    assert HOUR in {reason.code for reason in late.reasons}
    assert HOUR not in {reason.code for reason in usual.reasons}
    untold = replace(SMALL.hours, weight=0.0)
    assert HOUR not in {reason.code for reason in answer(seen(ts=NOON + DAY * 200.5), past, hours=untold).reasons}


def test_a_speed_is_told_in_kilometres_an_hour() -> None:
    """The rounded speed, not the address."""
    assert reason_of("impossible_travel", STRANGE, known(), speed_kmh=2999.6).observed == "3000 km/h"


def test_a_rare_combination_is_told_as_one_login_in_so_many() -> None:
    """As the forest found it, before it was weighed; a ridiculous number is bounded."""
    assert reason_of(UNUSUAL, STRANGE, known(), surprise_nats=4.0).observed == "1 login in 55"
    assert reason_of(UNUSUAL, STRANGE, known(), surprise_nats=500.0).observed == "1 login in 485165195"


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_how_rare_a_combination_is_does_not_depend_on_what_it_counts(weight: float) -> None:
    """One login in so many is the forest's, whatever share of it is evidence."""
    surprise = replace(SMALL.surprise, weight=weight)
    scored = score_many(replace(SMALL, surprise=surprise), [STRANGE], [known()])
    nats = float(scored.weighed.evidence[0, TERM[UNUSUAL]]) / weight
    told = [each.observed for each in answer(STRANGE, known(), surprise=surprise).reasons if each.code == UNUSUAL]
    assert told == [f"1 login in {math.exp(nats):.0f}"]


@pytest.mark.parametrize(
    ("device", "past", "code", "usual"),
    [
        ("dev-2", known(), "new_device", "dev-1"),
        ("dev-2", learn(known(), seen(device_id="dev-2"), "success"), "rare_device", "dev-1"),
        ("dev-2", UserHistory(), "rare_device", ""),
        ("", known(), "new_device", "dev-1"),
    ],
)
def test_a_value_is_new_or_rare_as_the_history_says(device: str, past: UserHistory, code: str, usual: str) -> None:
    """New only to somebody who is known."""
    found = reason_of("device", seen(device_id=device), past)
    assert (found.code, found.observed, found.usual) == (code, device, usual)
    if not device:
        assert "(not given)" in found.text


def test_reasons_are_ranked_by_points_and_equal_ones_by_the_order_of_terms() -> None:
    """Always in the same order; what is left over is the baseline's, last."""
    case = Case(seen=STRANGE, past=known(), encoders=encoders(), row=gather(encoders(), STRANGE, known()),
                surprise_nats=1.0, speed_kmh=1.0)  # fmt: skip
    told = [(100.0, TERM["country"]), (700.0, TERM["tor_exit"]), (100.0, TERM[UNUSUAL]), (100.0, TERM["device"])]
    found = reasons(case, hundredths=1500.0, told=told)
    assert [(each.code, each.points) for each in found] == [
        ("tor_exit", 7.0), (UNUSUAL, 1.0), ("new_country", 1.0), ("new_device", 1.0), (BASELINE, 5.0),
    ]  # fmt: skip
    assert reasons(case, hundredths=1500.0, told=told[::-1]) == found


def any_case(chance: random.Random) -> tuple[Observation, UserHistory | None, Pressure]:
    """Some login of somebody, with anything that can be known about both."""
    kinds: tuple[NetworkKind, ...] = ("unknown", "residential", "hosting", "vpn", "tor")
    place = chance.choice([(37.3, -121.9), (55.8, 37.6), (-33.9, 151.2), (None, None)])
    network = IpFacts(latitude=place[0], longitude=place[1], kind=chance.choice(kinds),
                      is_listed=chance.random() < 0.2, accuracy_km=chance.choice([None, 10.0]))  # fmt: skip
    login = msgspec.structs.replace(
        chance.choice([HOME, HOME, STRANGE]),
        ts=NOON + chance.choice([0.0, 60.0, 7 * 3600.0, 60 * DAY]),
        network=network,
        ip_rep=chance.choice([0.0, 60.0, 100.0]),
        device_id=chance.choice(["dev-1", "dev-2", ""]),
        asn_key=chance.choice(["64500", "64502", "1"]),
        fingerprint=FingerprintFacts(parses=chance.random() < 0.7, is_malicious=chance.random() < 0.1),
        session=chance.choice([None, SessionFacts(device_id="dev-7", asn_key="9", country="DE")]),
    )
    history = chance.choice([None, known(1), known(20), learn(None, HOME, "failure")])
    if history is not None and chance.random() < 0.3:
        history = chance.choice([pardon, condemn])(history, taught_by(login, "success"))
    if history is not None and chance.random() < 0.3:
        for _ in range(12):
            history = learn(history, STRANGE, "failure")
    people = chance.choice([0.0, 9.0, 40.0])
    pressure = Pressure(network_people=people, network_failures=2.0 * people, device_people=people,
                        device_failures=people)  # fmt: skip
    return login, history, pressure


def test_points_of_any_login_add_up_to_its_score() -> None:
    """A thousand of all sorts: to the hundredth, ranked, from the closed vocabulary, each code once."""
    chance, codes = random.Random(4), set()
    for _ in range(1000):
        login, history, pressure = any_case(chance)
        found = answer(login, history, pressure)
        points = [reason.points for reason in found.reasons]
        assert sum(round(100 * each) for each in points) == round(100 * found.risk_score)
        assert points[:-1] == sorted(points[:-1], reverse=True)
        assert min(points) >= 0.0
        mine = [reason.code for reason in found.reasons]
        assert mine[-1] == BASELINE
        assert len(set(mine)) == len(mine)
        assert all("nan" not in f"{each.observed}{each.usual}{each.text}".lower() for each in found.reasons)
        codes |= set(mine)
    assert codes <= set(CODES)
    assert {NO_HISTORY, LONG_ABSENCE, UNUSUAL, "impossible_travel", "session_client_changed", "confirmed_attacker",
            "stuffing_in_progress", "account_under_attack", "malicious_fingerprint", "rare_asn"} <= codes  # fmt: skip


def test_the_same_login_is_explained_in_the_same_bytes() -> None:
    """Over all sorts of logins, alone and beside others."""
    chance = random.Random(5)
    cases = [any_case(chance) for _ in range(200)]
    logins, histories, pressures = ([case[part] for case in cases] for part in range(3))
    scored = score_many(SMALL, logins, histories, pressures)  # type: ignore[arg-type]
    together = assessments(SMALL, logins, histories, scored, ts=NOON)  # type: ignore[arg-type]
    assert [msgspec.json.encode(answer(*case)) for case in cases] == [msgspec.json.encode(each) for each in together]


def test_a_pardoned_client_is_no_reason_any_more() -> None:
    """Confirmed as their own: the new device, browser and fingerprint have no points, the network keeps its own."""
    other = seen(device_id="dev-2", browser_version="Chrome 138", browser="Chrome", os="Windows", ja4="rare",
                 country="DE", asn_key="64501", prefix="192.0.2.0/24", ip="192.0.2.9")  # fmt: skip
    forgiven = pardon(known(), taught_by(other, "success"))
    forgiven = msgspec.structs.replace(
        forgiven, pardoned={key: at for key, at in forgiven.pardoned.items()
                            if key.partition(":")[0] in ("device", "browser_version", "ja4")}
    )  # fmt: skip
    before = {reason.code for reason in answer(other, known()).reasons}
    after = {reason.code for reason in answer(other, forgiven).reasons}
    assert {"new_device", "new_browser_version", "new_ja4", "new_asn", "new_prefix"} <= before
    assert not after & {"new_device", "new_browser_version", "new_browser", "new_os", "new_ja4"}
    assert {"new_asn", "new_prefix"} <= after


@pytest.mark.parametrize(("device", "is_seldom"), [("dev-1", False), ("dev-2", True)])
def test_what_a_person_usually_has_is_never_called_seldom(device: str, is_seldom: bool) -> None:
    """A familiar value may still weigh a little; its sentence then counts, and does not judge."""
    past = learn(learn(known(), seen(), "success"), seen(device_id="dev-2"), "success")
    text = reason_of("device", seen(device_id=device), past).text
    assert ("seldom" in text) is is_seldom
    assert f"of {past.logins} logins" in text


@pytest.mark.parametrize("term", TERMS)
def test_it_is_decided_how_every_reason_leaves_the_house(term: str) -> None:
    """Each code that a term can have is known to redaction, by itself or by its level."""
    for past in (known(), UserHistory()):
        code = code_of(term, past)
        assert code in OF_CODE or code.partition("_")[2] in OF_LEVEL
