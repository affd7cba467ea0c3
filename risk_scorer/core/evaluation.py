"""How a model did on a later labelled log, as `risk-training evaluate` told it, kept with its version and signed.

Of an evaluation only what is shown is read; the kept bytes are signed as they are, so that a newer tool may say more.
"""

from collections.abc import Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct, field

from risk_scorer.core.registry import Line, Version
from risk_scorer.core.signatures import BadArtefact, Signature, check_signature

FORMAT: Final = "riskgate-evaluation/1"
KEPT_FORMAT: Final = "riskgate-kept-evaluation/1"
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Shares = Annotated[tuple[Share, ...], Meta(max_length=1000)]


class Roc(Struct, frozen=True, kw_only=True):
    """Recall at false-positive rates, and the area under it."""

    false_positive_rate: Shares
    recall: Shares
    area: Share


class PrecisionRecall(Struct, frozen=True, kw_only=True):
    """Precision at each recall, its average, and what guessing would reach."""

    recall: Shares
    precision: Shares
    average_precision: Share
    guessing: Share


class Curves(Struct, frozen=True, kw_only=True):
    """Both curves of one family of attacks."""

    roc: Roc
    precision_recall: PrecisionRecall


class Bin(Struct, frozen=True, kw_only=True):
    """The share of attacks among the labelled logins of one stretch of the scale, with its 95 % limits."""

    since: float = field(name="from")
    until: float = field(name="to")
    attacks: int
    among: int
    share: Share
    low: Share
    high: Share


class Without(Struct, frozen=True, kw_only=True):
    """What changes without one part of the model: mean recall at 1 % and 2 % false positives, and decisions."""

    name: str
    kind: str
    status: str
    reason: str | None = None
    change_at_1: float | None = None
    change_at_2: float | None = None
    moved: int | None = None
    moved_share: float | None = None


class Ablation(Struct, frozen=True, kw_only=True):
    """Each part taken out alone, over so many rows; `macro` is the mean recall with all of them."""

    rows: int
    macro: dict[str, float]
    entries: tuple[Without, ...]


class Caught(Struct, frozen=True, kw_only=True):
    """A share of one family that was caught, with its 95 % limits."""

    recall: Share
    low: float
    high: float


class AtMark(Struct, frozen=True, kw_only=True):
    """What is caught at 60 or 80, and the share of legitimate logins that reach it."""

    mark: str
    score: float
    false_positives: Share
    families: dict[str, Caught]


class Judged(Struct, frozen=True, kw_only=True):
    """The log that it was judged on."""

    file: str
    schema: str
    judged_from: str
    last: str
    judged_rows: int
    legitimate: int
    is_synthetic: bool
    notes: tuple[str, ...] = ()


class OfModel(Struct, frozen=True, kw_only=True):
    """Which model was judged."""

    version: Version


class Evaluation(Struct, frozen=True, kw_only=True):
    """The evaluation, as far as it is shown."""

    format: str
    data: Judged
    model: OfModel
    at_marks: tuple[AtMark, ...]
    curves: dict[str, Curves]
    reliability: tuple[Bin, ...]
    ablation: Ablation


class Kept(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An evaluation of that version, since when it is kept (epoch seconds) and by whom."""

    format: str
    model_version: Version
    at: float
    by: Line
    evaluation: msgspec.Raw
    signature: Signature | None = None


def evaluation_of(stored: bytes) -> Evaluation:
    """The evaluation in these bytes. Raises BadArtefact(`bad_evaluation`)."""
    try:
        found = msgspec.json.decode(stored, type=Evaluation)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_evaluation", "this is no evaluation that `risk-training evaluate` wrote") from error
    if found.format != FORMAT:
        raise BadArtefact("bad_evaluation", f"an evaluation of the format {found.format[:64]} is not read here")
    return found


def kept_of(stored: bytes, version: str, public_keys: Sequence[bytes]) -> tuple[Kept, Evaluation]:
    """What is kept of that version, if one of these keys signed it as such.

    Raises BadArtefact: `bad_evaluation`, `wrong_version`, `untrusted_key`, `bad_signature`.
    """
    try:
        kept = msgspec.json.decode(stored, type=Kept)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadArtefact("bad_evaluation", "what is kept as the evaluation cannot be read") from error
    if kept.signature is None or kept.format != KEPT_FORMAT:
        raise BadArtefact("bad_evaluation", "what is kept as the evaluation is not one that this version reads")
    check_signature(signed_bytes(kept), kept.signature, public_keys, what="the evaluation")
    found = evaluation_of(bytes(kept.evaluation))
    if kept.model_version != version or found.model.version != version:
        raise BadArtefact("wrong_version", f"what is kept of {version} is about {kept.model_version}")
    return kept, found


def encode(kept: Kept) -> bytes:
    """As it is stored: compact, since the evaluation's own bytes are signed as they are."""
    return msgspec.json.encode(kept, order="deterministic")


def signed_bytes(kept: Kept) -> bytes:
    """What its signature is over: all of it but the signature."""
    return encode(msgspec.structs.replace(kept, signature=None))
