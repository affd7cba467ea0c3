"""Whose event it is: one that cannot be said now holds up no other."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from plumbing.refusals import Refused
from risk_scorer.contract.activity import ActivityEvent, AssessRequest, IdentityContext
from risk_scorer.core.known_session import KnownSession
from risk_scorer.flows.activity.identify import Identify, Who
from risk_scorer.flows.activity.ports import Place, TokenSession

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class OneSession:
    """Alice's, and nobody else's."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find(self, session_ids: Iterable[str]) -> Mapping[str, KnownSession]:
        self.asked += session_ids
        return {"ses-1": KnownSession(session_id="ses-1", user_id="alice")}

    async def hear(self, _notices: Any, _written: Any, _calmed: Any) -> tuple[int, Sequence[Place]]:
        return 0, ()


class NoKeys:
    """The gateway is away."""

    async def session_of(self, _token: str) -> TokenSession:
        raise Refused("keys_unavailable", "Not now.", status=503, retry_after_seconds=10.0)


def asked(**identity: Any) -> AssessRequest:
    return AssessRequest(identity=IdentityContext(user_id="alice", **identity), event=ActivityEvent(endpoint="/"))


async def test_a_token_that_cannot_be_checked_holds_up_no_other_event() -> None:
    """In a bulk it alone has the 503; what names its session by id is believed."""
    identify = Identify(sessions=OneSession(), tokens=NoKeys())
    first, other = await identify.who([asked(token="a.b.c"), asked(session_id="ses-1")], may_vouch=False)
    assert isinstance(first, Refused)
    assert (first.code, first.status) == ("keys_unavailable", 503)
    assert isinstance(other, Who)
    assert (other.session_id, other.how) == ("ses-1", "session")


async def test_a_session_with_nul_is_looked_up_by_nobody() -> None:
    """One database cannot be asked for it; no session has it."""
    sessions = OneSession()
    [who] = await Identify(sessions=sessions, tokens=NoKeys()).who([asked(session_id="a\0")], may_vouch=False)
    assert isinstance(who, Refused)
    assert (who.code, sessions.asked) == ("unknown_session", [])
