"""Two models compared on the live logins that one of them decided while the other shadowed.

Read from the scorer's own database, a page at a time; nothing is scored again. Nobody knows of every login whose it
was: what succeeded and was not confirmed as a compromise counts as the person's own, so attacks that nobody found count
as prompts of people. There are no simulated strangers here.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import bindparam, select

from plumbing.statements import Statement
from risk_scorer.adapters.shadow_log import Pair, pairs_of, scores_of_pair
from risk_scorer.adapters.tables import shadow_scores, verdicts
from risk_scorer.contract.assessment import risk_level
from risk_scorer.contract.shadow import ShadowScore
from risk_scorer.core.registry import POINTERS
from training.comparing.comparison import Comparison, Source
from training.comparing.counting import Logins, Named, Scores, compared_counts
from training.read_only import Reading, name_of, opened
from training.refusals import WrongInputError

PAGE_ROWS = 5000
COMPROMISED = Statement(
    select(verdicts.c.event_id)
    .where(verdicts.c.event_id > bindparam("after_id"), verdicts.c.verdict == "confirmed_compromised")
    .order_by(verdicts.c.event_id)
    .limit(PAGE_ROWS)
)
NOTE = "logins that succeeded and that nobody confirmed as compromises count as people's own"


def compared_live(database: str, active: str, candidate: str, *, starts: float = float("-inf")) -> Comparison:
    """What the shadow would have decided otherwise, of logins from `starts` (epoch seconds) on.

    `active` and `shadow` as names stand for the newest pair there is. Raises WrongInputError("nothing_to_judge") where
    no login was scored by both, and as `read_only.opened`.
    """
    with opened(database, needed=(shadow_scores, verdicts)) as reading:
        pair = _pair(pairs_of(reading), active, candidate, name_of(database))
        compromised = frozenset(_compromised(reading))
        scores = scores_of_pair(reading, active=pair.active, shadow=pair.shadow)
        logins = _gathered((each for each in scores if each.ts_scored >= starts), compromised)
    if not len(logins.moment):
        raise WrongInputError("nothing_to_judge", f"{pair.shadow} has shadowed {pair.active} before that alone")
    named = Named(
        active=pair.active, candidate=pair.shadow, source=f"live logins in {name_of(database)}", notes=(NOTE,)
    )
    return compared_counts(named, logins)


def _pair(pairs: Iterable[Pair], active: str, candidate: str, name: str) -> Pair:
    there = sorted(pairs, key=lambda pair: pair.last)
    fitting = [pair for pair in there if active in (pair.active, *POINTERS) and candidate in (pair.shadow, *POINTERS)]
    if fitting:
        return fitting[-1]
    known = ", ".join(f"{pair.shadow} beside {pair.active}" for pair in there[-5:]) or "none shadowed"
    raise WrongInputError("nothing_to_judge", f"{name} has no login that both scored; there is: {known}")


def _compromised(reading: Reading) -> Iterable[str]:
    after = ""
    while rows := reading.all(COMPROMISED, after_id=after):
        yield from (row[0] for row in rows)
        after = rows[-1][0]


def _gathered(scores: Iterable[ShadowScore], compromised: frozenset[str]) -> Logins:
    """The logins as columns. Of those that are decided alike no id is kept: there may be millions."""
    moment, active, candidate = array("d"), array("d"), array("d")
    people: dict[str, str] = {}
    user_id: list[str] = []
    event_id: list[str] = []
    success, confirmed = bytearray(), bytearray()
    for each in scores:
        moment.append(each.ts_scored)
        active.append(each.active_score)
        candidate.append(each.score)
        user_id.append(people.setdefault(each.user_id, each.user_id))
        event_id.append(each.event_id if risk_level(each.score) != risk_level(each.active_score) else "")
        success.append(each.success)
        confirmed.append(each.event_id in compromised)
    attacks = np.frombuffer(bytes(confirmed), dtype=bool)
    found: dict[tuple[Source, str], NDArray[np.bool_]] = {("confirmed", "compromised"): attacks} if any(attacks) else {}
    return Logins(
        moment=np.array(moment),
        user_id=user_id,
        ip=[""] * len(user_id),
        event_id=event_id,
        row=[None] * len(user_id),
        legitimate=np.frombuffer(bytes(success), dtype=bool) & ~attacks,
        attacks=found,
        scores=Scores(active=np.array(active), candidate=np.array(candidate)),
    )
