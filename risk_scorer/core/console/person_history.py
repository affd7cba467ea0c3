"""What moved somebody's risk, and who: one list from all who said something, and its picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from risk_scorer.core.console.accounts import AccountSummary, PersonRisk
from risk_scorer.core.console.chips import with_words, words_of
from risk_scorer.core.console.people import PartOf
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.incidents.incident import Incident

Who = Literal["evidence", "verdict", "campaign", "enforcement", "operator"]
MOST_MOVES: Final = 60
WIDTH, HEIGHT = 600.0, 120.0
EDGE: Final = 4.0
"""So that what stands at an end is not cut in half."""
LEAST_SPAN_SECONDS: Final = 3_600.0


class Move(Struct, frozen=True, kw_only=True):
    """One thing that happened; `before` and `after` are the gateway's risk of the person where it was moved."""

    at: float
    who: Who
    by: str
    what: str
    text: str = ""
    before: float | None = None
    after: float | None = None
    href: str = ""


class Dot(Struct, frozen=True, kw_only=True):
    """A sign-in in the picture."""

    x: float
    y: float
    level: str


class RiskPicture(Struct, frozen=True, kw_only=True):
    """The gateway's risk as a line ("" where it did not answer) and sign-ins as dots, from `since` to now."""

    line: str
    dots: tuple[Dot, ...]
    since: float


def moves_of(
    *,
    risk: PersonRisk | None,
    summary: AccountSummary | None,
    incidents: Iterable[Incident],
    campaigns: Iterable[PartOf],
    acts: Iterable[Move],
) -> tuple[Move, ...]:
    """Everything together, the newest first."""
    found = [*_of_gateway(risk), *_enforced(summary), *_of_incidents(incidents), *_of_campaigns(campaigns), *acts]
    found.sort(key=lambda move: -move.at)
    return tuple(found[:MOST_MOVES])


def risk_picture(risk: PersonRisk | None, sign_ins: Sequence[SignIn], *, now: float) -> RiskPicture:
    """Both over the time that they span."""
    changes = [] if risk is None else sorted(risk.history, key=lambda change: change.ts)
    times = [change.ts for change in changes] + [row.ts for row in sign_ins]
    since = min([*times, now - LEAST_SPAN_SECONDS])
    span = now - since

    def place(ts: float, value: float) -> tuple[float, float]:
        return round(EDGE + (ts - since) / span * (WIDTH - 2 * EDGE), 1), round(
            HEIGHT - min(100.0, value) / 100.0 * HEIGHT, 1
        )

    points: list[tuple[float, float]] = []
    for change in changes:
        points += [place(change.ts, change.before), place(change.ts, change.after)]
    if risk is not None:
        points = [*([] if points else [place(since, risk.risk)]), *points, place(now, risk.risk)]
    dots = []
    for row in sign_ins:
        x, y = place(row.ts, row.score)
        dots.append(Dot(x=x, y=y, level=row.level))
    return RiskPicture(line=" ".join(f"{x},{y}" for x, y in points), dots=tuple(dots), since=since)


def _of_gateway(risk: PersonRisk | None) -> list[Move]:
    if risk is None:
        return []
    return [
        Move(
            at=change.ts,
            who="verdict" if change.by or change.source in ("analyst", "reported") else "evidence",
            by=change.by or change.source,
            what=change.reason,
            text=change.why,
            before=change.before,
            after=change.after,
        )
        for change in risk.history
    ]


def _enforced(summary: AccountSummary | None) -> list[Move]:
    if summary is None:
        return []
    return [
        Move(
            at=signal.received_at,
            who="enforcement",
            by="gateway",
            what=signal.response,
            text=f"session risk {signal.score:.0f}, {signal.recommended} recommended; {signal.effect}".rstrip("; "),
            href=signal.session_id,
        )
        for signal in summary.signals
    ]


def _of_incidents(incidents: Iterable[Incident]) -> list[Move]:
    return [
        Move(
            at=step.at,
            who="enforcement" if step.what == "responded" else "verdict" if step.by else "evidence",
            by=step.by or ("gateway" if step.what == "responded" else "scorer"),
            what=f"incident {step.what}",
            text=step.text if step.by or step.what == "responded" else with_words(step.text),
        )
        for incident in incidents
        for step in incident.timeline
    ]


def _of_campaigns(campaigns: Iterable[PartOf]) -> list[Move]:
    return [
        Move(
            at=part.first_seen,
            who="campaign",
            by="scorer",
            what="joined a campaign",
            text=f"{part.campaign_id}: {', '.join(map(words_of, part.marks))}" if part.marks else part.campaign_id,
        )
        for part in campaigns
    ]
