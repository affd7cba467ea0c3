"""What outcomes and decisions say of scored logins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from plumbing.database import Transaction
from risk_scorer.adapters.console.sign_in_words import say
from risk_scorer.adapters.event_places import known
from risk_scorer.contract.decisions import Decision
from risk_scorer.core.console.sign_in import Word
from risk_scorer.core.lessons import OWN
from risk_scorer.flows.ports import Lesson


def say_decisions(tx: Transaction, decisions: Iterable[Decision], now: float) -> None:
    """Keep them until they are in the rows of their logins."""
    say(tx, [_decided(each) for each in decisions], now)


def say_outcomes(tx: Transaction, lessons: Sequence[Lesson], now: float) -> None:
    """Keep how these ended, and what was decided at that, until it is in the rows.

    A wrong password has no score, so there is no row of it: a failure of a login that is not in the log says nothing.
    """
    words = [_decided(each, lesson.outcome) for lesson in lessons for each in lesson.decisions]
    plain = {
        lesson.observation.event_id: lesson.outcome
        for lesson in lessons
        if all(each.event_id != lesson.observation.event_id for each in lesson.decisions)
    }
    failed = [event_id for event_id, outcome in plain.items() if outcome not in OWN]
    scored = known(tx, failed) if failed else frozenset()
    words += [
        Word(event_id=event_id, outcome=outcome)
        for event_id, outcome in plain.items()
        if outcome in OWN or event_id in scored
    ]
    say(tx, words, now)


def _decided(decision: Decision, outcome: str = "") -> Word:
    return Word(
        event_id=decision.event_id,
        decision=decision.decision,
        rule=decision.rule,
        factor=decision.factor,
        client_id=decision.client_id,
        outcome=outcome,
    )
