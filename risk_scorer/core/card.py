"""What is known of a model's quality and of where it comes from, as `card.json` beside it: hashed in the manifest.

No scorer needs it to score. Whoever promotes a model reads it, and so do people. It follows from data, seed and code
alone: the same training gives the same card to the byte, so no time and no path is in it.
"""

from typing import Final

from msgspec import Struct, json

from risk_scorer.core.label_report import LabelReport
from risk_scorer.core.manifest import Span

FORMAT: Final = "riskgate-card/1"
CARD: Final = "card.json"
OTHERS: Final = "(others)"
"""Groups that are too small to be told alone, together."""


class Rate(Struct, frozen=True, kw_only=True):
    """`count` of so many, as a share with its two-sided 95 % limits. Source: Clopper and Pearson 1934."""

    count: int
    of: int
    value: float
    low: float
    high: float


class FalsePositives(Struct, frozen=True, kw_only=True):
    """Held-out logins of the people themselves that reach a mark; `upper` is the one-sided 95 % upper limit.

    `is_extrapolated` when there were too few to count the budget, and the mark was read off the falling tail.
    """

    mark: str
    budget: float
    rate: Rate
    upper: float
    is_extrapolated: bool


class Lineage(Struct, frozen=True, kw_only=True):
    """What the model was made from: digests of the usable rows, of our own code and of the labels; the seed.

    `command` is what was asked for, files by their digest; `parent` the version that this one was derived from.
    """

    data_sha256: str
    rows: int
    seed: int
    code_version: str
    code_sha256: str
    libraries: dict[str, str]
    command: tuple[str, ...] = ()
    parent: str | None = None
    labels_sha256: str | None = None


class ModelCard(Struct, frozen=True, kw_only=True):
    """The card. `labels` counts labelled logins by who said so.

    `strangers` is the share of simulated ones that reach 60, by kind and "all"; `compromises` the same of confirmed
    ones that were held out, before labels taught the model. `label_report` is None for a training without labels.
    `groups` are false positives at 60 by attribute and value. `not_tested` are sentences.
    """

    format: str
    span: Span
    held_out: Span
    rows: dict[str, int]
    labels: dict[str, int]
    false_positives: tuple[FalsePositives, ...]
    strangers: dict[str, Rate]
    compromises: Rate | None
    groups: dict[str, dict[str, Rate]]
    not_tested: tuple[str, ...]
    lineage: Lineage
    label_report: LabelReport | None = None

    def at(self, mark: str) -> FalsePositives | None:
        """The false positives at this mark (`step_up`, `deny`)."""
        return next((each for each in self.false_positives if each.mark == mark), None)


def encode(card: ModelCard) -> bytes:
    """The card as indented JSON, keys in order."""
    return json.format(json.encode(card, order="deterministic"), indent=1) + b"\n"


def decode(stored: bytes) -> ModelCard:
    """The inverse of `encode`; fields that a later version added are left out. Raises msgspec.MsgspecError."""
    return json.decode(stored, type=ModelCard)
