"""One login by password."""

import asyncio
import json
import re
from typing import Any

import pytest

from auth_gateway.adapters.unknown_names import Allowance
from auth_gateway.core.context import Client
from auth_gateway.core.policy import Policy
from auth_gateway.flows.answers import Allowed, Denied, MfaRequired, Throttled, WrongCredentials
from plumbing.refusals import Refused


def test_a_quiet_login_is_let_in_with_tokens(world: Any) -> None:
    """Low risk: a session, an access token about it, a refresh token, and one audit line."""
    world.person()
    answer = asyncio.run(world.login())
    assert isinstance(answer, Allowed)
    claims = json.loads(answer.tokens.access_token)
    assert (claims["sub"], claims["sid"], claims["amr"], claims["acr"]) == ("alice", answer.session_id, ["pwd"], "aal1")
    assert (answer.tokens.expires_in, answer.tokens.refresh_expires_in) == (900, 604_800)
    (line,) = world.audited()
    assert (line.kind, line.rule, line.score, line.session_id) == ("login.allowed", "low", 10.0, answer.session_id)


def test_the_scorer_is_asked_about_the_login_and_told_its_success(world: Any) -> None:
    """The question and the outcome are about the same event, and the outcome leaves with the decision."""
    world.person()
    asyncio.run(world.login(ja4="t13d"))
    (event,) = world.scorer.events
    assert (event.user_id, event.device_id, event.ja4, event.success) == ("alice", "dev-1", "t13d", True)
    ((event_type, body),) = world.messages("scorer")
    assert (event_type, body["outcome"], body["event"]["event_id"]) == ("login.outcome", "success", event.event_id)


@pytest.mark.parametrize(("username", "password"), [("nobody", "right"), ("alice", "wrong"), ("frozen", "right")])
def test_unknown_wrong_and_frozen_answer_alike(world: Any, username: str, password: str) -> None:
    """One value for the three, the scorer is not asked, and no session is made."""
    world.person()
    world.person("frozen")
    world.accounts.freeze("frozen")
    assert asyncio.run(world.login(username, password)) == WrongCredentials()
    assert (world.scorer.events, world.count("sessions")) == ([], 0)


def test_every_failure_hashes_once_whatever_its_reason(world: Any) -> None:
    """No account, no usable name, no usable password: the check is made all the same, so its time is spent."""
    world.person()
    for username, password in [("nobody", "x"), ("a b", "x"), ("alice", "x\0"), ("alice", "y" * 2000)]:
        asyncio.run(world.login(username, password))
    assert world.passwords.checks == [("x", None), ("x", None), (None, "new$right"), (None, "new$right")]


def test_the_operator_can_tell_why_a_login_failed(world: Any) -> None:
    """The audit trail has the reason, and never the name of an unknown user: people type passwords there."""
    world.person()
    world.person("frozen")
    world.accounts.freeze("frozen")
    for username, password in [("hunter2", "x"), ("alice", "x"), ("frozen", "right")]:
        asyncio.run(world.login(username, password))
    lines = [(line.rule, line.user_id) for line in world.audited("login.failed")]
    assert lines == [("unknown_user", None), ("wrong_password", "alice"), ("frozen", "frozen")]
    assert "hunter2" not in str(world.audited())


def test_a_failure_teaches_the_scorer_only_that_it_failed(world: Any) -> None:
    """An outcome `failure` from where it was tried."""
    world.person()
    asyncio.run(world.login("alice", "x", ip="203.0.113.5", user_agent="Firefox", ja4="t13d"))
    ((_, body),) = world.messages("scorer")
    event = body["event"]
    assert (body["outcome"], event["success"], event["user_id"]) == ("failure", False, "alice")
    assert (event["ip"], event["user_agent"], event["device_id"], event["ja4"]) == (
        *("203.0.113.5", "Firefox", "dev-1", "t13d"),
    )


def test_a_failure_for_nobody_is_told_without_the_name(world: Any) -> None:
    """Many names from one network look like many, the same name like one; the name itself goes nowhere."""
    for name in ("hunter2", "hunter2", "Hunter2", "letmein", "two words"):
        asyncio.run(world.login(name, "x", ip="203.0.113.5"))
    bodies = [body for _, body in world.messages("scorer")]
    same, again, cased, other, impossible = (body["event"]["user_id"] for body in bodies)
    assert same == again == cased
    assert len({same, other, impossible}) == 3
    assert re.fullmatch(r"unknown:[0-9a-f]{3}", same)
    assert {(body["outcome"], body["event"]["ip"]) for body in bodies} == {("failure", "203.0.113.5")}
    assert not any(name in str(bodies).lower() for name in ("hunter2", "letmein", "two words"))


def test_a_flood_of_names_does_not_fill_the_outbox(world: Any) -> None:
    """Beyond the allowance a failure for nobody is in the audit trail alone; one for an account is always told."""
    world.person()
    world.unknown_names = Allowance(burst=3, per_second=1)
    for number in range(5):
        asyncio.run(world.login(f"nobody-{number}", "x", ip=f"203.0.113.{number}"))
    asyncio.run(world.login("alice", "x"))
    world.clock.advance(1)
    for number in range(5, 7):
        asyncio.run(world.login(f"nobody-{number}", "x", ip=f"203.0.113.{number}"))
    told = [body["event"]["user_id"].partition(":")[0] for _, body in world.messages("scorer")]
    assert told == ["unknown", "unknown", "unknown", "alice", "unknown"]
    assert len(world.audited("login.failed")) == 8


def test_medium_risk_asks_for_the_second_factor(world: Any) -> None:
    """A challenge, no session; MFA systems are told, with score and reference and without the challenge's secret."""
    world.person(factor=True)
    world.scorer.mark = 70.0
    answer = asyncio.run(world.login())
    assert isinstance(answer, MfaRequired)
    assert world.count("sessions") == 0
    ((event_type, body),) = world.messages("mfa")
    assert (event_type, body["type"]) == ("login.mfa_required", "login.mfa_required")
    data = body["data"]
    assert (data["tenant"], data["risk_score"], data["challenge_id"]) == ("acme", 70.0, answer.challenge_id)
    assert (data["explain"]["ip_rep"], data["reasons"][0]["code"]) == (5.0, "new_device")
    assert answer.challenge_token not in json.dumps(body)
    assert world.messages("scorer") == []


@pytest.mark.parametrize(("mark", "rule"), [(70.0, "no_factor"), (None, "no_factor_unscored")])
def test_a_person_without_a_factor_is_not_let_in_silently(world: Any, mark: float | None, rule: str) -> None:
    """Denied with an incident that the operator finds again."""
    world.person()
    world.scorer.mark = mark
    answer = asyncio.run(world.login())
    assert isinstance(answer, Denied)
    (line,) = world.database.read(lambda tx: world.audit.of_incident(tx, answer.incident_id))
    assert (line.kind, line.rule, line.decision, line.score) == ("login.denied", rule, "deny", mark)
    assert world.count("sessions") == 0


def test_high_risk_is_denied_and_announced(world: Any) -> None:
    """The webhook carries the incident, the score and the explanation."""
    world.person(factor=True)
    world.scorer.mark = 95.0
    answer = asyncio.run(world.login())
    assert isinstance(answer, Denied)
    ((_, body),) = world.messages("webhook")
    assert (body["type"], body["data"]["incident_id"]) == ("login.denied", answer.incident_id)
    assert (body["data"]["risk_level"], body["data"]["user_id"]) == ("high", "alice")


def test_a_denial_below_the_threshold_is_not_announced(world: Any) -> None:
    """A person without a factor at 70 is an operator's matter, not an alarm at 80."""
    world.person()
    world.scorer.mark = 70.0
    asyncio.run(world.login())
    assert world.messages("webhook") == []


def test_without_high_deny_high_risk_steps_up(world: Any) -> None:
    """The switch softens a denial to a challenge for a passkey, never to an allow."""
    world.person(factor=True)
    world.scorer.mark = 95.0
    world.policy = Policy(high_deny=False)
    assert isinstance(asyncio.run(world.login()), Denied)
    world.passkey()
    answer = asyncio.run(world.login())
    assert isinstance(answer, MfaRequired)
    assert answer.methods == ("passkey",)


def test_a_broken_scorer_steps_up(world: Any) -> None:
    """No score: the message says null, and the person is asked for a code."""
    world.person(factor=True)
    world.scorer.mark = None
    assert isinstance(asyncio.run(world.login()), MfaRequired)
    ((_, body),) = world.messages("mfa")
    assert body["data"]["risk_score"] is None


def test_who_is_frozen_while_the_scorer_thinks_stays_out(world: Any) -> None:
    """The last look is inside the transaction."""
    world.person()
    world.scorer.before = lambda: world.accounts.freeze("alice")
    assert asyncio.run(world.login()) == WrongCredentials()
    assert (world.count("sessions"), world.audited("login.failed")[0].rule) == (0, "changed_meanwhile")


def test_an_old_hash_is_upgraded_on_login(world: Any) -> None:
    """The better hash is stored with the decision, its scheme beside it."""
    world.person()
    with world.database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET password_hash = 'old$right', password_scheme = 'old'")
    assert isinstance(asyncio.run(world.login()), Allowed)
    assert world.database.read(lambda tx: world.users.find(tx, "alice")).password_hash == "new$right"


def test_an_upgrade_never_overwrites_a_hash_that_changed_meanwhile(world: Any) -> None:
    """Compare-and-set on the hash that was checked."""
    world.person()
    assert not world.database.write_sync(
        lambda tx: world.users.upgrade_hash(tx, "alice", expected_hash="old$right", new_hash="new$stale")
    )
    assert world.database.read(lambda tx: world.users.find(tx, "alice")).password_hash == "new$right"


def test_spellings_of_a_name_reach_one_account(world: Any) -> None:
    """ＡＬＩＣＥ in full width is alice."""
    world.person()
    assert isinstance(asyncio.run(world.login("ＡＬＩＣＥ")), Allowed)


def test_the_sixth_failure_waits_and_nothing_is_hashed(world: Any) -> None:
    """Five are free; then the answer is how long to wait, even for the right password."""
    world.person()
    for _ in range(5):
        asyncio.run(world.login("alice", "wrong"))
    answer = asyncio.run(world.login("alice", "right"))
    assert answer == Throttled(retry_after_seconds=1.0)
    assert len(world.passwords.checks) == 5
    world.clock.advance(1)
    assert isinstance(asyncio.run(world.login("alice", "right")), Allowed)


def test_guesses_sent_together_are_counted_together(world: Any) -> None:
    """Fifty at once: five are looked at."""
    world.person()

    async def burst() -> list[Any]:
        return await asyncio.gather(*(world.login("alice", f"guess-{n}") for n in range(50)))

    answers = asyncio.run(burst())
    assert sum(isinstance(answer, WrongCredentials) for answer in answers) == 5
    assert sum(isinstance(answer, Throttled) for answer in answers) == 45


def test_a_strangers_guesses_do_not_lock_the_owner_out(world: Any) -> None:
    """The owner's device has finished a login before and has its own counter."""
    world.person()
    asyncio.run(world.login())
    for _ in range(10):
        asyncio.run(world.login("alice", "wrong", device_id="", ip="203.0.113.5"))
    assert isinstance(asyncio.run(world.login(device_id="", ip="203.0.113.5")), Throttled)
    assert isinstance(asyncio.run(world.login()), Allowed)


def test_an_account_that_does_not_exist_is_throttled_like_one_that_does(world: Any) -> None:
    """The wait tells nothing about the name."""
    world.person()
    answers = [[asyncio.run(world.login(name, "wrong")) for _ in range(7)] for name in ("alice", "nobody")]
    assert answers[0] == answers[1]


def test_success_is_not_counted(world: Any) -> None:
    """Ten logins in a row by their owner: none waits."""
    world.person()
    assert all(isinstance(asyncio.run(world.login()), Allowed) for _ in range(10))


def test_a_denial_costs_the_network_and_not_the_owner(world: Any) -> None:
    """A right password is no guess, so the account never waits for denials; their network does after fifty."""
    world.person()
    world.scorer.mark = 95.0
    assert {type(asyncio.run(world.login())) for _ in range(50)} == {Denied}
    assert isinstance(asyncio.run(world.login()), Throttled)


def test_a_full_pool_refuses_and_counts_nothing(world: Any) -> None:
    """Who was not looked at has not failed."""
    world.person()
    world.passwords.error = Refused("busy", "Too many logins at once.", status=503, retry_after_seconds=1)
    for _ in range(10):
        with pytest.raises(Refused):
            asyncio.run(world.login())
    world.passwords.error = None
    assert isinstance(asyncio.run(world.login()), Allowed)


def test_the_client_is_who_authenticated_not_what_the_context_says(world: Any) -> None:
    """A context made for another client is put right."""
    world.person()
    answer = asyncio.run(world.login(client=Client(client_id="app"), client_id="web"))
    assert json.loads(answer.tokens.access_token)["client_id"] == "app"


def test_nothing_is_announced_to_whom_nobody_configured(world: Any) -> None:
    """Without endpoints the outbox stays empty, and the login works."""
    world.person(factor=True)
    world.recorder = type(world.recorder)(
        audit=world.audit, outbox=world.outbox, announcing=type(world.recorder.announcing)()
    )
    for mark in (10.0, 70.0, 95.0):
        world.scorer.mark = mark
        asyncio.run(world.login())
    asyncio.run(world.login("alice", "wrong"))
    assert world.count("outbox") == 0


def test_a_decision_and_its_messages_are_one_transaction(world: Any) -> None:
    """If a message cannot be kept, the session is not made: nothing committed goes unannounced."""
    world.person()

    class BrokenOutbox:
        def add(self, tx: Any, **message: Any) -> None:
            raise RuntimeError("disk says no")

    world.recorder = type(world.recorder)(
        audit=world.audit, outbox=BrokenOutbox(), announcing=world.recorder.announcing
    )
    with pytest.raises(RuntimeError):
        asyncio.run(world.login())
    assert (world.count("sessions"), world.audited()) == (0, [])
