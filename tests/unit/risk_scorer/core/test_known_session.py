"""A session as the scorer knows it: notices in any order say the same, and what ran out has ended."""

from itertools import permutations

import pytest

from risk_scorer.contract.sessions import SessionNotice
from risk_scorer.core.activity.seen import SessionFacts
from risk_scorer.core.known_session import EXPIRED, KnownSession, heard

NOW = 1_760_000_000.0


def notice(state: str, at: float, **said: object) -> SessionNotice:
    """One of alice's session."""
    return SessionNotice(session_id="ses-1", user_id="alice", state=state, at=at, **said)  # type: ignore[arg-type]


def known(*notices: SessionNotice) -> KnownSession:
    """What is known once these were heard."""
    session = None
    for each in notices:
        session = heard(session, each, SessionFacts())
    assert session is not None
    return session


def test_the_order_of_notices_changes_nothing() -> None:
    """Whichever comes first, the session has the same end."""
    told = [
        notice("started", NOW, expires_at=NOW + 100),
        notice("stepped_up", NOW + 10, expires_at=NOW + 100),
        notice("ended", NOW + 20, reason="logout"),
    ]
    found = {(each.state, each.over_at, each.told) for each in (known(*order) for order in permutations(told))}
    assert found == {("ended", NOW + 20, known(*told).told)}


@pytest.mark.parametrize(
    ("after", "state", "ended_at", "reason"),
    [(99.9, "started", None, ""), (100.0, "ended", NOW + 100, EXPIRED), (1e6, "ended", NOW + 100, EXPIRED)],
)
def test_a_session_ends_at_the_second_at_which_it_runs_out(
    after: float, state: str, ended_at: float | None, reason: str
) -> None:
    """Nobody has to say so."""
    seen = known(notice("started", NOW, expires_at=NOW + 100)).as_of(NOW + after)
    assert (seen.state, seen.ended_at, seen.told.reason) == (state, ended_at, reason)


def test_an_end_that_was_told_keeps_its_reason() -> None:
    """One that ended before it ran out ended then, and for that."""
    seen = known(notice("started", NOW, expires_at=NOW + 100), notice("ended", NOW + 20, reason="logout"))
    assert seen.as_of(NOW + 1000) == seen


def test_without_a_word_of_its_end_a_session_goes_on() -> None:
    """An older gateway says none."""
    seen = known(notice("started", NOW))
    assert (seen.over_at, seen.as_of(NOW + 1e9)) == (None, seen)
