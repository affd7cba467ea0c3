"""What a session has taught of its person, taken back when the session turns out to be suspicious.

An attack is seen after some events, and what came before might have taught that they are usual. So a session keeps what
was known of its person when it began; at the first suspicious event the person's baselines are as they were then.
"""

from collections.abc import Mapping
from typing import ClassVar

from risk_scorer.core.activity.memory import Memory, Part, packed, unpacked

NAME = "before"
"""Under which it stands in the memory of a session."""
KEPT_SECONDS = 14_400.0
"""Sessions go on for days: after four calm hours what they have taught stays."""


class Before(Part):
    """The person's baselines as they were at `at`, packed: as many bytes as those, and what is stated here.

    `is_taken_back` when it was used: the session is suspicious for the first time only once.
    """

    most_bytes: ClassVar[int] = 32
    at: float = 0.0
    is_taken_back: bool = False
    person: bytes = b""


def keep_before(session: Memory, person: Memory, parts: Mapping[str, type[Part]], ts: float) -> None:
    """Keeps what is known of the person, at a session's beginning and whenever it has been calm for long."""
    before: Before | None = session.get(NAME)
    if before is None:
        before = session[NAME] = Before()
    elif ts - before.at <= KEPT_SECONDS:
        return
    before.at = ts
    before.person = packed({name: part for name, part in person.items() if name in parts})


def take_back(session: Memory, person: Memory, parts: Mapping[str, type[Part]]) -> None:
    """The person's baselines are what they were before the session, once for each time that it becomes suspicious."""
    before: Before | None = session.get(NAME)
    if before is None or before.is_taken_back or not before.person:
        return
    before.is_taken_back = True
    known = unpacked(before.person, parts)
    for name in parts:
        if name in known:
            person[name] = known[name]
        else:
            person.pop(name, None)
