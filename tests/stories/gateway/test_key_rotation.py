"""The signing keys are exchanged twenty times while two gateways give tokens out: whoever verifies them by a copy of
the published keys that is up to five minutes old refuses none that is in force.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import jwt
import pytest

from auth_gateway.adapters.keys import draw_keys
from auth_gateway.cli.keys import replace_keys
from tests.stories.gateway.pairs import Pair, running_pair
from tests.stories.gateway.story import Story

CACHE_SECONDS = 300.0
"""How long the verifier believes its copy: what our Cache-Control allows."""
SHORTEST_DELAY = 360
ROTATIONS = 20
STEP_SECONDS = 45.0


@dataclass
class Verifier:
    """A resource server that asks for the keys every five minutes, at either gateway, and never in between."""

    pair: Pair
    asked_at: float = float("-inf")
    asked: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    verified: set[str] = field(default_factory=set)

    def accepts(self, token: str) -> bool:
        now = self.pair[0].clock.now()
        if now - self.asked_at >= CACHE_SECONDS:
            document = self.pair[self.asked % 2].ask("GET", "/.well-known/jwks.json").json()
            self.keys = {key.key_id: key.key for key in jwt.PyJWKSet.from_dict(document).keys}
            self.asked_at, self.asked = now, self.asked + 1
        key = self.keys.get(jwt.get_unverified_header(token)["kid"])
        if key is None or token in self.verified:
            return key is not None
        options = {"verify_exp": False, "verify_iat": False, "verify_nbf": False}
        claims = jwt.decode(token, key, algorithms=["ES256"], audience="iam-clients", options=options)
        self.verified.add(token)
        return bool(claims["exp"] > now)


@dataclass
class Traffic:
    """Bob's session goes on at both gateways in turn; each token is shown to every verifier while it is in force."""

    pair: Pair
    verifiers: list[Verifier]
    in_force: list[tuple[float, str]] = field(default_factory=list)
    kids: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    given: int = 0
    refresh_token: str = ""

    def step(self) -> None:
        """One more token, and a look at all."""
        story = self.pair[self.given % 2]
        story.clock.advance(STEP_SECONDS)
        now = story.clock.now()
        answer = story.refresh(self.refresh_token) if self.refresh_token else story.login("bob")
        assert answer.status_code == 200, answer.text
        tokens = answer.json().get("tokens") or answer.json()
        self.refresh_token, token = tokens["refresh_token"], tokens["access_token"]
        self.given += 1
        self.kids.add(jwt.get_unverified_header(token)["kid"])
        self.in_force = [one for one in self.in_force if one[0] > now] + [(now + tokens["expires_in"], token)]
        for verifier in self.verifiers:
            self.refused += [one for _, one in self.in_force if not verifier.accepts(one)]


@pytest.fixture
def pair(tmp_path: Path, postgresql_url: str) -> Iterator[Pair]:
    """Two gateways with the shortest delay that can be set."""
    given = {"auth_gateway_database": postgresql_url, "key_activation_delay": SHORTEST_DELAY}
    with running_pair(tmp_path / "state", risk_api_credential="rgs_test", **given) as both:
        yield both


def test_twenty_rotations_cost_nobody_a_valid_token(pair: Pair) -> None:
    """Some in a bunch, some while the one before is still announced, some on their own."""
    traffic = Traffic(pair, [])
    for number in range(3):  # they ask at different moments, and first at different gateways
        traffic.verifiers.append(Verifier(pair, asked=number))
        traffic.step()
        traffic.step()
    steps_between = [0, 0, 0, 1, 2] * 2 + [6, 7, 8, 9, 10] + [3, 0, 12, 1, 20]
    assert len(steps_between) == ROTATIONS
    for number, steps in enumerate(steps_between):
        replace_keys(pair[number % 2].gateway, SHORTEST_DELAY)
        for _ in range(steps):
            traffic.step()
    for _ in range(30):
        traffic.step()
    assert traffic.refused == []
    assert traffic.given > 100
    # Those of a bunch retired before they could sign; all others had their time.
    assert len(traffic.kids) >= 10


def test_who_rotates_at_once_is_told_what_it_breaks(pair: Pair) -> None:
    """The harness above sees a refusal where there is one: an emergency does not wait for copies."""
    traffic = Traffic(pair, [Verifier(pair)])
    traffic.step()
    replace_keys(pair[0].gateway, 0)
    traffic.step()
    assert len(traffic.refused) == 1
    assert jwt.get_unverified_header(traffic.refused[0])["kid"] == pair[1].gateway.ring.current().kid


def test_withdrawn_keys_prove_nothing_and_people_stay(pair: Pair) -> None:
    """What they signed is refused by everybody who has asked since; a refresh gives a token that holds."""
    here, there = pair
    traffic = Traffic(pair, [])
    traffic.step()
    [(_, before)] = traffic.in_force
    replace_keys(here.gateway, None)
    here.clock.advance(CACHE_SECONDS)
    late = Verifier(pair)
    assert not late.accepts(before)
    assert late.accepts(there.refresh(traffic.refresh_token).json()["access_token"])
    assert len(here.gateway.database.read(here.gateway.key_store.load)) == 1


@pytest.mark.parametrize("minutes", [2, 60])
def test_a_process_that_stood_still_looks_before_it_signs(story_with: Callable[..., Story], minutes: int) -> None:
    """Whatever became of the keys meanwhile; it publishes what others made too."""
    story = story_with(risk_api_credential="rgs_test")
    first = story.gateway.ring.current().kid
    now, drawn = story.clock.now(), draw_keys(["ES256"])
    rotated = partial(story.gateway.key_store.rotate, drawn=drawn, now=now, delay_seconds=1, access_ttl_seconds=900)
    story.gateway.database.write_sync(rotated)  # as another process does it
    story.clock.advance(minutes * 60.0)
    token = story.login("bob").json()["tokens"]["access_token"]
    kid = jwt.get_unverified_header(token)["kid"]
    assert kid != first
    assert kid in {key["kid"] for key in story.ask("GET", "/.well-known/jwks.json").json()["keys"]}
