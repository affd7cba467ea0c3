"""A refresh is held against where its session began."""

import asyncio
from typing import Any

import pytest

from auth_gateway.adapters.recent_rulings import MemoryRulings
from auth_gateway.core.context import Client
from auth_gateway.core.policy import Policy
from auth_gateway.flows.answers import InvalidGrant, LoginNeeded, Refreshed, SessionEnded

AWAY = {"ip": "203.0.113.5", "user_agent": "curl/8", "device_id": ""}
TRUSTED = Client(client_id="web", may_vouch=True)


def first_token(world: Any, **context: Any) -> str:
    world.person()
    token = str(asyncio.run(world.login(**context)).tokens.refresh_token)
    world.scorer.events.clear()
    return token


def refresh(world: Any, token: str, **context: Any) -> Any:
    return asyncio.run(world.refresh(token, **context))


def test_the_scorer_is_told_both_ends(world: Any) -> None:
    """Where the request comes from, and what its session began with."""
    token = first_token(world, user_agent="Firefox", ja4="t13d")
    world.clock.advance(600)
    assert isinstance(refresh(world, token, ip="203.0.113.5", user_agent="curl/8", device_id=""), Refreshed)
    (event,) = world.scorer.events
    assert (event.kind, event.user_id, event.ip, event.user_agent) == ("refresh", "alice", "203.0.113.5", "curl/8")
    began = event.session
    assert (began.ip, began.user_agent, began.ja4) == ("198.51.100.9", "Firefox", "t13d")
    assert began.started_at == event.timestamp - 600
    line = world.audited("token.refreshed")[0]
    assert (line.event_id, line.ip, line.score, line.level, line.decision) == (
        *(event.event_id, "203.0.113.5", 10.0, "low", "allow"),
    )


def test_a_known_device_is_told_as_the_one_it_was(world: Any) -> None:
    """And another one as another."""
    token = first_token(world)
    refresh(world, token)
    refresh(world, token, device_id="dev-2")
    same, other = world.scorer.events
    assert same.session.device_id == same.device_id == "dev-1"
    assert other.session.device_id not in {"dev-1", "dev-2", ""}


def test_medium_risk_asks_for_a_new_login_and_spends_nothing(world: Any) -> None:
    """The thief gets nothing, and the owner's own refresh still works."""
    token = first_token(world)
    world.scorer.mark = 70.0
    assert refresh(world, token, **AWAY) == LoginNeeded("medium")
    line = world.audited("token.refused")[0]
    assert (line.rule, line.decision, line.score, line.ip) == ("medium", "challenge", 70.0, "203.0.113.5")
    assert world.count("refresh_tokens", "used_at IS NOT NULL") == 0
    world.scorer.mark = 10.0
    assert isinstance(refresh(world, token), Refreshed)


def test_a_known_client_on_another_network_goes_on_at_medium_risk(world: Any) -> None:
    """From Wi-Fi to mobile, in the country of the login; abroad, or with another device, it is a new login."""
    world.scorer.country = "US"
    token = first_token(world)
    world.scorer.mark = 70.0
    token = refresh(world, token, ip="203.0.113.5").tokens.refresh_token
    assert world.audited("token.refreshed")[0].rule == "medium_same_client"
    assert refresh(world, token, **AWAY) == LoginNeeded("medium")
    world.scorer.country = "BR"
    assert refresh(world, token, ip="203.0.113.6") == LoginNeeded("medium")


def test_the_country_of_a_challenged_login_is_kept_with_its_session(world: Any) -> None:
    """A login that took a code is held against the country it was scored in."""
    secret = world.person(factor=True)
    world.scorer.mark, world.scorer.country = 70.0, "US"
    challenge = asyncio.run(world.login()).challenge_token
    token = asyncio.run(world.complete(challenge, world.code(secret))).tokens.refresh_token
    assert isinstance(refresh(world, token, ip="203.0.113.5"), Refreshed)


def test_high_risk_ends_the_session_and_is_announced(world: Any) -> None:
    """Family and session are over for everybody; the webhook is told once, with the incident id."""
    token = first_token(world)
    world.scorer.mark = 90.0
    ended = refresh(world, token, **AWAY)
    assert isinstance(ended, SessionEnded)
    world.scorer.mark = 10.0
    assert refresh(world, token) == InvalidGrant("revoked")
    (line,) = world.audited("token.denied")
    assert (line.incident_id, line.rule, line.score, line.decision) == (ended.incident_id, "high", 90.0, "deny")
    session = world.database.read(lambda tx: world.sessions.find(tx, line.session_id))
    assert session.revoked_reason == "high_risk"
    ((event_type, body),) = world.messages("webhook")
    data = body["data"]
    assert (event_type, body["type"]) == ("session.revoked", "session.revoked")
    assert (data["incident_id"], data["event_id"], data["username"]) == (ended.incident_id, line.event_id, "alice")
    assert (data["ip"], data["risk_score"], data["rule"]) == ("203.0.113.5", 90.0, "high")
    assert token not in str(body)
    assert line.session_id not in str(body)


def test_the_policy_s_switches_hold_for_refreshes(world: Any) -> None:
    """Medium may be let through by the operator's word; high is softened to a new login, never to an allow."""
    token = first_token(world)
    world.policy = Policy(high_deny=False, medium_requires_mfa=False)
    world.scorer.mark = 90.0
    assert refresh(world, token, **AWAY) == LoginNeeded("high_step_up")
    world.scorer.mark = 70.0
    assert isinstance(refresh(world, token), Refreshed)
    assert world.audited("token.refreshed")[0].rule == "medium_allowed"


@pytest.mark.parametrize(
    ("changes", "goes_on"),
    [
        ({}, True),
        ({"ip": "198.51.100.77"}, True),
        ({"device_id": ""}, False),
        ({"ja4": None}, False),
        ({"ip": "203.0.113.5"}, False),
        ({"user_agent": "curl/8"}, False),
        ({"device_id": "dev-2"}, False),
        ({"ja4": "t13i"}, False),
    ],
)
def test_without_a_score_only_an_unchanged_context_goes_on(
    world: Any, changes: dict[str, Any], *, goes_on: bool
) -> None:
    """A scorer that is down ends nobody's session and lowers no bar."""
    token = first_token(world, user_agent="Firefox", ja4="t13d")
    world.scorer.mark = None
    answer = refresh(world, token, **{"user_agent": "Firefox", "ja4": "t13d", **changes})
    if goes_on:
        assert isinstance(answer, Refreshed)
        assert world.audited("token.refreshed")[0].rule == "unscored_same_context"
    else:
        assert answer == LoginNeeded("unscored_changed_context")
        assert world.audited("token.refused")[0].rule == "unscored_changed_context"
    world.scorer.mark = 10.0
    assert isinstance(refresh(world, token, **changes), Refreshed)


def test_a_score_that_is_none_is_no_score(world: Any) -> None:
    """NaN is not low."""
    token = first_token(world)
    world.scorer.mark = float("nan")
    assert refresh(world, token, **AWAY) == LoginNeeded("unscored_changed_context")


@pytest.mark.parametrize("token", ["", "x", "0" * 43])
def test_an_unknown_token_is_not_scored(world: Any, token: str) -> None:
    """A stranger cannot make the scorer work with guesses."""
    assert refresh(world, token) == InvalidGrant("unknown")
    assert world.scorer.events == []


def test_what_is_not_good_in_itself_is_not_scored(world: Any) -> None:
    """Reuse is theft at once, whatever the scorer thinks; another client's token is nobody's business."""
    token = first_token(world)
    refresh(world, token)
    world.scorer.events.clear()
    assert refresh(world, token, client=Client(client_id="b")) == InvalidGrant("other_client")
    world.clock.advance(11)
    world.scorer.mark = None
    assert refresh(world, token) == InvalidGrant("reused")
    assert refresh(world, token, **AWAY) == InvalidGrant("revoked")
    assert world.scorer.events == []
    assert world.audited("token.reused")[0].decision is None


def test_a_lost_answer_can_be_asked_for_again_when_the_scorer_has_gone(world: Any) -> None:
    """The same successor, and the token still forks no family."""
    token = first_token(world)
    successor = refresh(world, token).tokens.refresh_token
    world.scorer.mark = None
    world.clock.advance(9)
    assert refresh(world, token).tokens.refresh_token == successor


def test_a_lost_answer_is_not_for_everybody(world: Any) -> None:
    """A spent token replayed from elsewhere within its ten seconds is scored like any other."""
    token = first_token(world)
    refresh(world, token)
    world.scorer.mark = 70.0
    assert refresh(world, token, **AWAY) == LoginNeeded("medium")
    world.scorer.mark = 90.0
    world.clock.advance(1)
    assert isinstance(refresh(world, token, ip="203.0.113.6"), SessionEnded)


def test_an_answer_is_reused_for_the_same_context_for_a_minute(world: Any) -> None:
    """The line says as which event it was scored, so that an analyst can say what it was."""
    token = first_token(world)
    token = refresh(world, token).tokens.refresh_token
    world.clock.advance(59)
    world.scorer.mark = 90.0
    token = refresh(world, token).tokens.refresh_token
    (asked,) = world.scorer.events
    first, second = world.audited("token.refreshed")
    assert (second.score, second.detail) == (10.0, f"scored as {asked.event_id}")
    assert first.event_id == asked.event_id != second.event_id
    world.clock.advance(1)
    assert isinstance(refresh(world, token), SessionEnded)


def test_a_refusal_is_reused_as_well_and_a_changed_context_is_asked_about(world: Any) -> None:
    """Who is refused and goes on trying costs no score each time; moving on does."""
    token = first_token(world)
    world.scorer.mark = 70.0
    assert refresh(world, token, **AWAY) == refresh(world, token, **AWAY) == LoginNeeded("medium")
    assert len(world.scorer.events) == 1
    refresh(world, token, **{**AWAY, "ip": "203.0.113.6"})
    assert len(world.scorer.events) == 2


def test_an_answer_without_a_score_is_never_reused(world: Any) -> None:
    """The scorer is asked again as soon as it may answer."""
    token = first_token(world)
    world.scorer.mark = None
    token = refresh(world, token).tokens.refresh_token
    world.scorer.mark = 70.0
    assert refresh(world, token) == LoginNeeded("medium")


def test_without_reuse_each_refresh_is_scored(world: Any) -> None:
    """0 seconds."""
    world.rulings = MemoryRulings(reuse_seconds=0)
    token = first_token(world)
    refresh(world, refresh(world, token).tokens.refresh_token)
    assert len(world.scorer.events) == 2


def test_a_server_that_vouches_for_nothing_is_not_held_against_the_person(world: Any) -> None:
    """No score, no end: the address is the application's own. The line says that it was so."""
    token = first_token(world, client=TRUSTED, is_vouched=True)
    world.scorer.mark = 90.0
    assert isinstance(refresh(world, token, client=TRUSTED, **AWAY), Refreshed)
    assert world.scorer.events == []
    line = world.audited("token.refreshed")[0]
    assert (line.rule, line.score, line.ip) == ("context_unknown", None, None)


def test_a_server_that_vouches_is_believed(world: Any) -> None:
    """Then its word is scored."""
    token = first_token(world, client=TRUSTED, is_vouched=True)
    world.scorer.mark = 90.0
    assert isinstance(refresh(world, token, client=TRUSTED, is_vouched=True, **AWAY), SessionEnded)


def test_a_token_that_dies_while_it_is_scored_stays_dead(world: Any) -> None:
    """The transaction judges it again."""
    token = first_token(world)
    world.scorer.before = lambda: world.accounts.freeze("alice")
    assert refresh(world, token) == InvalidGrant("revoked")
    assert world.audited("token.refused")[0].rule == "revoked"


def test_a_token_that_is_spent_while_it_is_scored_is_a_retry(world: Any) -> None:
    """Two tabs at once get one successor."""
    token = first_token(world)
    tabs: list[Any] = []

    def other_tab() -> None:
        world.scorer.before = None
        world.database.write_sync(
            lambda tx: tabs.append(world.refresh_flow.rotate(tx, _turn(world, token, world.scorer.events[0].event_id)))
        )

    world.scorer.before = other_tab
    answer = refresh(world, token)
    assert answer.tokens.refresh_token == tabs[0].refresh_text
    assert [line.kind for line in world.audited()][-2:] == ["token.refreshed", "token.retried"]


def test_a_token_without_a_ruling_gives_nothing(world: Any) -> None:
    """One that becomes good between the look and the transaction was not judged by its risk: ask again."""
    token = first_token(world)
    unruled = _turn(world, token, "evt_x", ruling=None)
    assert world.database.write_sync(lambda tx: world.refresh_flow.rotate(tx, unruled)) == InvalidGrant(
        "changed_meanwhile"
    )
    assert isinstance(refresh(world, token), Refreshed)


def _turn(world: Any, token: str, event_id: str, **changes: Any) -> Any:
    from auth_gateway.core.policy import CONTEXT_UNKNOWN
    from auth_gateway.core.ruling import Ruling
    from auth_gateway.flows.refresh import Turn

    values = {"event_id": event_id, "now": world.clock.now(), "ruling": Ruling(decision=CONTEXT_UNKNOWN)}
    return Turn(refresh_token=token, client_id="web", **{**values, **changes})
