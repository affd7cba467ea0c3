"""What was done and found out before: whom the gateway acted against, who was found to be taken over or to be fine, and
what attackers came with. It adds evidence and takes some away, within bounds; alone it makes no campaign.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from risk_scorer.core.campaigns.edges import Edges, accounts_with, marked
from risk_scorer.core.campaigns.names import Names
from risk_scorer.core.campaigns.sighting import ADDRESS, DEVICE, JA4

Word = Literal["confirmed", "enforced", "pardoned"]
"""`confirmed`: somebody found it taken over. `enforced`: the gateway ended its sessions or froze it for a risk, and
nobody has looked. `pardoned`: somebody looked, and it was the person."""

DAY_SECONDS: Final = 86_400.0
REMEMBERED_SECONDS: Final = 30 * DAY_SECONDS
"""For so long what was done or found out counts."""
PARDON_SECONDS: Final = 7 * DAY_SECONDS
"""A pardon ends sooner than a suspicion: whoever was taken for the owner by mistake has no month of peace."""
FOR_RISK: Final = frozenset({"session_risk", "session_risk_everywhere", "shield"})
"""Why the gateway ends sessions for a risk (docs/session-response.md)."""
UNTIL_REVIEW: Final = "shield"
"""Who was frozen so comes in again by somebody's review alone."""
FOUND_WITH: Final = 2
"""So many accounts were taken over with it before a value counts as an attackers': the office of one who was robbed is
not the thief's."""

Bools = NDArray[np.bool_]


class Finding(Struct, frozen=True, kw_only=True):
    """What somebody found out about one login of an account: whether it was taken over, and what was seen of it."""

    user_id: str
    at: float
    is_compromised: bool
    signals: tuple[tuple[int, str], ...]


class Stay(Struct, frozen=True, kw_only=True):
    """A session of an account; `ended_at` is None while it runs."""

    user_id: str
    started_at: float
    ended_at: float | None
    reason: str


class Past(Struct, frozen=True):
    """By account a word, and the signals (kind, value) that attackers came with."""

    accounts: Mapping[str, Word] = {}
    signals: frozenset[tuple[int, str]] = frozenset()


NO_PAST: Final = Past()


class Remembered(Struct, frozen=True):
    """The same by the numbers of a window: arrays over accounts, and over signals."""

    confirmed: Bools
    enforced: Bools
    pardoned: Bools
    attackers: Bools

    def marks(self, edges: Edges) -> tuple[Bools, Bools, Bools, Bools]:
        """On which edges most events failed, something was detected, the account was new, and there is a history. The
        gateway acts on what was detected, so both are one mark; of a pardoned account nothing counts."""
        failing, detected, new = marked(edges)
        is_pardoned = self.pardoned[edges.account]
        history = self.confirmed[edges.account] | self.attackers[edges.signal]
        detected = detected | self.enforced[edges.account]
        return failing & ~is_pardoned, detected & ~is_pardoned, new & ~is_pardoned, history & ~is_pardoned

    def of_accounts(self, edges: Edges) -> NDArray[np.float64]:
        """For each account 2 where it was taken over, 1 where the gateway acted or it shares what attackers had."""
        shares = accounts_with(edges, self.attackers[edges.signal], len(self.pardoned))
        return np.where(self.confirmed, 2.0, (self.enforced | shares) & ~self.pardoned)


def past_of(findings: Sequence[Finding], stays: Iterable[Stay], *, now: float) -> Past:
    """What is remembered now."""
    newest: dict[str, Finding] = {}
    for each in sorted(findings, key=lambda finding: finding.at):
        newest[each.user_id] = each
    of_person: dict[str, list[Stay]] = defaultdict(list)
    for stay in stays:
        of_person[stay.user_id].append(stay)
    words = {user: _word(newest.get(user), of_person.get(user, ()), now) for user in newest.keys() | of_person.keys()}
    return Past({user: word for user, word in words.items() if word is not None}, _attackers(findings, now))


def _word(finding: Finding | None, stays: Sequence[Stay], now: float) -> Word | None:
    ended = [stay for stay in stays if stay.ended_at is not None and stay.reason in FOR_RISK]
    last = max(ended, key=lambda stay: stay.ended_at or 0.0, default=None)
    acted_at = -np.inf if last is None or last.ended_at is None else last.ended_at
    found_at = -np.inf if finding is None else finding.at
    looked_at = _reviewed_at(last, stays)
    if finding is not None and found_at >= looked_at and (finding.is_compromised or found_at >= acted_at):
        if finding.is_compromised:
            return "confirmed" if now - found_at < REMEMBERED_SECONDS else None
        return "pardoned" if now - found_at < PARDON_SECONDS else None
    if looked_at > -np.inf:
        was_taken_over = finding is not None and finding.is_compromised
        return "pardoned" if now - looked_at < PARDON_SECONDS and not was_taken_over else None
    return "enforced" if now - acted_at < REMEMBERED_SECONDS else None


def _reviewed_at(last: Stay | None, stays: Sequence[Stay]) -> float:
    """When somebody was let in again whom only a review lets in; before all time where nobody was."""
    if last is None or last.ended_at is None or last.reason != UNTIL_REVIEW:
        return -np.inf
    return min((stay.started_at for stay in stays if stay.started_at > last.ended_at), default=-np.inf)


def _attackers(findings: Sequence[Finding], now: float) -> frozenset[tuple[int, str]]:
    users: dict[tuple[int, str], set[str]] = defaultdict(set)
    owners: set[tuple[int, str]] = set()
    for each in findings:
        signals = [signal for signal in each.signals if signal[1] and signal[0] in (ADDRESS, DEVICE, JA4)]
        if not each.is_compromised:
            owners.update(signals)
        elif now - each.at < REMEMBERED_SECONDS:
            for signal in signals:
                users[signal].add(each.user_id)
    return frozenset(signal for signal, found in users.items() if len(found) >= FOUND_WITH and signal not in owners)


def in_numbers(past: Past, names: Names, *, signals: int) -> Remembered:
    """What of it the window knows; `signals` counts its rhythms, too."""
    confirmed, enforced, pardoned = (np.zeros(len(names.accounts), np.bool_) for _ in range(3))
    attackers = np.zeros(signals, np.bool_)
    arrays = {"confirmed": confirmed, "enforced": enforced, "pardoned": pardoned}
    for user, word in past.accounts.items():
        account = names.find_account(user)
        if account is not None:
            arrays[word][account] = True
    for kind, value in past.signals:
        number = names.find_signal(kind, value)
        if number is not None:
            attackers[number] = True
    return Remembered(confirmed, enforced, pardoned, attackers)
