"""What the scorer tells about its rules."""

from msgspec import Struct


class RuleFacts(Struct, frozen=True, kw_only=True):
    """One rule: `weight` in nats as the model has it, `report_only` when it moves no score here.

    `match_rate` is its share of the legitimate training logins, None where the log could not tell; `matched` counts
    live logins since this process started.
    """

    name: str
    text: str
    weight: float
    report_only: bool
    match_rate: float | None
    matched: int


class RuleReport(Struct, frozen=True, kw_only=True):
    """Every rule of the model in use, in order, and how many logins were scored since this process started."""

    model_version: str
    scored: int
    rules: list[RuleFacts]
