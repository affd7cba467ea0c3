"""From a scored batch to the answers that people and services read. Judges nothing: every number is already there."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from risk_scorer.contract.assessment import MEDIUM_FROM, Explain, RiskScore, risk_level
from risk_scorer.core.features import DISTANCE
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.reasons import reasons
from risk_scorer.core.scoring import Scored
from risk_scorer.core.signals import LEVELS, PLACE, Row

SMALLEST_HUNDREDTHS, SMALLEST_WHEN_LOW = 100.0, 300.0
"""What adds less is told as part of the baseline: a login that is let in needs less of a story."""
_SEEN = [PLACE[f"seen_{level}"] for level in LEVELS]
_LOGINS = PLACE["logins"]
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
    # rounded down: 59.999 is shown as 59.99 and stays low
    shown = np.floor(np.minimum(weighed.score, 100.0) * 100.0)
    surprise_weight = model.surprise.weight or 1.0
    columns = zip(
        observations,
        histories,
        shown.tolist(),
        (weighed.evidence[:, 0] / surprise_weight).tolist(),
        _explained(model, observations, scored),
        _worth_telling(weighed.points, shown),
        strict=True,
    )
    version, encoders = model.version, model.encoders
    answers = []
    for seen, history, hundredths, nats, explain, told in columns:
        score = hundredths / 100.0
        answers.append(
            RiskScore(
                risk_score=score,
                risk_level=risk_level(score),
                model_label=-1 if score >= MEDIUM_FROM else 1,
                explain=explain,
                ts_scored=ts,
                reasons=reasons(seen, history, encoders, hundredths=hundredths, told=told, surprise_nats=nats),
                model_version=version,
                event_id=seen.event_id,
            )
        )
    return answers


def _worth_telling(points: NDArray[np.float64], shown: NDArray[np.float64]) -> list[list[tuple[float, int]]]:
    """For each event the terms to tell, as (hundredths, term); `shown` is its score in hundredths."""
    told: list[list[tuple[float, int]]] = [[] for _ in range(len(points))]
    smallest = np.where(shown >= 100.0 * MEDIUM_FROM, SMALLEST_HUNDREDTHS, SMALLEST_WHEN_LOW)
    rows, terms = np.nonzero(points >= smallest[:, None])
    for row, term, part in zip(rows.tolist(), terms.tolist(), points[rows, terms].tolist(), strict=True):
        told[row].append((part, term))
    return told


def _explained(model: Model, observations: Sequence[Observation], scored: Scored) -> list[Explain]:
    columns = zip(
        observations,
        scored.rows,
        scored.features[:, :2].astype(np.int64).tolist(),
        scored.features[:, DISTANCE].tolist(),
        scored.weighed.total.tolist(),
        _new_levels(model, scored),
        strict=True,
    )
    return [
        _explain(seen, row, when, distance, total=total, new=new) for seen, row, when, distance, total, new in columns
    ]


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
    seen: Observation, row: Row, when: list[int], distance: float, *, total: float, new: tuple[str, ...]
) -> Explain:
    network = seen.network
    return Explain(
        hour=when[0],
        day_of_week=when[1],
        success=1 if seen.success else 0,
        user_freq=row[_USER],
        ip_freq=row[_IP],
        device_freq=row[_DEVICE],
        ua_freq=row[_UA],
        ja4_freq=row[_JA4],
        ja4h_freq=row[_JA4H],
        ja4s_freq=row[_JA4S],
        ip_rep=seen.ip_rep,
        asn=seen.asn or None,
        asn_name=(network.asn_name or None) if seen.asn == network.asn else None,
        geo_distance_km=None if math.isnan(distance) else distance,
        country=seen.country,
        region=seen.region,
        city=seen.city,
        network_kind=network.kind,
        is_listed=network.is_listed,
        browser=seen.browser_version,
        os=seen.os,
        device_type=seen.device_type,
        ja4_parses=seen.fingerprint.parses,
        known_logins=row[_LOGINS],
        new=new,
        evidence_nats=total,
    )
