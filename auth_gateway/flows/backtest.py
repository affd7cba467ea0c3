"""Replays a span of recorded decisions under other rules: streamed, so that a year of them takes no more memory than a
day.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from auth_gateway.core.backtest import Tally, obstacle, replayed
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_rule import PolicyDocument
from auth_gateway.flows.ports.decisions import Decided, Decisions
from plumbing.database import Database

AT_A_TIME = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """Holds a candidate against the rules in force; changes nothing."""

    database: Database
    decisions: Decisions
    policy: Policy
    present: PolicyDocument

    def __call__(self, candidate: PolicyDocument, *, since: float, until: float) -> Tally:
        """What both say of every decision from `since` until before `until`, epoch seconds. A sign-in counts as
        compromised whenever its owner or an analyst has said so, also later.

        Raises: Refused("storage_unavailable", 503).
        """
        tally = Tally(self.database.read(lambda tx: self.decisions.compromised(tx, since=since)))
        for decided in self._lines(since, until):
            judge(tally, decided, present=self.present, candidate=candidate, policy=self.policy)
        return tally

    def _lines(self, since: float, until: float) -> Iterator[Decided]:
        after = 0
        while True:
            piece = self._piece(after, since, until)
            yield from piece
            if len(piece) < AT_A_TIME:
                return
            after = piece[-1].place

    def _piece(self, after: int, since: float, until: float) -> list[Decided]:
        return self.database.read(
            lambda tx: self.decisions.between(tx, after=after, since=since, until=until, most=AT_A_TIME)
        )


def judge(
    tally: Tally, decided: Decided, *, present: PolicyDocument, candidate: PolicyDocument, policy: Policy
) -> None:
    """Count what both say of one recorded decision, or that it cannot be decided again."""
    line = decided.line
    why = obstacle(line)
    again = replayed(line, decided.username) if why is None else None
    if again is None:
        tally.leave_out(line, why or "no_facts")
        return
    tally.add(line, again, present=again.under(present, policy), candidate=again.under(candidate, policy))
