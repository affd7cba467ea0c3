"""Who works at the console, what their role lets them do, and when an act needs a fresh second factor. No look-up."""

from __future__ import annotations

from typing import Final, Literal, get_args

from msgspec import Struct

Role = Literal["reader", "analyst", "admin"]
Way = Literal["link", "gateway"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)
"""The weakest first: each may do what those before it may."""
TWO_FACTOR_LEVELS: Final = frozenset({"aal2", "phr"})
"""What the gateway calls a login with a second factor (`acr`): NIST SP 800-63B's second level, and the one above it
that no phishing reaches."""
FRESH_SECONDS: Final = 900.0
"""How old the proof may be that stands behind an act which cannot be taken back: an unlocked screen that somebody left
is found by others sooner or later."""
BY_LINK: Final = "link:"


class Operator(Struct, frozen=True, kw_only=True):
    """A signed-in person. `name` is what the audit says; `role` is None for somebody who has none (any more).

    `proved_at` is when they last proved who they are, `level` how strongly ("" by a link, which took a shell on the
    scorer's own machine). `form_token` is what their forms must bring back.
    """

    name: str
    role: Role | None
    way: Way
    proved_at: float
    level: str
    is_masked: bool
    form_token: str
    subject: str = ""

    def may(self, role: Role) -> bool:
        """Whether this person may do what needs `role`."""
        return reaches(self.role, role)

    def is_fresh(self, now: float) -> bool:
        """Whether an act that cannot be taken back may stand on this sign-in: at most 15 minutes old, and with a second
        factor where it was the gateway's."""
        is_strong = self.way == "link" or self.level in TWO_FACTOR_LEVELS
        return is_strong and 0.0 <= now - self.proved_at <= FRESH_SECONDS


def reaches(role: Role | None, needed: Role) -> bool:
    """Whether `role` is `needed`, or more."""
    return role is not None and ROLES.index(role) >= ROLES.index(needed)


def role_named(text: str | None) -> Role | None:
    """The role of that name."""
    return next((role for role in ROLES if role == text), None)
