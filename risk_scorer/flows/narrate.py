"""Tell one scored login as a paragraph for the people who look into it, by a language model that the operator runs.

Asked for, never on a login's way: nothing here is called by scoring, and nothing it returns changes a score. Whatever
goes wrong with the model ends as no narrative and a reason.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

from plumbing.refusals import Refused
from risk_scorer.contract.narrative import Narrative, NarrativeAnswer, NarrativeFacts, NarrativeProblem
from risk_scorer.core.redaction import redacted
from risk_scorer.flows.ports import ScoredEvent

MOST_AT_ONCE: Final = 2
MOST_KEPT: Final = 500
LABEL: Final = "Written by a language model from the facts beside it; may be wrong"
NOTES: Final[dict[NarrativeProblem, str]] = {
    "narrator_off": "No language model is set up",
    "narrator_timeout": "The language model did not answer in time",
    "narrator_unreachable": "The language model cannot be reached",
    "narrator_refused": "The language model declined to answer",
    "narrator_invalid": "The language model answered with something else than a narrative",
}


class Narrator(Protocol):
    async def narrative(self, facts: NarrativeFacts) -> Narrative | NarrativeProblem:
        """The model's words, or why there are none; within its deadline, and never raises."""
        ...


class ScoredEvents(Protocol):
    async def find(self, event_id: str) -> ScoredEvent | None:
        """The newest scored event of that id, as far as it is at hand. Raises: Refused."""
        ...


class Narrate:
    """One use case: the narrative of one event. `narrator` None: off. Lives on the event loop."""

    def __init__(self, *, narrator: Narrator | None, events: ScoredEvents, deadline_seconds: float) -> None:
        self._narrator = narrator
        self._events = events
        self._deadline_seconds = deadline_seconds
        self._at_work = 0
        self._kept: OrderedDict[str, tuple[NarrativeFacts, Narrative]] = OrderedDict()

    @property
    def is_on(self) -> bool:
        return self._narrator is not None

    async def find(self, event_id: str) -> ScoredEvent:
        """The event to tell. Raises: Refused, 404 when it is not at hand."""
        found = await self._events.find(event_id)
        if found is None:
            raise Refused("unknown_event", "No scored login of this id is at hand.", status=404)
        return found

    async def tell(self, scored: ScoredEvent) -> NarrativeAnswer:
        """The narrative of this event, kept or new. Raises: Refused, 429 while others are being written."""
        event_id, facts = scored.score.event_id, redacted(scored.event, scored.score)
        told = self._recalled(event_id, facts) or await self._asked(facts)
        if isinstance(told, Narrative):
            self._keep(event_id, facts, told)
        return answer_of(event_id, told, facts)

    async def _asked(self, facts: NarrativeFacts) -> Narrative | NarrativeProblem:
        if self._narrator is None:
            return "narrator_off"
        if self._at_work >= MOST_AT_ONCE:
            raise Refused(
                "narrator_busy",
                "Other narratives are being written.",
                status=429,
                retry_after_seconds=self._deadline_seconds,
            )
        self._at_work += 1
        try:
            return await self._narrator.narrative(facts)
        finally:
            self._at_work -= 1

    def _recalled(self, event_id: str, facts: NarrativeFacts) -> Narrative | None:
        """What was told before, if from the same facts: an id that is scored again may stand for another login."""
        kept = self._kept.get(event_id)
        return kept[1] if kept is not None and kept[0] == facts else None

    def _keep(self, event_id: str, facts: NarrativeFacts, narrative: Narrative) -> None:
        self._kept[event_id] = (facts, narrative)
        self._kept.move_to_end(event_id)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)


def answer_of(
    event_id: str, told: Narrative | NarrativeProblem, facts: NarrativeFacts | None = None
) -> NarrativeAnswer:
    """The one form of an answer, with a narrative or without."""
    if isinstance(told, Narrative):
        return NarrativeAnswer(event_id=event_id, narrative=told, reason=None, note=LABEL, facts=facts)
    return NarrativeAnswer(event_id=event_id, narrative=None, reason=told, note=NOTES[told], facts=facts)
