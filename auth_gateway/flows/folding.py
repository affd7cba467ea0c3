"""What is told in a storm: which events go one by one, and which are told together as one message that waits a moment.

Nothing is dropped: each event is counted in exactly one message, stays in the audit trail, and can be told again by a
replay. What is remembered here lives in memory alone, and is remembered only once its transaction is written. A gateway
that starts again begins with full buckets and new summaries, and several gateways have buckets each: that costs a few
messages more, and no event.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

import msgspec

from auth_gateway.core.destination import Folding
from auth_gateway.core.event import Event
from auth_gateway.core.folding import Bucket, FoldKey, after_one, joined, summary_of

MOST_BUCKETS: Final = 10_000
MOST_SUMMARIES: Final = 1_000
"""Remembered at once, the longest unused forgotten first: a forgotten bucket is full, a forgotten summary goes as it
is."""

V = TypeVar("V")
Place = tuple[str, FoldKey]
"""A destination, and what makes events alike."""


class Foldable(msgspec.Struct, frozen=True):
    """An event that may be folded: by what, on which terms, as its destination gets it, and how that is written out."""

    keys: tuple[FoldKey, ...]
    terms: Folding
    known: Event
    render: Callable[[Event], bytes]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one destination, ready to be kept."""

    destination_id: str
    event: Event
    body: bytes
    foldable: Foldable | None = None

    @property
    def order_key(self) -> str | None:
        """Whom it goes in order with: the person's other events. What strangers did goes one by one for each network,
        so that however much it is, a slow receiver's other messages find room beside it."""
        if self.event.user_id or self.foldable is None:
            return self.event.user_id
        return self.foldable.keys[-1].text


class Into(msgspec.Struct, frozen=True):
    """A summary that waits, and its body with what is folded into it now."""

    fold_key: str
    event: Event
    body: bytes

    @property
    def count(self) -> int:
        """How many events it stands for then."""
        return self.event.folded.count if self.event.folded else 1


class Summary(msgspec.Struct, frozen=True):
    """Events of one batch that are told as one: joined to what waits, or, where that is gone, a message by itself."""

    place: Place
    event: Event
    body: bytes
    order_key: str | None
    into: Into | None

    @property
    def destination_id(self) -> str:
        """Who is told."""
        return self.place[0]

    @property
    def fold_key(self) -> str:
        """Its own: nothing else is folded into it but what we remember of it."""
        return self.event.event_id

    @property
    def count(self) -> int:
        """How many events it stands for."""
        return self.event.folded.count if self.event.folded else 1


@dataclass(slots=True)
class _Group:
    """A summary in the making."""

    place: Place
    told: Foldable
    order_key: str | None
    event: Event


@dataclass(slots=True)
class Plan:
    """What to write, in this order, and what to remember once it is written."""

    steps: list[Told | Summary] = field(default_factory=list)
    buckets: dict[Place, Bucket] = field(default_factory=dict)


class Folds:
    """What is remembered of storms."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[Place, Bucket] = OrderedDict()
        self._summaries: OrderedDict[Place, tuple[str, Event]] = OrderedDict()

    def plan(self, messages: Sequence[Told]) -> Plan:
        """How these are told. Remembers nothing yet."""
        plan = Plan()
        steps: list[Told | _Group] = []
        open_groups: dict[Place, _Group] = {}
        for message in messages:
            key = self._key(message, plan)
            if key is None or message.foldable is None:
                _close(open_groups, message)
                steps.append(message)
                continue
            place, one = (message.destination_id, key), summary_of(message.foldable.known, key)
            group = open_groups.get(place)
            if group is None:
                order_key = message.event.user_id if key.by == "person" else f"folded|{key.text}"
                group = open_groups[place] = _Group(place, message.foldable, order_key, one)
                steps.append(group)
            else:
                group.event = joined(group.event, one)
        first = set[Place]()
        for step in steps:
            if isinstance(step, Told):
                plan.steps.append(step)
            else:
                plan.steps.append(self._summary(step, is_first=step.place not in first))
                first.add(step.place)
        return plan

    def keep(self, plan: Plan, begun: Sequence[Summary]) -> None:
        """Remember a plan that was written; `begun` are its summaries that found nothing to join."""
        for place, bucket in plan.buckets.items():
            _remember(self._buckets, place, bucket, MOST_BUCKETS)
        for step in plan.steps:
            if isinstance(step, Summary):
                waiting = (step.fold_key, step.event)
                if step.into is not None and step not in begun:
                    waiting = (step.into.fold_key, step.into.event)
                _remember(self._summaries, step.place, waiting, MOST_SUMMARIES)

    def _key(self, message: Told, plan: Plan) -> FoldKey | None:
        """What the message is folded by: the first of its keys whose bucket is empty. Else each has one less."""
        if message.foldable is None:
            return None
        spent: dict[Place, Bucket] = {}
        for key in message.foldable.keys:
            place = (message.destination_id, key)
            before = plan.buckets.get(place) or self._buckets.get(place)
            after = after_one(before, message.event.ts, message.foldable.terms)
            if after is None:
                return key
            spent[place] = after
        plan.buckets |= spent
        return None

    def _summary(self, group: _Group, *, is_first: bool) -> Summary:
        """Only the first of a batch is joined to what waited before: later ones stand behind another message."""
        into, waiting = None, self._summaries.get(group.place) if is_first else None
        if waiting is not None:
            fold_key, event = waiting[0], joined(waiting[1], group.event)
            into = Into(fold_key, event, group.told.render(event))
        return Summary(group.place, group.event, group.told.render(group.event), group.order_key, into)


def _close(groups: dict[Place, _Group], message: Told) -> None:
    """Nothing is folded past another event of the same person, which would come too late otherwise."""
    behind = [
        place
        for place, group in groups.items()
        if place[0] == message.destination_id and group.order_key is not None and group.order_key == message.order_key
    ]
    for place in behind:
        del groups[place]


def _remember(known: OrderedDict[Place, V], place: Place, value: V, most: int) -> None:
    known[place] = value
    known.move_to_end(place)
    while len(known) > most:
        known.popitem(last=False)
