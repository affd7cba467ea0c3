"""The engine with all its detectors takes whatever comes, in whatever order: no crash, 0-100, bounded memory."""

import math
import random
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk_scorer.core.activity.detectors import ALL
from risk_scorer.core.activity.engine import Engine
from risk_scorer.core.activity.memory import SCOPES, Around, Memory, Scope, packed, unpacked
from risk_scorer.core.activity.seen import (
    Change,
    Seen,
    SessionFacts,
    action_of,
    endpoint_template,
    object_of,
    peers_of,
)

ENDPOINTS = ("/", "/a", "/a/1", "/a/2", "/a/999999999999999999", "/b/deadbeef01", "/" + "𝔘" * 1000, "", "/a/٣")
MOMENTS = (0.0, 1.0, 1.75e9, 1.75e9 + 0.001, 1.75e9 + 59.0, 1.75e9 + 86_400.0, 4.1e9)
TEXTS = ("", "x", "y", "𝔘" * 128, "a\0b")
AGENTS = ("", "Chrome", "Firefox", "𝔘" * 64)
FINGERPRINTS = ("", "t13d1516h2_8daaf6152771_02713d6af862", "q13d0310h3_55b375c5d22e_cd85d2d88918", "_" * 36, "𝔘" * 64)
STATUSES = (0, 100, 200, 401, 403, 404, 503, 599)
LATENCIES = (math.nan, 0.0, 5e-324, 80.0, 1e308)
SIZES = (0, 1, 5_000, 2**53 - 1)
DEGREES = (math.nan, -90.0, 0.0, 52.5, 90.0, 180.0)
ROLES: tuple[tuple[str, ...], ...] = ((), ("a",), ("a", "b"), tuple(f"{n}" * 40 for n in range(64)))
COUNTRIES = ("", "DE", "BR", "𝔘" * 128)


def seen_of(chance: random.Random, number: int, ts: float) -> Seen:
    """Any event that the contract lets through, from few values, so that they meet."""
    pick = chance.choice
    endpoint = pick((*ENDPOINTS, f"/new-{number}".ljust(80, "𝔘"), f"/a/{number}"))
    fresh = f"{number}".ljust(128, "𝔘")
    template, roles = endpoint_template(endpoint), pick(ROLES)
    began = SessionFacts(
        prefix=pick(("", "y/24")), asn=pick((0, 64_500)), country=pick(COUNTRIES), browser=pick(AGENTS),
        ja4=pick(FINGERPRINTS), device_id=pick(TEXTS), started_at=pick(MOMENTS),
    )  # fmt: skip
    change = Change(ts=ts, new_roles=pick(ROLES), new_privileges=pick(ROLES)) if chance.random() < 0.2 else None
    return Seen(
        ts=ts, event_id=str(number), user_id=pick("abc"), session_id=pick(("", "s", "t", str(number))),
        endpoint=template, action=action_of("GET", template), status=pick(STATUSES), latency_ms=pick(LATENCIES),
        bytes_in=pick(SIZES), bytes_out=pick(SIZES), service=pick((*TEXTS, fresh)), trace_id=pick((*TEXTS, "trace")),
        device_id=pick((*TEXTS, fresh)), ip=pick(("", "192.0.2.1", "2001:db8::1")), prefix=pick(("", "x", "y/24")),
        asn=pick((0, 64_500, number, 2**32 - 1)), country=pick(COUNTRIES), browser=pick(AGENTS), os=pick(AGENTS),
        device_type=pick(("desktop", "mobile", "")), ja4=pick(FINGERPRINTS), roles=roles,
        privileges=pick((*ROLES, (fresh,))), peers=pick((peers_of(roles), "")), change=change,
        began=began if chance.random() < 0.7 else None, object_id=object_of(endpoint), latitude=pick(DEGREES),
        longitude=pick(DEGREES),
    )  # fmt: skip


class Minds:
    """All memories of an engine, each by its key."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.memories: dict[Scope, dict[str, Memory]] = {scope: defaultdict(dict) for scope in SCOPES}

    def take(self, seen: Seen) -> float:
        keys = (seen.user_id, seen.session_id, seen.peers, seen.service, "", seen.trace_id)
        around = Around(*[self.memories[scope][key] for scope, key in zip(SCOPES, keys, strict=True)])
        judged = self.engine.assess(seen, around)
        assert 0.0 <= judged.total_score <= 100.0, judged
        assert math.isfinite(judged.nats)
        signals = self.engine.signals(judged)
        assert sum(signal.points for signal in signals) == pytest.approx(judged.total_score, abs=0.005)
        return judged.total_score

    def check(self) -> None:
        most = self.engine.most_bytes()
        for scope, by_key in self.memories.items():
            for memory in by_key.values():
                stored = packed(memory)
                assert len(stored) <= most[scope], scope
                assert packed(unpacked(stored, self.engine.parts(scope))) == stored


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32), moments=st.lists(st.sampled_from(MOMENTS) | st.floats(0.0, 4.1e9), max_size=40))
def test_no_order_of_events_breaks_it(seed: int, moments: list[float]) -> None:
    """Extreme values, missing facts, a clock that goes back and forth."""
    chance, minds = random.Random(seed), Minds(Engine(ALL))
    for number, ts in enumerate(moments):
        minds.take(seen_of(chance, number, ts))
    minds.check()


@pytest.mark.parametrize("step", [0.0, 0.4, 20.0, 40_000.0])
def test_a_long_life_of_hostile_events_fills_no_memory_beyond_its_bound(step: float, rounds: int) -> None:
    """Thousands of sessions of three people, with new names each time, at a standstill, in a rush and over decades."""
    chance, minds = random.Random(step), Minds(Engine(ALL))
    for number in range(rounds * 30):
        seen = seen_of(chance, number, min(4.1e9, 1e9 + number * step))
        minds.take(seen)
    minds.check()
