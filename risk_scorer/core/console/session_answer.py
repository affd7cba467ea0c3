"""What the lab says of a supposed session: the risk after each request, why, and what the gateway would do at which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from risk_scorer.contract.activity import Assessment
from risk_scorer.core.console.supposed_session import Ask

Response = Literal["none", "step_up", "reset", "logout", "freeze"]
ENDING: Final[frozenset[Response]] = frozenset({"reset", "logout", "freeze"})
"""Responses after which there is no such session any more."""
WORDS: Final[dict[Response, str]] = {
    "none": "nothing",
    "step_up": "asks the owner for a factor; no token of the session is good until then",
    "reset": "ends the session",
    "logout": "ends every session of the person",
    "freeze": "ends every session of the person and freezes the account",
}


class SessionTrial(Struct, frozen=True, kw_only=True):
    """What the gateway's marks answer to signals of these risks, in their order; with `report_only` it would only be
    written down."""

    responses: list[Response]
    report_only: bool


class Step(Struct, frozen=True, kw_only=True):
    """One request with its answer. `is_told`: the scorer tells the gateway, because the risk has risen to another mark;
    `response` is what that does, None where the gateway could not say; `is_moot`: something before it has ended the
    session or holds it."""

    number: int
    ask: Ask
    answer: Assessment
    is_told: bool
    response: Response | None = None
    is_moot: bool = False


def answered(steps: Sequence[Step], trial: SessionTrial | None) -> tuple[Step, ...]:
    """The steps with what the gateway would do at those that it is told of."""
    if trial is None:
        return tuple(steps)
    responses, found, is_held = iter(trial.responses), [], False
    for step in steps:
        response = next(responses) if step.is_told else "none"
        found.append(replace(step, response=response, is_moot=is_held))
        is_held = is_held or (response != "none" and not trial.report_only)
    return tuple(found)


def stop_of(steps: Sequence[Step]) -> Step | None:
    """The first request at which the gateway would do something."""
    return next((step for step in steps if step.response not in (None, "none")), None)
