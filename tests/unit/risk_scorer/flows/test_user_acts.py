"""What is told of a verdict about somebody: as much as was done, and no more."""

from typing import Any

import anyio
import pytest

from plumbing.clock import FixedClock
from plumbing.refusals import Refused
from risk_scorer.contract.feedback import Feedback
from risk_scorer.core.console.accounts import PersonRisk
from risk_scorer.core.console.sign_in import SignIn
from risk_scorer.core.console.sign_in_page import Cursor, SignInPage
from risk_scorer.flows.console.user_acts import MOST_JUDGED, UserActs

TEXTS: dict[str, Any] = dict.fromkeys(
    ("kind", "ip", "prefix", "asn_name", "country", "region", "city", "device_id", "browser", "os", "ja4", "reasons",
     "model_version", "dominant"),
    "",
)  # fmt: skip
RISKY = [
    SignIn(ts=9.0, event_id=f"e{n}", user_id="alice", level="high", score=90.0, asn=0, **TEXTS)
    for n in range(MOST_JUDGED + 1)
]
AWAY = Refused("storage_unavailable", "The storage is away.", status=503)


class Around:
    """The gateway, the rows and the judge of one scorer; the judge may be away."""

    is_on = True

    def __init__(self, rows: int, *, is_more: bool = False, is_away: bool = False) -> None:
        self._page = SignInPage(rows=tuple(RISKY[:rows]), next_cursor=Cursor(1.0, 1) if is_more else None)
        self._is_away = is_away
        self.judged: list[str] = []

    async def verdict(self, user_id: str, _verdict: str, **_said: str) -> PersonRisk:
        return PersonRisk(user_id=user_id, risk=100.0, level="high", is_held=True, changed_at=1.0, history=[])

    async def page(self, *_wanted: object, **_more: object) -> SignInPage:
        return self._page

    async def feedback(self, given: list[Feedback], *, path: str | None) -> int:
        assert path == "event"
        if self._is_away:
            raise AWAY
        self.judged += [each.event_id for each in given]
        return 0


def said(around: Any) -> str:
    acts = UserActs(gateway=around, sign_ins=around, judge=around, clock=FixedClock(1e9))

    async def say() -> str:
        return await acts.verdict("alice", "compromised", by="mara", why="odd")

    return anyio.run(say)


@pytest.mark.parametrize(
    ("rows", "is_more", "told"),
    [
        (0, False, "0 risky sign-ins judged."),
        (1, False, "1 risky sign-in judged."),
        (MOST_JUDGED, False, "50 risky sign-ins judged."),
        (MOST_JUDGED + 1, False, "50 risky sign-ins judged, of the newest alone."),
        (1, True, "1 risky sign-in judged, of the newest alone."),
    ],
)
def test_sign_ins_that_were_left_out_are_told_as_left_out(rows: int, is_more: bool, told: str) -> None:
    """A bounded number is judged at a time, among a bounded number of the newest."""
    around = Around(rows, is_more=is_more)
    assert said(around) == f"Compromised; risk at the gateway 100; {told}"
    assert len(around.judged) == min(rows, MOST_JUDGED)


def test_what_the_gateway_did_is_told_where_the_rest_fails() -> None:
    """The refusal keeps its code, and nobody reads that nothing was done."""
    with pytest.raises(Refused) as caught:
        said(Around(1, is_away=True))
    assert (caught.value.code, caught.value.status) == ("storage_unavailable", 503)
    assert (
        "risk at the gateway 100. That is done; sign-ins were not judged, so say it once more." in caught.value.message
    )
