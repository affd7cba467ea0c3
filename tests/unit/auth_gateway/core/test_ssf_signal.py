"""Which of our events others hear of, by which name, and what is told."""

from typing import Any

import pytest

from auth_gateway.core.audit import AuditEvent, Kind
from auth_gateway.core.event import events_of
from auth_gateway.core.facts import Facts
from auth_gateway.core.ssf import event_types as types
from auth_gateway.core.ssf.signal import Signal, signal_of, transaction_of

ISSUER = "https://id.example"
ALICE = {"format": "iss_sub", "iss": ISSUER, "sub": "id-alice"}
FACTS = Facts(username="alice", user_agent="Firefox", city="Berlin", device="d1", ja4="t13d")


def signal(kind: Kind, **known: Any) -> Signal | None:
    line = AuditEvent(
        **{"event_id": "evt_1", "ts": 1_700_000_000.7, "user_id": "id-alice", "facts": FACTS, **known}, kind=kind
    )
    return signal_of(events_of(line, tenant="acme", threshold=80.0)[0], ISSUER)


def told(kind: Kind, **known: Any) -> dict[str, Any]:
    found = signal(kind, **known)
    assert found is not None
    return found.payload


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        ("logout", "user"),
        ("owner", "user"),
        ("another_person", "user"),
        ("reported", "user"),
        ("recovered", "user"),
        ("password_changed", "user"),
        ("password_set", "admin"),
        ("revocation_endpoint", "system"),
        ("operator", "admin"),
        ("account_frozen", "admin"),
        ("client_removed", "admin"),
        ("factors_removed", "admin"),
        ("compromised", "admin"),
        ("reset_by_review", "admin"),
        ("ended_by_review", "admin"),
        ("password_renewal", "admin"),
        ("session_risk", "policy"),
        ("session_risk_everywhere", "policy"),
        ("shield", "policy"),
        ("policy_document", "policy"),
        ("refresh_token_reused", "policy"),
        ("high_risk", "policy"),
        ("repeated_risk", "policy"),
        ("something_new", "system"),
        (None, "system"),
    ],
)
def test_a_session_that_ended_is_told_with_who_ended_it_and_why(rule: str | None, who: str) -> None:
    """About that session of that person; the reason is never empty (CAEP Interoperability Profile)."""
    found = signal("session.revoked", rule=rule, session_id="s1", ip="198.51.100.9")
    assert found is not None
    assert found.event_type == types.SESSION_REVOKED
    assert found.subject == {"format": "complex", "user": ALICE, "session": {"format": "opaque", "id": "s1"}}
    assert found.payload["event_timestamp"] == 1_700_000_000
    assert found.payload["initiating_entity"] == who
    assert found.payload["reason_admin"]["en"]


@pytest.mark.parametrize(
    ("kind", "known", "credential", "change"),
    [
        ("user.password_changed", {}, "password", "update"),
        ("account.recovered", {"ip": "198.51.100.9"}, "password", "update"),
        ("factor.enrolled", {"detail": "totp"}, "app", "create"),
        ("factor.enrolled", {"detail": "passkey"}, "fido2", "create"),
        ("factor.enrolled", {}, "app", "create"),
        ("recovery_codes.made", {"detail": "recovery_codes"}, "recovery-codes", "create"),
        ("factor.removed", {"detail": "passkey"}, "fido2", "delete"),
        ("factor.removed", {"detail": "totp", "rule": "reported"}, "app", "revoke"),
    ],
)
def test_credentials_that_change_are_told_by_their_kind(
    kind: Kind, known: dict[str, Any], credential: str, change: str
) -> None:
    """About the person; an operator's command has no address, and whoever has one is the person."""
    found = signal(kind, **known)
    assert found is not None
    assert (found.event_type, found.subject) == (types.CREDENTIAL_CHANGE, ALICE)
    assert (found.payload["credential_type"], found.payload["change_type"]) == (credential, change)
    assert found.payload["initiating_entity"] == ("user" if "ip" in known else "admin")
    assert found.payload["reason_admin"]["en"]


@pytest.mark.parametrize(
    ("method", "amr", "acr"),
    [
        ("totp", ("pwd",), "aal2"),
        ("recovery_code", (), "aal2"),
        ("passkey", ("pwd",), "phr"),
        ("email_code", ("pwd",), None),
        ("totp", ("pop", "user", "mfa"), None),
        ("", ("pwd",), None),
    ],
)
def test_a_factor_is_told_where_it_lifts_the_level(method: str, amr: tuple[str, ...], acr: str | None) -> None:
    """A code by mail lifts none, and neither does what follows several factors."""
    found = signal("challenge.passed", facts=Facts(method=method, amr=amr))
    if acr is None:
        assert found is None
        return
    assert found is not None
    assert found.event_type == types.ASSURANCE_LEVEL_CHANGE
    assert found.payload["namespace"] == "NIST-AAL"
    assert (found.payload["previous_level"], found.payload["current_level"]) == ("nist-aal1", "nist-aal2")
    assert (found.payload["change_direction"], found.payload["acr"]) == ("increase", acr)


def test_frozen_accounts_are_disabled_ones() -> None:
    """By an operator, or for a hijacking that the owner reported; and enabled again."""
    assert told("user.frozen")["initiating_entity"] == "admin"
    assert "reason" not in told("user.frozen")
    assert told("user.frozen", rule="reported")["reason"] == "hijacking"
    assert told("user.unfrozen")["initiating_entity"] == "admin"
    assert told("user.unfrozen", rule="reported")["initiating_entity"] == "user"
    assert told("user.unfrozen", rule="password_renewal")["initiating_entity"] == "user"
    assert "another password" in told("user.frozen", rule="password_renewal")["reason_admin"]["en"]
    kinds: tuple[Kind, ...] = ("user.frozen", "user.unfrozen")
    found = [each.event_type for kind in kinds if (each := signal(kind)) is not None]
    assert found == [types.ACCOUNT_DISABLED, types.ACCOUNT_ENABLED]


def test_known_passwords_and_reported_sign_ins_are_compromised_credentials() -> None:
    """The list and the owner's word are told as such."""
    kinds: tuple[Kind, ...] = ("password.breached", "sign_in.reported")
    for kind in kinds:
        found = signal(kind)
        assert found is not None
        assert found.event_type == types.CREDENTIAL_COMPROMISE
        assert found.payload["credential_type"] == "password"
    assert told("sign_in.reported")["initiating_entity"] == "user"


@pytest.mark.parametrize(
    ("level", "told_as"), [("none", "LOW"), ("low", "LOW"), ("medium", "MEDIUM"), ("high", "HIGH")]
)
def test_a_persons_risk_is_told_as_one_of_three_levels(level: str, told_as: str) -> None:
    """Raised or lowered; its reason is the rule's name, its value nobody's business."""
    kinds: tuple[Kind, ...] = ("risk.user_raised", "risk.user_lowered")
    for kind in kinds:
        payload = told(kind, level=level, score=77.0, rule="offline")
        assert (payload["principal"], payload["current_level"], payload["risk_reason"]) == ("USER", told_as, "offline")
        assert "77" not in str(payload)
    assert signal("risk.user_raised") is None


@pytest.mark.parametrize(
    ("before", "level", "previous"),
    [
        (0.0, "high", "LOW"),
        (59.99, "medium", "LOW"),
        (60.0, "high", "MEDIUM"),
        (79.99, "high", "MEDIUM"),
        (80.0, "none", "HIGH"),
        (None, "high", None),
    ],
)
def test_a_risk_is_told_where_its_level_is_another_one(before: float | None, level: str, previous: str | None) -> None:
    """With the one before, to the very mark, where it was written down; whatever the line's words are."""
    payload = told("risk.user_raised", level=level, facts=Facts(risk_before=before), detail="analyst 1-2 evt (85-90 )")
    assert payload.get("previous_level") == previous


def test_a_risk_that_stays_at_its_level_is_told_to_nobody() -> None:
    """However the number moves inside."""
    kinds: tuple[Kind, ...] = ("risk.user_raised", "risk.user_lowered")
    for kind in kinds:
        assert signal(kind, level="high", facts=Facts(risk_before=85.0)) is None
        assert signal(kind, level="none", facts=Facts(risk_before=20.0)) is None


@pytest.mark.parametrize(("rule", "who"), [("safe", "admin"), ("compromised", "admin"), ("factor_shown", "policy")])
def test_a_changed_risk_is_told_with_who_changed_it(rule: str, who: str) -> None:
    """An analyst's word is no rule's."""
    assert told("risk.user_raised", level="high", rule=rule)["initiating_entity"] == who


def test_what_has_no_name_among_others_is_told_to_nobody() -> None:
    """Logins, consent, the operator's keys, and what is about no person."""
    assert signal("login.allowed") is None
    assert signal("consent.given") is None
    assert signal("key.added", user_id=None) is None
    assert signal("session.revoked", user_id=None, session_id="s1") is None


def test_nothing_of_the_circumstances_is_told() -> None:
    """Neither address nor browser, device or place: receivers learn what to do, not where people are."""
    kinds: tuple[Kind, ...] = ("session.revoked", "user.password_changed", "sign_in.reported", "user.frozen")
    for kind in kinds:
        found = signal(kind, ip="198.51.100.9", session_id="s1", client_id="web", incident_id="inc_1", score=91.5)
        assert found is not None
        text = f"{found.subject}{found.payload}"
        for secret in ("198.51.100", "Firefox", "Berlin", "d1", "t13d", "alice'", "inc_1", "91.5"):
            assert secret not in text.replace("id-alice", "")


def test_what_comes_of_one_cause_has_one_transaction() -> None:
    """The sessions that a report ends, and the report itself."""
    assert transaction_of("evt_1.session-2") == transaction_of("evt_1") == "evt_1"


def test_a_session_that_rests_is_trusted_less_until_its_owner_answers() -> None:
    """About that session, and downwards, so that who listens asks for a factor as well."""
    found = signal("session.step_up_required", rule="step_up", session_id="s1", score=64.0, level="medium")
    assert found is not None
    assert found.event_type == types.ASSURANCE_LEVEL_CHANGE
    assert found.subject == {"format": "complex", "user": ALICE, "session": {"format": "opaque", "id": "s1"}}
    assert found.payload["change_direction"] == "decrease"
    assert "score" not in found.payload


def test_a_shielded_account_is_told_as_hijacked() -> None:
    """And one that an operator froze is not."""
    assert told("user.frozen", rule="shield")["reason"] == "hijacking"
    assert "reason" not in told("user.frozen")
