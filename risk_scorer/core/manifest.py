"""What a published model says of itself, in one signed JSON file: every number that is not a big array."""

from typing import Annotated

from msgspec import Meta, MsgspecError, Struct, json

FORMAT = "riskgate-model/2"
OTHER_KINDS = "riskgate-session-model/"
"""How formats of models begin that are signed with the same keys, and score something else than logins."""
Number = Annotated[float, Meta(ge=-1e12, le=1e12)]


class Span(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """First and last login of the training log, epoch seconds UTC."""

    first: Number
    last: Number


class Rows(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many rows of the log were what; `dropped` is by reason."""

    used: int
    successful: int
    fitted: int
    held_out: int
    dropped: dict[str, int]


class ForestNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of `core.forest.Forest` beside its arrays."""

    trees: Annotated[int, Meta(ge=1, le=10_000)]
    depth: Annotated[int, Meta(ge=0, le=64)]
    scale: Annotated[float, Meta(gt=0, le=1e6)]
    offset: Number


class LevelNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One level of `core.likelihood.Likelihood`."""

    strength: Annotated[float, Meta(gt=0, le=1e9)]
    discount: Annotated[float, Meta(ge=0, lt=1)]
    scale: Annotated[float, Meta(ge=0, le=1e12)]
    unseen: Annotated[float, Meta(gt=0, le=1e12)]
    used: bool


class PairNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The numbers of `core.pairs.Pairs` beside its arrays; `usual` is by part."""

    trees: Annotated[int, Meta(ge=1, le=10_000)]
    depth: Annotated[int, Meta(ge=0, le=64)]
    baseline: Number
    usual: dict[str, Number]


class HourNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`core.model.Hours`."""

    profile: tuple[Annotated[float, Meta(gt=0, le=1)], ...]
    strength: Annotated[float, Meta(gt=0, le=1e9)]
    weight: Annotated[float, Meta(ge=0, le=100)]


class RuleNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule's weight in nats (0 is report-only) and the share of training logins that match it, None if unknown."""

    weight: Annotated[float, Meta(ge=0, le=100)]
    match_rate: float | None


class MarkNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where 60 or 80 lies and what the held-out legitimate logins say of it; see `training.calibrate.Mark`."""

    budget: float
    evidence: Number
    prompted: int
    logins: int
    bound: float
    is_extrapolated: bool


class CalibrationNumbers(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One change of the marks of a model that was trained already: `of` is the version that had the marks `before`.

    Both `before` and `after` say what the marks do to the same later logins, which `data` names (SHA-256).
    """

    of: str
    data: str
    span: Span
    seed: int
    before: dict[str, MarkNumbers]
    after: dict[str, MarkNumbers]


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`files` maps each name to its SHA-256; `absent` names what the log could not fill, with the reason.

    `simulated` is the share of strangers drawn from the log that reach 60, by kind.

    `calibrations` are the changes of its marks since it was trained, the oldest first; none are not written, so that
    models from before there were any keep their version. `score_map` and `surprise` are lists of knots.
    `model_version` is the digest of everything else here.
    """

    format: str
    model_version: str
    files: dict[str, str]
    features: tuple[str, ...]
    absent: dict[str, str]
    span: Span
    rows: Rows
    seed: int
    libraries: dict[str, str]
    unknown_km: Annotated[float, Meta(ge=0, le=25_000)]
    forest: ForestNumbers
    most_nats: Annotated[float, Meta(gt=0, le=100)]
    likelihood: dict[str, LevelNumbers]
    pairs: PairNumbers
    hours: HourNumbers
    rules: dict[str, RuleNumbers]
    surprise: tuple[tuple[Number, Number], ...]
    surprise_weight: Annotated[float, Meta(ge=0, le=100)]
    score_map: tuple[tuple[Number, Number], ...]
    marks: dict[str, MarkNumbers]
    simulated: dict[str, float]
    notes: tuple[str, ...]
    calibrations: tuple[CalibrationNumbers, ...] = ()


def encode(manifest: Manifest) -> bytes:
    """The manifest as indented JSON, keys in order."""
    return json.format(json.encode(manifest, order="deterministic"), indent=1) + b"\n"


def decode(stored: bytes) -> Manifest:
    """The inverse of `encode`. Raises msgspec.MsgspecError."""
    return json.decode(stored, type=Manifest)


class _Claim(Struct):
    format: str = ""


def format_of(stored: bytes) -> str:
    """What a manifest of whatever kind calls its format, "" where it cannot be read."""
    try:
        return json.decode(stored, type=_Claim).format
    except (MsgspecError, UnicodeError, RecursionError):
        return ""
