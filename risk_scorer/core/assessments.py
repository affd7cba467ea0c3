"""From a scored batch to the answers that people and services read. Judges nothing: every number is already there."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import MEDIUM_FROM, Explain, RiskScore, risk_level
from risk_scorer.core.features import DISTANCE
from risk_scorer.core.history import EMPTY, UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import DAY_SECONDS, Case, reasons
from risk_scorer.core.rules import RULES
from risk_scorer.core.scoring import Scored
from risk_scorer.core.signals import LEVELS, PLACE, Row
from risk_scorer.core.terms import TERM, UNUSUAL
from risk_scorer.core.travel import speeds_kmh

SMALLEST_HUNDREDTHS, SMALLEST_WHEN_LOW = 100.0, 300.0
"""What adds less is told as part of the baseline: a login that is let in needs less of a story."""
_SEEN = [PLACE[f"seen_{level}"] for level in LEVELS]
_LOGINS = PLACE["logins"]
_GAP, _PLACE_KM, _HOUR_LOCAL = PLACE["gap"], PLACE["place_km"], PLACE["hour_local"]
_USER, _IP, _DEVICE, _UA = (PLACE[f"count_{name}"] for name in ("user", "ip", "device", "ua"))
_JA4, _JA4H, _JA4S = (PLACE[f"count_{name}"] for name in ("ja4", "ja4h", "ja4s"))


def assessments(
    model: Model,
    observations: Sequence[Observation],
    histories: Sequence[UserHistory | None],
    scored: Scored,
    *,
    ts: float,
) -> list[RiskScore]:
    """One answer for each event, in order; `ts` is when they were scored. The level derives from the score shown."""
    weighed = scored.weighed
    shown = in_hundredths(weighed.score)
    surprise_weight = model.surprise.weight or 1.0
    speeds = speeds_kmh(scored.signals).tolist()
    columns = zip(
        observations,
        histories,
        scored.rows,
        shown.tolist(),
        (weighed.evidence[:, TERM[UNUSUAL]] / surprise_weight).tolist(),
        speeds,
        _explained(model, observations, scored, speeds),
        _worth_telling(weighed.points, shown),
        strict=True,
    )
    version, encoders = model.version, model.encoders
    answers = []
    for seen, history, row, hundredths, nats, speed, explain, told in columns:
        score = hundredths / 100.0
        case = Case(
            seen=seen,
            past=EMPTY if history is None else history,
            encoders=encoders,
            row=row,
            surprise_nats=nats,
            speed_kmh=speed,
        )
        answers.append(
            RiskScore(
                risk_score=score,
                risk_level=risk_level(score),
                model_label=-1 if score >= MEDIUM_FROM else 1,
                explain=explain,
                ts_scored=ts,
                reasons=reasons(case, hundredths=hundredths, told=told),
                model_version=version,
                event_id=seen.event_id,
            )
        )
    return answers


def in_hundredths(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scores as they are shown, (n,) in whole hundredths: rounded down, so that 59.999 is 59.99 and stays low."""
    shown: NDArray[np.float64] = np.floor(np.minimum(score, 100.0) * 100.0)
    return shown


def _worth_telling(points: NDArray[np.float64], shown: NDArray[np.float64]) -> list[list[tuple[float, int]]]:
    """For each event the terms to tell, as (hundredths, term); `shown` is its score in hundredths."""
    told: list[list[tuple[float, int]]] = [[] for _ in range(len(points))]
    smallest = np.where(shown >= 100.0 * MEDIUM_FROM, SMALLEST_HUNDREDTHS, SMALLEST_WHEN_LOW)
    rows, terms = np.nonzero(points >= smallest[:, None])
    for row, term, part in zip(rows.tolist(), terms.tolist(), points[rows, terms].tolist(), strict=True):
        told[row].append((part, term))
    return told


def _explained(
    model: Model, observations: Sequence[Observation], scored: Scored, speeds: Sequence[float]
) -> list[Explain]:
    columns = zip(
        observations,
        scored.rows,
        scored.features[:, :2].astype(np.int64).tolist(),
        scored.features[:, DISTANCE].tolist(),
        scored.weighed.total.tolist(),
        _new_levels(model, scored),
        _matching_rules(scored),
        speeds,
        strict=True,
    )
    return [
        _explain(seen, row, when, distance, total=total, new=new, rules=rules, speed=speed)
        for seen, row, when, distance, total, new, rules, speed in columns
    ]


def _matching_rules(scored: Scored) -> list[tuple[str, ...]]:
    """For each event the rules that match at all."""
    found: list[tuple[str, ...]] = [()] * len(scored.matches)
    rows, rules = np.nonzero(scored.matches > 0.0)
    for row, rule in zip(rows.tolist(), rules.tolist(), strict=True):
        found[row] = (*found[row], RULES[rule])
    return found


def _new_levels(model: Model, scored: Scored) -> list[tuple[str, ...]]:
    """For each event the levels whose value the person's history lacks; none for a person without history."""
    signals = scored.signals
    is_new = (signals[:, _SEEN] == 0.0) & (signals[:, _LOGINS] > 0.0)[:, None] & (model.likelihood.used > 0.0)
    found: list[tuple[str, ...]] = [()] * len(signals)
    rows, levels = np.nonzero(is_new)
    for row, level in zip(rows.tolist(), levels.tolist(), strict=True):
        found[row] = (*found[row], LEVELS[level])
    return found


def _explain(
    seen: Observation,
    row: Row,
    when: list[int],
    distance: float,
    *,
    total: float,
    new: tuple[str, ...],
    rules: tuple[str, ...],
    speed: float,
) -> Explain:
    network = seen.network
    gap, beyond = row[_GAP], row[_PLACE_KM]
    # By position: so many names would cost as much as everything else here.
    return Explain(
        when[0], when[1], 1 if seen.success else 0,
        row[_USER], row[_IP], row[_DEVICE], row[_UA], row[_JA4], row[_JA4H], row[_JA4S],
        seen.ip_rep, seen.asn or None, (network.asn_name or None) if seen.asn == network.asn else None,
        None if math.isnan(distance) else distance,
        seen.country, seen.region, seen.city, network.kind, network.is_listed,
        seen.browser_version, seen.os, seen.device_type, seen.fingerprint.parses,
        row[_LOGINS], new, total, rules, int(row[_HOUR_LOCAL]),
        None if math.isnan(speed) else speed, None if math.isnan(beyond) else beyond,
        None if math.isnan(gap) else gap / DAY_SECONDS,
    )  # fmt: skip
