"""What of a login stands in its person's history, given how it ended and what was found out about it.

It is a function of what is known now and not of the order it became known in, so a verdict that changes leaves nothing
of the earlier one behind.
"""

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from risk_scorer.contract.feedback import VerdictKind
from risk_scorer.core.history import EMPTY, OWN, UserHistory
from risk_scorer.core.verdicts import Taught, condemn, excuse, learn_taught, unlearn

Lessons = tuple[Taught, ...]


def standing(verdict: VerdictKind | None, own: Lessons, context: Taught) -> Lessons:
    """The lessons that stand: `own` are those of its finished outcomes, `context` is the login as if it had succeeded.

    A login that was confirmed safe teaches even when it was denied, and its network is then the person's own whatever
    else is known of it. A `context` that ended as a failure is one of which too little is known to learn from it.
    """
    if verdict == "confirmed_compromised":
        return ()
    if verdict != "confirmed_safe":
        return own
    return tuple([replace(lesson, taught_network=True) for lesson in own or (context,) if lesson.outcome in OWN])


def moved(history: UserHistory | None, before: Lessons, after: Lessons) -> UserHistory | None:
    """The history in which `after` stands instead of `before`; what is in both is not touched."""
    if before == after:
        return history
    past, gone, come = history or EMPTY, Counter(before), Counter(after)
    for lesson in (gone - come).elements():
        past = unlearn(past, lesson)
    for lesson in (come - gone).elements():
        past = learn_taught(past, lesson)
    return past


def judged(history: UserHistory | None, *, safe: Iterable[Taught], compromised: Iterable[Taught]) -> UserHistory | None:
    """The history with the pardons and condemnations of exactly these contexts, the oldest verdict first.

    Made anew each time: two logins may share a network, and taking one verdict back must leave it to the other. What
    is pardoned is not condemned.
    """
    past = replace(history or EMPTY, pardoned={}, condemned={})
    for context in safe:
        past = excuse(past, context)
    for context in compromised:
        past = condemn(past, context)
    return history if history is None and past == EMPTY else past
