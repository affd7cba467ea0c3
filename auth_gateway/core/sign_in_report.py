""" "Was this you?": which sign-ins their owner is asked about, and what is remembered of them until the answer."""

import msgspec

from auth_gateway.core.audit import AuditEvent
from risk_scorer.contract.assessment import RiskScore

NEW_DEVICE_OR_PLACE = frozenset({"device", "country", "asn"})
"""Levels of the scorer's history (`Explain.new`): another browser, country or network operator. A single address is
new each morning."""
MOST_LETTERS_A_DAY = 10
"""So that whoever signs in from device after device does not flood the owner with letters."""


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody was let in, or stood before the second factor (`session_id` ""); `scored_as` is the event id that the
    scorer knows it by."""

    user_id: str
    session_id: str
    scored_as: str


class AskedAbout(msgspec.Struct, frozen=True, kw_only=True):
    """What a letter asks about, as its link keeps it."""

    sign_in: SignIn
    at: float
    place: str
    device: str


def is_worth_asking(score: RiskScore | None) -> bool:
    """Whether the owner should know: a new device or place, or a sign-in that nobody has looked at. Of a person without
    history nothing is new."""
    return score is None or not NEW_DEVICE_OR_PLACE.isdisjoint(score.explain.new)


def sign_in_of(line: AuditEvent) -> SignIn | None:
    """The sign-in that a line of the audit trail tells of, None when it tells of something else.

    A login with two factors was scored with its password; the line of the second half names that id second.
    """
    if line.user_id is None or line.session_id is None:
        return None
    if line.kind == "login.allowed":
        return SignIn(user_id=line.user_id, session_id=line.session_id, scored_as=line.event_id)
    details = (line.detail or "").split()
    if line.kind == "challenge.passed" and len(details) > 1:
        return SignIn(user_id=line.user_id, session_id=line.session_id, scored_as=details[1])
    return None
