"""Takes a log through the engine as live scoring would, in bounded memory, and says how each session came out."""

import collections
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from risk_scorer.core.activity.engine import Engine, Judged
from risk_scorer.core.activity.memory import Around, Memory
from risk_scorer.core.activity.seen import Seen
from training.activity.reading import Label

MOST: Mapping[str, int] = {
    "person": 500_000, "session": 50_000, "peers": 5_000, "service": 5_000, "world": 1, "trace": 20_000,
}  # fmt: skip
"""How many memories of a scope are kept; the ones that were used longest ago leave."""


class Memories:
    """The six scopes of memory of a replay."""

    def __init__(self) -> None:
        self._kept: dict[str, collections.OrderedDict[str, Memory]] = {
            scope: collections.OrderedDict() for scope in MOST
        }

    def around(self, seen: Seen) -> Around:
        """The memories that the event belongs to."""
        keys = {
            "person": seen.user_id, "session": seen.session_id, "peers": seen.peers, "service": seen.service,
            "world": "world", "trace": seen.trace_id,
        }  # fmt: skip
        return Around(**{scope: self._memory(scope, key) for scope, key in keys.items()})

    def people(self) -> Iterator[tuple[str, Memory]]:
        """Everybody who is remembered."""
        return iter(self._kept["person"].items())

    def _memory(self, scope: str, key: str) -> Memory:
        if not key and scope in ("trace", "session"):
            return {}
        kept = self._kept[scope]
        found = kept.get(key)
        if found is None:
            found = kept[key] = {}
            if len(kept) > MOST[scope]:
                kept.popitem(last=False)
        else:
            kept.move_to_end(key)
        return found


@dataclass(slots=True)
class Outcome:
    """How a session came out: `highest` evidence in nats, `after` that since the first hostile event, if any.

    `until_mark` is how many hostile events there had been when it reached the engine's mark for the first time, 0 if it
    was there before any; None where it never was. `codes` are the findings at its highest.
    """

    user_id: str
    began: float
    highest: float = 0.0
    score: float = 0.0
    after: float = 0.0
    hostile: int = 0
    events: int = 0
    until_mark: int | None = None
    first_hostile_at: float = 0.0
    marked_at: float | None = None
    codes: tuple[str, ...] = ()
    unknown: set[str] = field(default_factory=set)


def replayed(
    log: Iterable[Seen], engine: Engine, labels: Mapping[str, Label], *, mark: float, memories: Memories | None = None
) -> dict[str, Outcome]:
    """Every session's outcome. `mark` is the score that prompts."""
    kept = memories or Memories()
    found: dict[str, Outcome] = {}
    nobody = Label("", False, frozenset())
    for seen in log:
        judged = engine.assess(seen, kept.around(seen))
        outcome = found.get(seen.session_id)
        if outcome is None:
            outcome = found[seen.session_id] = Outcome(seen.user_id, seen.ts)
        hostile = seen.event_id in labels.get(seen.session_id, nobody).hostile
        _count(outcome, judged, seen, hostile=hostile, mark=mark)
    return found


def _count(outcome: Outcome, judged: Judged, seen: Seen, *, hostile: bool, mark: float) -> None:
    outcome.events += 1
    if hostile:
        outcome.hostile += 1
        outcome.first_hostile_at = outcome.first_hostile_at or seen.ts
    if judged.nats > outcome.highest:
        outcome.highest = judged.nats
        outcome.codes = tuple(each.code for each in judged.found)
    outcome.score = max(outcome.score, judged.total_score)
    if outcome.hostile:
        outcome.after = max(outcome.after, judged.nats)
    if judged.total_score >= mark and (outcome.until_mark is None or (outcome.until_mark == 0 and outcome.hostile)):
        outcome.until_mark, outcome.marked_at = outcome.hostile, seen.ts
