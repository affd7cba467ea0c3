"""One run of `risk-training evaluate --kind session`: a labelled log through the whole engine, and what came of it."""

import collections
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from risk_scorer.adapters.published_folder import BadPublicKey, public_keys, read_files
from risk_scorer.contract.activity import FREEZE_FROM, LOGOUT_FROM, RESET_FROM, STEP_UP_FROM
from risk_scorer.core.activity.detectors import ALL as DETECTORS
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.session_model.artefact import load
from risk_scorer.core.session_model.joining import with_learned
from risk_scorer.core.session_model.model import SessionModel
from risk_scorer.core.signatures import BadArtefact
from training.activity import judged
from training.activity.reading import labels_of
from training.activity.replay import Outcome, replayed
from training.activity.stored import opened_log
from training.calibrate import upper_bound
from training.card import rate
from training.lookup_files import open_lookups
from training.outputs import replaced_whole
from training.refusals import WrongInputError

BUDGET = 0.02
"""Of harmless sessions that may be prompted."""
MARKS = {"step_up": STEP_UP_FROM, "reset": RESET_FROM, "logout": LOGOUT_FROM, "freeze": FREEZE_FROM}
MOST_CODES = 12


@dataclass(frozen=True)
class Request:
    """What was asked for. `source` is a file, or the scorer's database by its URL; without a `model_dir` the detectors
    are judged alone."""

    source: Path | str
    labels: Path
    model_dir: Path | None
    public_key: Path
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()
    json_out: Path | None = None


def evaluated(request: Request, shipped: Scale, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Sessions prompted among the harmless, and attacks caught by kind, with 95 % intervals.

    `shipped` is the scale where no model brings one. Raises WrongInputError, UnreachableError.
    """
    model = None if request.model_dir is None else opened(request.model_dir, request.public_key)
    labels = labels_of(request.labels)
    engine = Engine(with_learned(DETECTORS, lambda: model), shipped if model is None else model.scale)
    progress("replay", 0.0)
    with opened_log(request.source, open_lookups(overlays=request.overlays, listed=request.listed)) as log:
        outcomes = replayed(log, engine, labels, mark=STEP_UP_FROM)
        if not outcomes:
            raise WrongInputError("empty_file", f"{log.name} has no events")
    progress("replay", 1.0)
    facts = {
        "model_version": None if model is None else model.version,
        "scale": engine.scale.name,
        "detectors": [each.name for each in engine.detectors],
        "is_synthetic": any(each.is_synthetic for each in labels.values()),
        "events": sum(each.events for each in outcomes.values()),
        "sessions": len(outcomes),
        **_harmless(judged.benign(outcomes, labels)),
        **_hostile(judged.attacks(outcomes, labels)),
    }
    if request.json_out is not None:
        with replaced_whole(request.json_out) as draft:
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(facts), indent=1))
    return facts


def opened(model_dir: Path, public_key: Path) -> SessionModel:
    """The model, checked as the scoring service checks it. Raises WrongInputError with the code of what is wrong."""
    try:
        return load(read_files(model_dir), public_keys([str(public_key)]))
    except FileNotFoundError as cause:
        raise WrongInputError("no_model", f"there is no signed model in {model_dir}") from cause
    except BadPublicKey as cause:
        raise WrongInputError("bad_public_key", f"{public_key} holds no Ed25519 public key") from cause
    except BadArtefact as cause:
        raise WrongInputError(cause.code, f"the model in {model_dir} cannot be used: {cause}") from cause


def _harmless(sessions: list[tuple[str, Outcome]]) -> dict[str, Any]:
    of = len(sessions)
    reached = {name: sum(each.score >= mark for _, each in sessions) for name, mark in MARKS.items()}
    return {
        "harmless_sessions": of,
        "prompted": judged.rate_facts({name: rate(count, of) for name, count in reached.items()}),
        "prompted_upper": upper_bound(reached["step_up"], of),
        "within_budget": upper_bound(reached["step_up"], of) <= BUDGET,
        "prompted_by_look_alike": judged.rate_facts(judged.by_kind(sessions, lambda each: each.score >= STEP_UP_FROM)),
        "prompted_by_finding": _codes(each for _, each in sessions if each.score >= STEP_UP_FROM),
    }


def _hostile(sessions: list[tuple[str, Outcome]]) -> dict[str, Any]:
    caught = judged.by_kind(sessions, lambda each: each.until_mark is not None)
    return {
        "attack_sessions": len(sessions),
        "recall": judged.rate_facts(caught),
        "until_mark": judged.until_mark(sessions),
        "missed_by_finding": _codes(each for _, each in sessions if each.until_mark is None),
    }


def _codes(sessions: Iterable[Outcome]) -> dict[str, int]:
    """What was found in these sessions, the most frequent first."""
    counts = collections.Counter(code for each in sessions for code in each.codes)
    return dict(counts.most_common(MOST_CODES))


def lines(facts: dict[str, Any]) -> list[str]:
    """The facts for people."""
    told = [
        f"{facts['events']:,} events, {facts['sessions']:,} sessions"
        + (" (synthetic: invented people and attacks)" if facts["is_synthetic"] else ""),
        f"scale {facts['scale']}",
    ]
    for name, each in facts["prompted"].items():
        told.append(f"harmless sessions at {name:<8} {_share(each)}")
    told.append(f"upper 95 % bound of prompted {facts['prompted_upper']:.2%}, budget {BUDGET:.0%}")
    for name, each in facts["prompted_by_look_alike"].items():
        told.append(f"  prompted, {name:<22} {_share(each)}")
    for name, each in facts["recall"].items():
        until = facts["until_mark"].get(name)
        soon = "" if until is None else _soon(until)
        told.append(f"  caught, {name:<24} {_share(each)}{soon}")
    return told


def _soon(until: dict[str, float]) -> str:
    events = f"median {until['events_median']:g} events, 95 % {until['events_p95']:g}"
    return f"; {events}; {until['seconds_median']:g} s, 95 % {until['seconds_p95']:g} s"


def _share(each: dict[str, Any]) -> str:
    return f"{each['count']} of {each['of']}, {each['share']:.2%} ({each['low']:.2%} to {each['high']:.2%})"
