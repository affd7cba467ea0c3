"""One run of `risk-training train --kind session`: read, fit on the earlier part, set the marks on the later, sign."""

import contextlib
import importlib.metadata
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from risk_scorer.contract.activity import STEP_UP_FROM
from risk_scorer.core.activity.detector import Detector
from risk_scorer.core.activity.detectors import ALL as DETECTORS
from risk_scorer.core.activity.detectors.session_window import SessionWindow
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.scale import Scale
from risk_scorer.core.activity.seen import Seen
from risk_scorer.core.artefact import MANIFEST, SIGNATURE
from risk_scorer.core.card import FORMAT as CARD_FORMAT
from risk_scorer.core.card import Lineage, ModelCard
from risk_scorer.core.manifest import Span
from risk_scorer.core.session_model.artefact import load
from risk_scorer.core.session_model.joining import with_learned
from risk_scorer.core.session_model.manifest import PredictorNumbers
from risk_scorer.core.session_model.model import WINDOW_NAME, SessionModel
from training import publish
from training.activity import judged
from training.activity.artefact import Described, files_of, libraries
from training.activity.fitting import fitted_marks, fitted_predictor, fitted_scale, fitted_windows
from training.activity.gathering import GatheredSequences, GatheredWindows, everyone_in
from training.activity.reading import Events, Label, labels_of
from training.activity.replay import Memories, Outcome, replayed
from training.activity.stored import opened_log
from training.calibrate import mark_notes
from training.lineage import code_sha256, files_digest
from training.lookup_files import open_lookups
from training.refusals import TrainingRefusedError, WrongInputError
from training.training_run import check_places

FITTED_SHARE, WARM_SHARE = 2 / 3, 0.15
"""Of the span: what is fitted on, less a first part in which nobody has habits yet. The rest sets the marks."""
LEAST_HELD_OUT = 200
FITTING_SCALE = Scale(name="fitting", nats=(0.0, 4.0, 7.0), score=(2.0, 60.0, 80.0))
"""While there is no scale yet: what may teach is decided by 55 to 1."""
SILENT = PredictorNumbers(weights={}, intercept=0.0, prior=0.0, sessions=0, attacks=0)
NO_CARD = ModelCard(
    format=CARD_FORMAT,
    span=Span(first=0.0, last=0.0),
    held_out=Span(first=0.0, last=0.0),
    rows={},
    labels={},
    false_positives=(),
    strangers={},
    compromises=None,
    groups={},
    not_tested=(),
    lineage=Lineage(data_sha256="", rows=0, seed=0, code_version="", code_sha256="", libraries={}),
)
"""Of a model that is not finished and never published."""
SYNTHETIC = "synthetic: fitted on invented people and invented attacks"


@dataclass(frozen=True)
class Request:
    """What was asked for on the command line. `source` is a file, or the scorer's database by its URL."""

    source: Path | str
    labels: Path | None
    model_dir: Path
    key: Path
    seed: int
    overlays: Sequence[Path] = ()
    listed: Sequence[Path] = ()


@dataclass(frozen=True)
class _Parts:
    """Everything about the log that fitting asks for; `ends` is where the held-out part begins."""

    log: Events
    labels: Mapping[str, Label]
    span: Span
    events: int
    starts: float
    ends: float


def trained(request: Request, progress: Callable[[str, float], None]) -> dict[str, Any]:
    """Train, check and publish a signed session model; what to tell.

    The same events, labels, seed and libraries give the same bytes, whether a file has the events or a scorer's
    database. Raises WrongInputError, TrainingRefusedError, UnreachableError; the model that is there then stays.
    """
    check_places(request.model_dir, request.key)
    with _writing():
        key = publish.signing_key(request.key)
    lookups = open_lookups(overlays=request.overlays, listed=request.listed)
    labels = {} if request.labels is None else labels_of(request.labels)
    progress("read", 0.0)
    with opened_log(request.source, lookups) as log:
        parts = _parts(log, labels)
        progress("read", 1.0)
        return _published(parts, request, key, progress)


def _published(
    parts: _Parts, request: Request, key: Ed25519PrivateKey, progress: Callable[[str, float], None]
) -> dict[str, Any]:
    def opened(found: Described, card: ModelCard = NO_CARD) -> SessionModel:
        return load(_signed(found, card, key), [publish.public_bytes(key)])

    draft = _fitted(parts, request.seed, opened)
    progress("fit", 0.7)
    described, held_out = _with_scale(draft, parts, opened(draft))
    card = _card(described, parts, held_out, request)
    model = opened(described, card)
    progress("fit", 1.0)
    with _writing():
        publish.publish(_signed(described, card, key), request.model_dir)
    progress("publish", 1.0)
    return _told(model, card, request, described.windows.difference)


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as cause:
        raise WrongInputError("unwritable_output", f"the model or its key cannot be written: {cause}") from cause


def _signed(found: Described, card: ModelCard, key: Ed25519PrivateKey) -> dict[str, bytes]:
    files = files_of(found, card)
    return {**files, SIGNATURE: publish.signature(files[MANIFEST], key)}


def _parts(log: Events, labels: Mapping[str, Label]) -> _Parts:
    first = last = 0.0
    count = 0
    for count, seen in enumerate(log, 1):
        first = seen.ts if count == 1 else first
        last = seen.ts
    if not count:
        raise WrongInputError("empty_file", f"{log.name} has no events")
    span = last - first
    if not span:
        raise TrainingRefusedError("too_few_sessions", f"all events of {log.name} happened in one moment")
    return _Parts(
        log, labels, Span(first=first, last=last), count, first + WARM_SHARE * span, first + FITTED_SHARE * span
    )


def _fitted(parts: _Parts, seed: int, opened: Callable[[Described], SessionModel]) -> Described:
    """Forest first, then the predictor, which sees what the forest finds; a scale that stands in for the fitted one."""
    everyone = everyone_in(parts.log, parts.ends)
    gathered = GatheredWindows(everyone, parts.starts, parts.ends)
    replayed(_earlier(parts), Engine([gathered], FITTING_SCALE), parts.labels, mark=STEP_UP_FROM)
    described = Described(
        everyone=everyone,
        windows=fitted_windows(gathered.rows, seed),
        predictor=SILENT,
        scale=FITTING_SCALE,
        marks={},
        detectors=(*(each.name for each in DETECTORS), WINDOW_NAME),
        people={},
        span=parts.span,
        rows={"events": parts.events, "windows": len(gathered.rows)},
        seed=seed,
        is_synthetic=any(each.is_synthetic for each in parts.labels.values()),
        notes=(),
    )
    forest_alone = opened(described)
    detectors: tuple[Detector, ...] = (*DETECTORS, SessionWindow(lambda: forest_alone))
    sequences = GatheredSequences(parts.labels, parts.starts, parts.ends)
    replayed(_earlier(parts), Engine((*detectors, sequences), FITTING_SCALE), parts.labels, mark=STEP_UP_FROM)
    return replace(described, predictor=fitted_predictor(sequences, detectors))


def _with_scale(draft: Described, parts: _Parts, model: SessionModel) -> tuple[Described, dict[str, Outcome]]:
    """Marks from the held-out sessions, as all detectors together judge them; and how these came out."""
    memories = Memories()
    engine = Engine(with_learned(DETECTORS, lambda: model), FITTING_SCALE)
    every = replayed(parts.log, engine, parts.labels, mark=STEP_UP_FROM, memories=memories)
    held_out = {name: each for name, each in every.items() if each.began >= parts.ends}
    harmless = judged.benign(held_out, parts.labels)
    if len(harmless) < LEAST_HELD_OUT:
        raise TrainingRefusedError(
            "too_few_sessions", f"{len(harmless)} harmless sessions are held out; at least {LEAST_HELD_OUT} are needed"
        )
    step_up, deny = fitted_marks(judged.highest(harmless))
    people = {name: memory[WINDOW_NAME] for name, memory in memories.people() if WINDOW_NAME in memory}
    described = replace(
        draft,
        scale=fitted_scale(step_up, deny),
        marks={"step_up": step_up, "deny": deny},
        people=people,
        rows={**draft.rows, "sessions": len(every), "held_out": len(harmless)},
        notes=(
            *([SYNTHETIC] if draft.is_synthetic else []),
            *(note.replace("logins", "sessions") for note in mark_notes(step_up, deny)),
        ),
    )
    return described, held_out


def _card(described: Described, parts: _Parts, held_out: Mapping[str, Outcome], request: Request) -> ModelCard:
    harmless, hostile = judged.benign(held_out, parts.labels), judged.attacks(held_out, parts.labels)
    mark = described.marks["step_up"].evidence
    return ModelCard(
        format=CARD_FORMAT,
        span=parts.span,
        held_out=Span(first=parts.ends, last=parts.span.last),
        rows={"used": parts.events, **described.rows},
        labels={"simulator": len(parts.labels)} if described.is_synthetic else {"given": len(parts.labels)},
        false_positives=judged.false_positives(harmless, described.marks),
        strangers=judged.by_kind(hostile, lambda each: each.after >= mark) if hostile else {},
        compromises=None,
        groups={"look_alike": judged.by_kind(harmless, lambda each: each.highest >= mark)},
        not_tested=tuple(_not_tested(described, hostile)),
        lineage=Lineage(
            data_sha256=parts.log.sha256(),
            rows=parts.events,
            seed=request.seed,
            code_version=importlib.metadata.version("riskgate"),
            code_sha256=code_sha256(),
            libraries=libraries(),
            command=("train", "--kind", "session", "--seed", str(request.seed)),
            labels_sha256=None if request.labels is None else files_digest([request.labels])[0],
        ),
    )


def _not_tested(described: Described, hostile: Sequence[object]) -> Iterator[str]:
    if described.is_synthetic:
        yield "Real people: every session and every attack of this log was invented, by the rules of one simulator."
        yield "Attacks that the simulator does not know: recall is of its kinds alone."
    if not hostile:
        yield "Attacks: the log has no labelled one in its held-out part, so the predictor's recall is unknown."
    if not described.predictor.weights:
        yield "The predictor of attack-like sequences: there were too few labelled attacks, and it says nothing."
    yield "The marks were set on the same held-out sessions that their false positives are counted on."


def _earlier(parts: _Parts) -> Iterator[Seen]:
    return itertools.takewhile(lambda seen: seen.ts < parts.ends, parts.log)


def _told(model: SessionModel, card: ModelCard, request: Request, difference: float) -> dict[str, Any]:
    said = model.manifest
    return {
        "model_version": model.version,
        "kind": said.kind,
        "model_dir": str(request.model_dir),
        "public_key": str(request.key.with_suffix(".pub")),
        "is_synthetic": said.is_synthetic,
        **said.rows,
        "largest_difference_to_scikit_learn": difference,
        "marks": {
            each.mark: f"{each.rate.count} of {each.rate.of} harmless sessions, at most {each.upper:.3%}"
            for each in card.false_positives
        },
        "recall": {name: f"{each.count} of {each.of}" for name, each in card.strangers.items()},
        "notes": list(said.notes),
    }
