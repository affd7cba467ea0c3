"""What looking for campaigns needs from outside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec import Struct

from risk_scorer.contract.signals import SessionRiskSignal
from risk_scorer.core.campaigns.continuity import Continued, KnownCampaign
from risk_scorer.core.campaigns.found import Look
from risk_scorer.core.campaigns.past import Past
from risk_scorer.core.campaigns.sighting import Page
from risk_scorer.core.incidents.incident import Sighting

InTransaction = Callable[[Any], None]
"""A part of a job, for the transaction in which a change of campaigns is written."""


class Source(Protocol):
    """Where events come from."""

    def rewind(self, since: float) -> None:
        """Read from that time on, anew. Raises: Refused."""
        ...

    def page(self) -> tuple[Page, bool]:
        """What comes next, and whether that is all for now. Raises: Refused."""
        ...


class PastSource(Protocol):
    """What was done and found out before."""

    def past(self, now: float) -> Past:
        """What is remembered, at most a minute old. Raises: Refused."""
        ...

    def forget(self) -> None:
        """Remember nothing that was read: somebody was erased."""
        ...


class Before(Struct, frozen=True, kw_only=True):
    """What was known before a look: how many there were, of how many erasures, and the campaigns that may go on."""

    looks: int
    erasures: int
    known: tuple[KnownCampaign, ...]


class Settled(Struct, frozen=True, kw_only=True):
    """What was written: how many campaigns opened, went on and ended, and how many members were told of."""

    opened: int
    continued: int
    closed: int
    told: int


class CampaignStore(Protocol):
    """The tables of campaigns."""

    def load(self, now: float) -> Before:
        """What a look starts from. Raises: Refused."""
        ...

    def settle(
        self, changes: Sequence[Continued], look: Look, *, after: Before, now: float, seconds: float
    ) -> Settled | None:
        """Write all of it in one transaction with what is told of it; None, and nothing is written, when somebody else
        looked or a person was erased since `after`. Raises: Refused."""
        ...


class MemberTold(Protocol):
    """Who carries the risk of a member to the gateway."""

    def telling(self, signals: Sequence[SessionRiskSignal]) -> InTransaction:
        """The part of a job that keeps these to be sent, each signal id once."""
        ...


class Incidents(Protocol):
    """Who keeps incidents."""

    def new_id(self) -> str:
        """An id for one that may have to be opened."""
        ...

    def sight(self, tx: Any, sighting: Sighting, *, new_id: str) -> str:
        """Fold this into the campaign's incident, or open one, in this transaction; its id."""
        ...

    def sight_again(self, tx: Any, sighting: Sighting, *, new_id: str) -> str:
        """`sight`, for a campaign that had ended: its incident, if it ended with it, goes on."""
        ...

    def end(self, tx: Any, key: str, *, text: str, at: float) -> None:
        """Close the incident of that key, if it is not closed."""
        ...
