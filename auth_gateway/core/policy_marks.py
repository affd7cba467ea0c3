"""The `[[marks]]` tables of a policy document become marks of applications and groups. What is wrong is told with the
place where it stands."""

from math import inf
from typing import Any

from auth_gateway.core.marks import HIGHEST_DENY, LOWEST_DENY, LOWEST_STEP_UP, SHARED, Marks, OwnMarks
from auth_gateway.core.policy_conditions import Names, Told, conditions, listed, one_of, quoted
from auth_gateway.core.toml_lines import Path

MOST_MARKS = 1000
_MEANT = ("client", "group", "role")
_KEYS = (*_MEANT, "step_up", "deny", "model")
_LONGEST_MODEL = 64


def own_marks(given: Any, names: Names, told: Told, *, highest_step_up: float) -> tuple[OwnMarks, ...]:
    """All that can be read, in their order; a step-up mark goes from 30 to `highest_step_up`, a deny mark from 60 to
    80."""
    if not isinstance(given, list):
        told(("marks",), "marks are written as [[marks]], with two brackets on either side")
        return ()
    if len(given) > MOST_MARKS:
        told(("marks", MOST_MARKS), f"there are more than {MOST_MARKS} marks")
        return ()
    return tuple(_own(table, ("marks", place), names, told, highest_step_up) for place, table in enumerate(given))


def _own(given: Any, place: Path, names: Names, told: Told, highest_step_up: float) -> OwnMarks:
    if not isinstance(given, dict):
        told(place, f"must be a table, not {quoted(given)}")
        return OwnMarks(marks=SHARED)
    for key in given:
        if key not in _KEYS:
            told((*place, key), f"unknown key {quoted(key)}: marks have {one_of(_KEYS)}")
    if not any(key in given for key in _MEANT):
        told(place, f"marks say whom they are for: {one_of(_MEANT)}")
    if "step_up" not in given and "deny" not in given:
        told(place, "marks say from which score on: step_up, deny or both")
    meant = conditions({key: given[key] for key in _MEANT if key in given}, place, names, told)
    step_up = _mark(given, "step_up", place, told, lowest=LOWEST_STEP_UP, highest=highest_step_up)
    deny = _mark(given, "deny", place, told, lowest=LOWEST_DENY, highest=HIGHEST_DENY)
    marks = Marks(step_up=SHARED.step_up if step_up is None else step_up, deny=SHARED.deny if deny is None else deny)
    if marks.step_up > marks.deny:
        told((*place, "deny"), f"who is denied from {marks.deny:g} on cannot be asked only from {marks.step_up:g}")
    return OwnMarks(
        marks=marks,
        clients=meant.clients,
        usernames=meant.usernames,
        model=_model(given, place, told),
        meant=" ".join(f"{key}={listed(given[key])}" for key in _MEANT if key in given),
    )


def _mark(given: dict[str, Any], key: str, place: Path, told: Told, *, lowest: float, highest: float) -> float | None:
    value = given.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not -inf < value < inf:
        told((*place, key), f"{key} {quoted(value)} is not a number")
        return None
    if not lowest <= value <= highest:
        told((*place, key), f"{key} {quoted(value)} is not from {lowest:g} to {highest:g}")
        return None
    return float(value)


def _model(given: dict[str, Any], place: Path, told: Told) -> str:
    model = given.get("model", "")
    if isinstance(model, str) and len(model) <= _LONGEST_MODEL and (model or "model" not in given):
        return model
    told((*place, "model"), f"model {quoted(model)} is not a model's version")
    return ""
