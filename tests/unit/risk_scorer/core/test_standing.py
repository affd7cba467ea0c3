"""What of a login stands after what was found out about it."""

import pytest
from msgspec.structs import replace

from risk_scorer.contract.feedback import VerdictKind
from risk_scorer.core.history import EMPTY, learn_taught
from risk_scorer.core.standing import judged, moved, standing
from risk_scorer.core.verdicts import Taught, taught_by
from tests.integration.risk_scorer.observations import observation

OWN = taught_by(observation(timestamp=1_760_000_000.0), "mfa_passed")
CONTEXT = replace(OWN, outcome="success")
BARE = replace(OWN, outcome="failure")
OTHER = taught_by(observation(ip="203.0.113.7", device_id="dev-2"), "success")


@pytest.mark.parametrize(
    ("verdict", "own", "context", "stands"),
    [
        (None, (), CONTEXT, ()),
        (None, (OWN,), CONTEXT, (OWN,)),
        ("dismissed", (OWN,), CONTEXT, (OWN,)),
        ("dismissed", (), CONTEXT, ()),
        ("confirmed_compromised", (OWN, OTHER), CONTEXT, ()),
        ("confirmed_safe", (OWN,), CONTEXT, (OWN,)),
        ("confirmed_safe", (), CONTEXT, (CONTEXT,)),
        ("confirmed_safe", (), BARE, ()),
    ],
)
def test_what_stands_depends_on_what_is_known_now(
    verdict: VerdictKind | None, own: tuple[Taught, ...], context: Taught, stands: tuple[Taught, ...]
) -> None:
    """A compromise teaches nothing, a safe login teaches even when it was denied, unless too little is known of it."""
    assert standing(verdict, own, context) == stands


def test_a_network_that_is_anybodys_is_the_persons_own_once_they_say_so() -> None:
    """The owner of a listed address is not asked for ever."""
    [lesson] = standing("confirmed_safe", (replace(OWN, taught_network=False),), CONTEXT)
    assert lesson.taught_network


def test_moving_there_and_back_leaves_the_history_as_it_was() -> None:
    """What is in both is not touched; what is only before goes and what is only after comes, as often as it counts."""
    history = learn_taught(learn_taught(EMPTY, OTHER), OWN)
    assert moved(history, (OWN,), (OWN,)) is history
    assert moved(None, (), ()) is None
    gone = moved(history, (OWN,), ())
    assert gone is not None
    assert (gone.logins, list(gone.device)) == (1, ["dev-2"])
    back = moved(gone, (), (OWN, OWN))
    assert back is not None
    assert back.logins == 3


def test_a_shared_network_stays_condemned_while_one_verdict_stands() -> None:
    """Taking a verdict back leaves to another what the two have in common."""
    first = taught_by(observation(ip="203.0.113.7", device_id="thief-1"), "success")
    second = taught_by(observation(ip="203.0.113.7", device_id="thief-2"), "success")
    both = judged(None, safe=(), compromised=(first, second))
    one = judged(both, safe=(), compromised=(second,))
    none = judged(one, safe=(), compromised=())
    assert one is not None
    assert {"ip:203.0.113.7", "device:thief-2"} <= one.condemned.keys()
    assert "device:thief-1" not in one.condemned
    assert none == EMPTY


def test_what_is_pardoned_or_the_persons_own_is_not_condemned() -> None:
    """An attacker behind the person's own provider does not turn the provider against them."""
    history = judged(learn_taught(EMPTY, OWN), safe=(OTHER,), compromised=(replace(OTHER, device_id="thief"), OWN))
    assert history is not None
    assert set(history.condemned) == {"device:thief"}
    assert "device:dev-2" in history.pardoned
