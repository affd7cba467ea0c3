"""One sign-in with all that helps to judge it: its reasons, the person's habits, who shares what with it, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from plumbing.refusals import Refused
from risk_scorer.contract.events import LoginEvent
from risk_scorer.core.console.beside_usual import Usual, beside_usual
from risk_scorer.core.console.entity import Kind
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.fingerprint import agrees, claimed_client
from risk_scorer.core.history import EMPTY, UserHistory
from risk_scorer.core.observation import Observation
from risk_scorer.flows.console.sign_ins import SignIns
from risk_scorer.flows.observe import Observer
from risk_scorer.flows.ports import LoggedEvents, ScoredEvent

LOOK_BACK_SECONDS: Final = 30 * 86_400.0
MOST_SHARING: Final = 200
"""Newest sign-ins that are looked through for others with the same address, device or fingerprint."""


class Histories(Protocol):
    def get_many(self, user_ids: Sequence[str]) -> list[UserHistory | None]:
        """The histories in order; None for whoever is not known. Raises: Refused."""
        ...


class Sharing(Struct, frozen=True, kw_only=True):
    """Who else came with the same thing within 30 days; `is_more` when there were more sign-ins than were looked at."""

    kind: Kind
    value: str
    people: tuple[str, ...]
    sign_ins: int
    is_more: bool


class Fitting(Struct, frozen=True, kw_only=True):
    """What the TLS fingerprint says beside what the user agent claims; None is not known."""

    known_for: str | None
    claimed: str | None
    agrees: bool | None


class Details(Struct, frozen=True, kw_only=True):
    """`scored` is None once the log has let go of it; then there are no reasons and no habits to compare."""

    row: SignIn
    scored: ScoredEvent | None
    usual: Usual | None
    fitting: Fitting | None
    sharing: tuple[Sharing, ...]
    around: tuple[SignIn, ...]


class SignInDetails:
    """What the page of one sign-in shows."""

    def __init__(self, *, sign_ins: SignIns, log: LoggedEvents, histories: Histories, observer: Observer) -> None:
        self._sign_ins = sign_ins
        self._log = log
        self._histories = histories
        self._observer = observer

    async def of(self, event_id: str) -> Details:
        """Everything of that sign-in. Raises: Refused (404 `unknown_event`)."""
        row = await self._sign_ins.one(event_id)
        scored = (await self._log.find_many([event_id]))[0]
        seen = None if scored is None else self._observed(scored)
        return Details(
            row=row,
            scored=scored,
            usual=None if scored is None or seen is None else self._usual(scored, seen),
            fitting=None if seen is None else _fitting(seen),
            sharing=tuple([await self._sharing(kind, value, row) for kind, value in _shared(row)]),
            around=tuple(await self._sign_ins.around(row.user_id, row.ts)),
        )

    def _observed(self, scored: ScoredEvent) -> Observation | None:
        event: LoginEvent = scored.event
        try:
            return self._observer.observations(
                [event], [scored.score.event_id], now=scored.score.ts_scored, where=lambda _position: "$"
            )[0]
        except Refused:  # what came by a stream is kept as it was
            return None

    def _usual(self, scored: ScoredEvent, seen: Observation) -> Usual:
        found = self._histories.get_many([scored.event.user_id])
        return beside_usual(seen, found[0] or EMPTY, hour=scored.score.explain.hour_local)

    async def _sharing(self, kind: Kind, value: str, row: SignIn) -> Sharing:
        since = max(0.0, row.ts - LOOK_BACK_SECONDS)
        found = await self._sign_ins.neighbours(kind, value, since, MOST_SHARING)
        people = dict.fromkeys(each.user_id for each in found if each.user_id != row.user_id)
        return Sharing(
            kind=kind, value=value, people=tuple(people), sign_ins=len(found), is_more=len(found) == MOST_SHARING
        )


def _shared(row: SignIn) -> list[tuple[Kind, str]]:
    given: list[tuple[Kind, str]] = [("address", row.ip), ("device", row.device_id), ("fingerprint", row.ja4)]
    return [(kind, value) for kind, value in given if value and value.isprintable()]


def _fitting(seen: Observation) -> Fitting:
    return Fitting(
        known_for=seen.fingerprint.client,
        claimed=claimed_client(seen.agent),
        agrees=agrees(seen.fingerprint, seen.agent),
    )
