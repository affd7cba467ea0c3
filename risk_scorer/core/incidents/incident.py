"""An incident: what was seen of one person or one campaign, folded together, and what people did about it.

One key has one incident at a time that is not closed. What is seen of it again is folded in: the strongest score, the
strongest evidence of each kind, and a timeline, each within bounds, so that a storm stays one page. Storing and telling
happen elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from risk_scorer.contract.assessment import RiskLevel, risk_level

Kind = Literal["user", "campaign"]
State = Literal["open", "acknowledged", "closed"]
What = Literal["opened", "raised", "acknowledged", "assigned", "reopened", "closed", "responded"]

MOST_EVIDENCE: Final = 50
MOST_STEPS: Final = 100
MOST_MEMBERS: Final = 1_000
"""Members that are kept by name; a campaign has its own list of all."""
UPDATE_SECONDS: Final = 300.0
"""What is no rise is told at most so often for one incident: a shift looks at its queue every few minutes."""


class Evidence(Struct, frozen=True, kw_only=True):
    """One cause of suspicion, when it was strongest; `points` of the score that it was a part of."""

    code: str
    text: str
    points: float
    at: float
    session_id: str = ""


class Step(Struct, frozen=True, kw_only=True):
    """One line of the timeline; `by` is "" for what we saw ourselves."""

    at: float
    what: What
    text: str
    by: str = ""


class Sighting(Struct, frozen=True, kw_only=True):
    """Something was seen of this person or campaign, 0-100 in all; `subject` is the user id or the campaign's id."""

    kind: Kind
    subject: str
    at: float
    score: float
    evidence: tuple[Evidence, ...]
    members: tuple[str, ...]

    @property
    def key(self) -> str:
        """What makes two sightings one incident."""
        return f"{self.kind}:{self.subject}"


class Incident(Struct, frozen=True, kw_only=True):
    """As it stands. `score` is the highest that was seen; `sightings` counts what was folded in."""

    incident_id: str
    key: str
    kind: Kind
    subject: str
    state: State
    owner: str
    score: float
    opened_at: float
    updated_at: float
    closed_at: float | None
    sightings: int
    evidence: tuple[Evidence, ...]
    timeline: tuple[Step, ...]
    version: int

    @property
    def level(self) -> RiskLevel:
        """What the score stands for."""
        return risk_level(self.score)

    @property
    def recommended_response(self) -> str:
        """What a security team would do now."""
        return _RESPONSES[self.kind, self.level]


class IncidentChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody does about an incident, and why. `version` is the one that they saw; without it any counts."""

    by: Annotated[str, Meta(min_length=1, max_length=256)]
    why: Annotated[str, Meta(min_length=1, max_length=1024)]
    state: State | None = None
    owner: Annotated[str, Meta(max_length=256)] | None = None
    version: Annotated[int, Meta(ge=1)] | None = None


_RESPONSES: Final[dict[tuple[Kind, RiskLevel], str]] = {
    ("user", "low"): "Watch; nothing needs to be done.",
    ("user", "medium"): "Ask the person whether it was them; a step-up has been asked for.",
    (
        "user",
        "high",
    ): "Treat the session as stolen: sign the person out everywhere, reset the password, freeze if in doubt.",
    ("campaign", "low"): "Watch; nothing needs to be done.",
    ("campaign", "medium"): "Look at the members' sign-ins; ask each of them for a factor.",
    ("campaign", "high"): "Block what the members share, sign them out everywhere and reset their passwords.",
}


def user_key(user_id: str) -> str:
    """The key of what is seen of this person."""
    return f"user:{user_id}"


def opened(sighting: Sighting, *, incident_id: str) -> Incident:
    """The incident that begins with this."""
    return Incident(
        incident_id=incident_id,
        key=sighting.key,
        kind=sighting.kind,
        subject=sighting.subject,
        state="open",
        owner="",
        score=sighting.score,
        opened_at=sighting.at,
        updated_at=sighting.at,
        closed_at=None,
        sightings=1,
        evidence=_strongest((), sighting.evidence),
        timeline=(Step(at=sighting.at, what="opened", text=_told(sighting)),),
        version=1,
    )


def folded(incident: Incident, sighting: Sighting) -> tuple[Incident, bool]:
    """The incident with this folded in, and whether it is a rise that is told at once.

    An acknowledged incident whose level rises is open again: who has it has not seen that.
    """
    rises = risk_level(sighting.score) != incident.level and sighting.score > incident.score
    steps: tuple[Step, ...] = ()
    if rises:
        what: What = "reopened" if incident.state == "acknowledged" else "raised"
        steps = (Step(at=sighting.at, what=what, text=_told(sighting)),)
    now = msgspec.structs.replace(
        incident,
        state="open" if rises else incident.state,
        score=max(incident.score, sighting.score),
        updated_at=max(incident.updated_at, sighting.at),
        sightings=incident.sightings + 1,
        evidence=_strongest(incident.evidence, sighting.evidence),
        timeline=_bounded(incident.timeline + steps),
        version=incident.version + 1,
    )
    return now, rises


def ended(incident: Incident, *, text: str, at: float) -> Incident:
    """The incident closed by nobody but its cause, which is no more."""
    step = Step(at=at, what="closed", text=text)
    return msgspec.structs.replace(
        incident,
        state="closed",
        closed_at=at,
        updated_at=max(incident.updated_at, at),
        timeline=_bounded((*incident.timeline, step)),
        version=incident.version + 1,
    )


def has_ended(incident: Incident) -> bool:
    """Whether it was closed because its cause was no more, and not by a person, whose word stands."""
    return incident.state == "closed" and incident.timeline[-1].by == ""


def returned(incident: Incident, sighting: Sighting) -> Incident:
    """The incident that had ended, open again: whoever had it has it still."""
    step = Step(at=sighting.at, what="reopened", text=f"it is back; {_told(sighting)}")
    again = msgspec.structs.replace(
        incident, state="open", closed_at=None, timeline=_bounded((*incident.timeline, step))
    )
    return folded(again, sighting)[0]


def responded(incident: Incident, *, text: str, at: float) -> Incident:
    """The incident with what the gateway did about it in its timeline; said again it changes nothing."""
    step = Step(at=at, what="responded", text=text)
    if step in incident.timeline:
        return incident
    timeline = _bounded(tuple(sorted((*incident.timeline, step), key=lambda each: each.at)))
    return msgspec.structs.replace(
        incident, timeline=timeline, updated_at=max(incident.updated_at, at), version=incident.version + 1
    )


def changed(incident: Incident, change: IncidentChange, *, at: float) -> Incident | None:
    """The incident after what somebody did; None when that leaves it as it was. A closed one is not for changing."""
    state = change.state or incident.state
    owner = incident.owner if change.owner is None else change.owner
    steps = []
    if owner != incident.owner:
        steps.append(Step(at=at, what="assigned", by=change.by, text=change.why))
    if state != incident.state:
        what: What = "reopened" if state == "open" else state
        steps.append(Step(at=at, what=what, by=change.by, text=change.why))
    if not steps:
        return None
    return msgspec.structs.replace(
        incident,
        state=state,
        owner=owner,
        closed_at=at if state == "closed" else None,
        updated_at=max(incident.updated_at, at),
        timeline=_bounded((*incident.timeline, *steps)),
        version=incident.version + 1,
    )


def due_at(*, announced_at: float | None, at_once: bool, now: float) -> float:
    """When it is told next: at once what is new, rises or ends, everything else no sooner than the pace allows."""
    return now if at_once or announced_at is None else max(now, announced_at + UPDATE_SECONDS)


def _told(sighting: Sighting) -> str:
    causes = ", ".join(dict.fromkeys(each.code for each in sighting.evidence))
    return f"{sighting.score:.0f}: {causes}" if causes else f"{sighting.score:.0f}"


def _strongest(kept: tuple[Evidence, ...], more: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """The strongest of each kind in each session, the strongest first."""
    found: dict[tuple[str, str], Evidence] = {}
    for each in (*kept, *more):
        place = (each.code, each.session_id)
        if place not in found or each.points > found[place].points:
            found[place] = each
    ranked = sorted(found.values(), key=lambda each: (-each.points, each.at, each.code, each.session_id))
    return tuple(ranked[:MOST_EVIDENCE])


def _bounded(timeline: tuple[Step, ...]) -> tuple[Step, ...]:
    """The beginning and the newest; what is in between goes first."""
    return timeline if len(timeline) <= MOST_STEPS else (timeline[0], *timeline[1 - MOST_STEPS :])
