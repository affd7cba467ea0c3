"""What people found out about logins afterwards, told by the id that a login was scored with.

A login is known by its verdict, by what its outcomes taught, or by the log; what none of them has is refused. Nothing
is scored again and nothing that was announced is taken back: a verdict is for the histories and for training.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from plumbing.bodies import refuse_unsafe_text
from plumbing.clock import Clock
from plumbing.refusals import Refused
from risk_scorer.contract.events import LoginEvent
from risk_scorer.contract.feedback import Feedback
from risk_scorer.core.observation import moment
from risk_scorer.core.verdicts import Taught, taught_by
from risk_scorer.flows.observe import Observer
from risk_scorer.flows.ports import JudgedLogin, Judgement, LoggedEvents, Remembered, ScoredEvent, Verdicts

MOST_POSITIONS = 100
"""Unknown events that one refusal names."""


class Judge:
    """Take verdicts on logins."""

    def __init__(self, *, observer: Observer, verdicts: Verdicts, log: LoggedEvents, clock: Clock) -> None:
        self._observer = observer
        self._verdicts = verdicts
        self._log = log
        self._clock = clock

    async def feedback(self, given: Sequence[Feedback], *, path: str | None) -> int:
        """Record all or none of them, durably; how many were known before.

        `path` is the list's place in the body, None for a single one. Raises: Refused (404 `unknown_event` with the
        positions of the events that are not known, 422 for a text that cannot be kept).
        """
        for position, each in enumerate(given):
            where = "$" if path is None else f"{path}[{position}]"
            for field in ("event_id", "by", "reason"):
                refuse_unsafe_text(getattr(each, field), f"{where}.{field}")
        event_ids = list(dict.fromkeys(each.event_id for each in given))
        remembered = dict(zip(event_ids, await self._verdicts.remembered(event_ids), strict=True))
        unjudged = [event_id for event_id in event_ids if not remembered[event_id].is_judged]
        logged = await self._log.find_many(unjudged)
        logins = {
            event_id: self._login(event_id, remembered[event_id], found)
            for event_id, found in zip(unjudged, logged, strict=True)
        }
        _refuse_unknown([n for n, each in enumerate(given) if logins.get(each.event_id, True) is None])
        now = self._clock.now()
        return await self._verdicts.record(
            [
                Judgement(
                    event_id=each.event_id,
                    verdict=each.verdict,
                    by=each.by,
                    reason=each.reason,
                    ts=now if each.ts is None else each.ts,
                    login=logins.get(each.event_id),
                    source=each.source,
                )
                for each in given
            ]
        )

    def _login(self, event_id: str, kept: Remembered, logged: ScoredEvent | None) -> JudgedLogin | None:
        """The login of that id. Where the log and an outcome differ about whose it was, the outcome is believed."""
        lesson = kept.own or kept.failed
        if logged is None or (lesson is not None and lesson.user_id != logged.event.user_id):
            return None if lesson is None else JudgedLogin(event=_told_by(lesson, event_id), score=None, context=lesson)
        ts = moment(logged.event.timestamp, now=logged.score.ts_scored)
        event = msgspec.structs.replace(logged.event, timestamp=ts)
        context = kept.own or self._context(event, event_id)
        return JudgedLogin(event=event, score=logged.score, context=context)

    def _context(self, event: LoginEvent, event_id: str) -> Taught:
        """What the login would teach as a success; nobody logs in by refreshing, so a refresh teaches nothing."""
        [seen] = self._observer.observations([event], [event_id], now=self._clock.now(), where=lambda _: "$")
        return taught_by(seen, "failure" if event.kind == "refresh" else "success")


def _told_by(lesson: Taught, event_id: str) -> LoginEvent:
    """The event as far as its lesson has it."""
    return LoginEvent(
        user_id=lesson.user_id,
        ip=lesson.ip,
        timestamp=lesson.ts,
        device_id=lesson.device_id,
        country=lesson.country,
        ja4=lesson.ja4 or None,
        ja4h=lesson.ja4h or None,
        ja4s=lesson.ja4s or None,
        asn=int(lesson.asn_key) if lesson.asn_key else None,
        event_id=event_id,
    )


def _refuse_unknown(positions: list[int]) -> None:
    if positions:
        raise Refused(
            "unknown_event",
            "There is no login of that id, or it is too old to be known.",
            status=404,
            evidence={"positions": positions[:MOST_POSITIONS]},
        )
