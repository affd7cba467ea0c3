"""What a SIEM reads of real decisions: every field that its rules look at is there, in each format, in a real file."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from socket import AF_INET
from typing import Any

import msgspec
import pytest

from auth_gateway.core.destination import Destination, Format, Privacy
from auth_gateway.core.siem.ocsf_classes import PROFILES, SCHEMA_VERSION
from auth_gateway.core.throttle import PROMPTED_TOO_OFTEN
from auth_gateway.settings import Settings
from auth_gateway.telling import destination_receiver, listeners
from tests.certificates import certified
from tests.stories.gateway.story import PASSWORD, Story, running_story
from webhooks.delivery import Endpoint

ELSEWHERE = "203.0.113.77"
CONTEXT = {
    "ip": ELSEWHERE,
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0",
    "device_id": "dev-1",
    "country": "DE",
    "region": "BE",
    "city": "Berlin",
    "ja4": "t13d1516h2_8daaf6152771_e5627efa2ab1",
}
EXPLAINS = {
    "country": "DE",
    "region": "BE",
    "city": "Berlin",
    "browser": "Firefox",
    "os": "Windows",
    "network_kind": "hosting",
    "is_listed": True,
}
REASONS = [
    {"code": "stuffing_in_progress", "points": 60.0, "observed": ELSEWHERE, "usual": "", "text": "Many are tried."},
    {"code": "new_device", "points": 5.0, "observed": "dev-1", "usual": "", "text": "First login with it."},
]
EVERYTHING = Privacy(ip="full", user="name", user_agent=True)

FORMATS: tuple[Format, ...] = ("ocsf", "ecs", "cef")
Document = dict[str, Any]


def listen(story: Story, form: Format, privacy: Privacy = EVERYTHING) -> None:
    """A file that is told of everything."""
    wanted = Destination(
        destination_id="", name=form, kind="file", url=f"file:{form}.log", format=form, privacy=privacy
    )
    listeners(story.gateway).add(wanted, show=lambda _secret: None)


def live(story: Story) -> None:
    """What people and thieves do: each of the decisions that a SIEM watches, once."""
    shop = story.client("shop", may_vouch=True)
    sent: dict[str, Any] = {"context": CONTEXT, "auth": shop}
    story.scorer.explains, story.scorer.reasons = EXPLAINS, REASONS
    tokens = story.login(**sent).json()["tokens"]
    assert story.login(password="wrong", **sent).status_code == 401
    story.scorer.score = 91.0
    assert story.login(**sent).status_code == 403
    story.scorer.score, story.scorer.new = 65.0, ("device",)
    asked = story.login(**sent).json()["challenge_id"]
    for code in ("000000", story.code()):
        answer = {"challenge_id": asked, "code": code, **CONTEXT}
        story.ask("POST", "/login/complete", json=answer, auth=shop)
    story.scorer.score = 10.0
    first = tokens["refresh_token"]
    again = {"grant_type": "refresh_token", "refresh_token": first, **CONTEXT}
    assert story.ask("POST", "/token", json=again, auth=shop).status_code == 200
    story.clock.advance(20)
    assert story.ask("POST", "/token", json=again, auth=shop).status_code == 400
    story.scorer.score = 65.0
    for _ in range(6):
        last = story.login(**sent)
    assert last.status_code == 429
    story.gateway.accounts.freeze("bob")
    story.gateway.accounts.add("carol", PASSWORD, user_id="id-carol")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[Format, dict[str, Document]]:
    """By format and type, the last event of each type that the files hold."""
    place = tmp_path_factory.mktemp("events")
    with pytest.MonkeyPatch.context() as patch:
        for name in (*Settings.model_fields, "auth_gateway_config"):
            patch.delenv(name.upper(), raising=False)
        with running_story(place / "state", risk_api_credential="rgs_test", events_directory=place) as story:
            story.until_told()  # what was done to set the story up is nobody's business: people's orders are their own
            for form in FORMATS:
                listen(story, form)
            live(story)
            story.until_told()
            found = {form: (place / f"{form}.log").read_bytes().splitlines() for form in FORMATS}
    return {
        "ocsf": {
            named(each["metadata"]["event_code"], each.get("status_code")): each
            for each in map(msgspec.json.decode, found["ocsf"])
        },
        "ecs": {
            named(each["event"]["action"], each["event"].get("reason")): each
            for each in map(msgspec.json.decode, found["ecs"])
        },
        "cef": {named(each["type"], each.get("reason")): each for each in map(cef_fields, found["cef"])},
    }


def named(event_type: str, rule: str | None) -> str:
    """The type; a flood of prompts is a case of its own."""
    return rule if rule == PROMPTED_TOO_OFTEN else event_type


def cef_fields(line: bytes) -> Document:
    """The extension, and the head's type and severity."""
    head = line.decode().split("|", 7)
    pairs = re.findall(r"(\w+)=((?:[^\\=]|\\.)*?)(?= \w+=|$)", head[7])
    return {"type": head[4], "severity": head[6], **dict(pairs)}


def at(document: Any, path: str) -> Any:
    """What stands there; None where nothing does. A number is a place in a list."""
    for step in path.split("."):
        if isinstance(document, list):
            document = document[int(step)] if int(step) < len(document) else None
        else:
            document = document.get(step) if isinstance(document, dict) else None
    return document


def unmet(document: Any, wanted: Document) -> list[str]:
    """The fields that are not as they should be; `...` is whatever is not empty."""
    return [
        path
        for path, value in wanted.items()
        if (at(document, path) in (None, "", [], {}) if value is ... else at(document, path) != value)
    ]


def without(document: Document, path: str) -> Document:
    """The same with that field emptied."""
    changed = deepcopy(document)
    *way, last = path.split(".")
    there = at(changed, ".".join(way)) if way else changed
    if isinstance(there, list):
        there[int(last)] = None
    else:
        there[last] = None
    return changed


# What rules of detection read, event by event; the story gives each a value of its own.
_WHO = {"user.uid": "id-alice", "user.name": "alice"}
_WHERE = {
    "src_endpoint.ip": ELSEWHERE,
    "src_endpoint.location.country": "DE",
    "src_endpoint.location.region": "BE",
    "src_endpoint.location.city": "Berlin",
    "device.uid": ...,
    "http_request.user_agent": CONTEXT["user_agent"],
    "unmapped.ja4": CONTEXT["ja4"],
}
_NETWORK = {
    "src_endpoint.autonomous_system.number": 64500,
    "device.os.name": "Windows",
    "device.os.type_id": 100,
    "device.type_id": 2,
    "unmapped.browser": "Firefox",
    "unmapped.network_kind": "hosting",
    "unmapped.is_listed": True,
}
_RISK = {
    "risk_level_id": ...,
    "risk_level": ...,
    "risk_score": ...,
    "risk_details": "Many are tried. First login with it.",
    "policy.name": ...,
    "unmapped.reasons.0.code": "stuffing_in_progress",
    "unmapped.model_version": "stub-1",
}
_ALWAYS = {
    "class_uid": ...,
    "category_uid": ...,
    "activity_id": ...,
    "activity_name": ...,
    "type_uid": ...,
    "severity_id": ...,
    "status_id": ...,
    "status": ...,
    "time": ...,
    "message": ...,
    "metadata.uid": ...,
    "metadata.version": SCHEMA_VERSION,
    "metadata.product.name": "riskgate",
    "metadata.product.vendor_name": "riskgate",
    "metadata.profiles": list(PROFILES),
    "metadata.tenant_uid": "default",
    "metadata.original_time": ...,
    "observables.0.value": ...,
}
_LOGIN = {
    **_ALWAYS,
    **_WHO,
    **_WHERE,
    "class_uid": 3002,
    "actor.app_uid": "shop",
    "service.uid": "shop",
    "auth_protocol": "Password",
    "is_remote": True,
}
OCSF: dict[str, Document] = {
    "login.allowed": {
        **_LOGIN, **_NETWORK, **_RISK, "type_uid": 300201, "status_id": 1, "action_id": 1, "disposition_id": 1,
        "risk_level_id": 1, "risk_score": 10, "session.uid": ..., "auth_factors.0.factor_type_id": 11,
        "is_mfa": False, "policy.name": "low", "metadata.correlation_uid": ...,
    },
    "login.failed": {
        **_LOGIN, "type_uid": 300201, "status_id": 2, "status_code": "wrong_password", "action_id": 2,
        "disposition_id": 26, "attacks.0.technique.uid": "T1110", "attacks.0.tactics.0.uid": "TA0006",
    },
    PROMPTED_TOO_OFTEN: {
        **_LOGIN, **_NETWORK, "type_uid": 300201, "status_id": 2, "action_id": 2, "severity_id": 3, "is_alert": True,
        "attacks.0.technique.uid": "T1621", "attacks.1.technique.uid": "T1078", "risk_score": 65,
    },
    "login.denied": {
        **_LOGIN, **_NETWORK, **_RISK, "type_uid": 300201, "status_id": 2, "status_code": "high", "severity_id": 4,
        "action_id": 2, "disposition_id": 2, "risk_level_id": 3, "risk_score": 91, "policy.name": "high",
        "is_alert": True, "unmapped.incident_id": ..., "attacks.0.technique.uid": "T1078",
        "attacks.1.sub_technique.uid": "T1110.003",
    },
    "login.mfa_required": {
        **_LOGIN, **_NETWORK, **_RISK, "type_uid": 300206, "status_id": 99, "action_id": 3, "disposition_id": 23,
        "risk_level_id": 2, "risk_score": 65, "unmapped.challenge_id": ..., "unmapped.demand": "any",
        "unmapped.factors": ["totp"], "unmapped.new": ["device"], "metadata.correlation_uid": ...,
        "attacks.0.sub_technique.uid": "T1110.003",
    },
    "mfa.failed": {
        **_LOGIN, "type_uid": 300201, "status_id": 2, "action_id": 2, "severity_id": 3, "is_mfa": True,
        "auth_factors.1.factor_type": "OTP", "unmapped.began_as": ..., "attacks.0.technique.uid": "T1110",
        "metadata.correlation_uid": ...,
    },
    "mfa.passed": {
        **_LOGIN, **_NETWORK, **_RISK, "type_uid": 300201, "status_id": 1, "action_id": 1, "is_mfa": True,
        "session.uid": ..., "session.is_mfa": True, "auth_factors.1.is_totp": True, "unmapped.method": "totp",
        "unmapped.began_as": ..., "metadata.correlation_uid": ...,
    },
    "login.high_risk": {
        **_ALWAYS, **_RISK, "class_uid": 2004, "type_uid": 200401, "status_id": 1, "severity_id": 4, "is_alert": True,
        "finding_info.uid": ..., "finding_info.title": ..., "finding_info.created_time": ...,
        "finding_info.types": ["login.high_risk"], "finding_info.analytic.type_id": 4,
        "finding_info.analytic.version": "stub-1", "finding_info.attacks.0.technique.uid": "T1078",
        "attacks.0.technique.uid": "T1078", "evidences.0.src_endpoint.ip": ELSEWHERE,
        "evidences.0.user.uid": "id-alice", "evidences.0.http_request.user_agent": CONTEXT["user_agent"],
        "evidences.0.ja4_fingerprint_list.0.value": CONTEXT["ja4"], "resources.0.uid": "id-alice",
        "device.uid": ..., "disposition_id": 2, "actor.app_uid": "shop",
    },
    "device.new": {
        **_ALWAYS, "class_uid": 2004, "finding_info.uid": ..., "finding_info.analytic.type_id": ...,
        "evidences.0.device.uid": ..., "resources.0.uid": "id-alice", "unmapped.new": ["device"],
    },
    "token.refresh_reused": {
        **_ALWAYS, "class_uid": 2004, "severity_id": 4, "disposition_id": 24, "actor.session.uid": ...,
        "attacks.0.technique.uid": "T1539", "finding_info.uid": ..., "resources.0.uid": "id-alice",
        "actor.app_uid": "shop", "evidences.0.src_endpoint.ip": ELSEWHERE, "evidences.0.device.uid": ...,
        "evidences.0.http_request.user_agent": CONTEXT["user_agent"],
    },
    "session.revoked": {
        **_ALWAYS, **_WHO, "class_uid": 3002, "type_uid": 300202, "session.uid": ..., "severity_id": 3,
        "status_code": "refresh_token_reused", "attacks.0.technique.uid": "T1539", "service.uid": "shop",
        "device.uid": ..., "http_request.user_agent": CONTEXT["user_agent"],
    },
    "account.frozen": {
        **_ALWAYS, "class_uid": 3001, "type_uid": 300109, "user.uid": "id-bob", "user.name": "bob", "severity_id": 3,
        "disposition_id": 24,
    },
    "account.created": {**_ALWAYS, "class_uid": 3001, "type_uid": 300101, "user.uid": "id-carol"},
}  # fmt: skip
_EVENT = {
    "@timestamp": ...,
    "ecs.version": ...,
    "message": ...,
    "event.id": ...,
    "event.kind": ...,
    "event.category": ...,
    "event.type": ...,
    "event.outcome": ...,
    "event.dataset": "riskgate.events",
    "event.module": "riskgate",
    "event.severity": ...,
    "organization.id": "default",
}
_PERSON = {
    **_EVENT,
    "user.id": "id-alice",
    "user.name": "alice",
    "related.user": ["id-alice", "alice"],
    "service.name": "shop",
}
_VISIT = {
    **_PERSON,
    "source.ip": ELSEWHERE,
    "source.geo.country_iso_code": "DE",
    "source.geo.city_name": "Berlin",
    "user_agent.original": CONTEXT["user_agent"],
    "device.id": ...,
    "related.ip": [ELSEWHERE],
}
_JUDGED = {
    **_VISIT,
    "source.as.number": 64500,
    "user_agent.name": "Firefox",
    "user_agent.os.name": "Windows",
    "event.risk_score": ...,
    "rule.name": ...,
    "riskgate.risk_level": ...,
    "riskgate.decision": ...,
    "riskgate.reasons": ["stuffing_in_progress", "new_device"],
}
ECS: dict[str, Document] = {
    "login.allowed": {**_JUDGED, "event.outcome": "success", "event.category": ["authentication"], "trace.id": ...},
    "login.failed": {**_VISIT, "event.outcome": "failure", "event.reason": "wrong_password",
                     "threat.technique.id": ["T1110"]},
    PROMPTED_TOO_OFTEN: {**_VISIT, "event.outcome": "failure", "threat.technique.id": ["T1621", "T1078", "T1110"]},
    "login.denied": {**_JUDGED, "event.outcome": "failure", "event.risk_score": 91.0, "riskgate.decision": "deny",
                     "threat.framework": "MITRE ATT&CK", "threat.technique.id": ["T1078", "T1110"],
                     "threat.technique.subtechnique.id": ["T1110.003"], "threat.tactic.id": ["TA0001", "TA0006"],
                     "riskgate.incident_id": ...},
    "login.high_risk": {**_JUDGED, "event.kind": "alert", "threat.technique.name": ...},
    "login.mfa_required": {**_JUDGED, "riskgate.challenge_id": ..., "event.risk_score": 65.0},
    "mfa.failed": {**_VISIT, "event.outcome": "failure", "riskgate.method": "totp"},
    "mfa.passed": {**_JUDGED, "event.outcome": "success", "riskgate.session_id": ..., "riskgate.began_as": ...},
    "token.refresh_reused": {**_VISIT, "event.kind": "alert", "threat.technique.id": ["T1539", "T1528"],
                             "riskgate.session_id": ...},
    "session.revoked": {**_PERSON, "event.reason": "refresh_token_reused", "riskgate.session_id": ...},
    "account.frozen": {**_EVENT, "user.id": "id-bob", "event.category": ["iam"]},
}  # fmt: skip
_KEYS = {
    "externalId": ...,
    "rt": ...,
    "cat": ...,
    "outcome": ...,
    "severity": ...,
    "duid": "id-alice",
    "duser": "alice",
}
_HERE = {**_KEYS, "src": ELSEWHERE, "requestClientApplication": CONTEXT["user_agent"], "deviceExternalId": ...}
_SCORED = {**_HERE, "act": ..., "reason": ..., "cs1": "stuffing_in_progress,new_device", "cs6": ..., "cfp1": ...}
CEF: dict[str, Document] = {
    "login.allowed": {**_SCORED, "act": "allow", "cs2": ..., "cn1": "64500", "flexString1": "DE"},
    "login.failed": {**_HERE, "reason": "wrong_password", "cs4": "T1110"},
    PROMPTED_TOO_OFTEN: {**_HERE, "outcome": "failure", "cs4": "T1621,T1078,T1110.003", "severity": "6"},
    "login.denied": {**_SCORED, "act": "deny", "cs3": ..., "cs4": "T1078,T1110.003", "cfp1": "91", "severity": "8"},
    "login.mfa_required": {**_SCORED, "act": "challenge", "cs5": ...},
    "mfa.failed": {**_HERE, "outcome": "failure", "cs5": ...},
    "mfa.passed": {**_SCORED, "act": "allow", "cs2": ...},
    "token.refresh_reused": {**_HERE, "cs2": ..., "cs4": "T1539,T1528"},
    "account.frozen": {**_KEYS, "duid": "id-bob", "duser": "bob", "severity": "6"},
}  # fmt: skip
TABLES: dict[Format, dict[str, Document]] = {"ocsf": OCSF, "ecs": ECS, "cef": CEF}
CASES = [(form, name) for form, table in TABLES.items() for name in table]


@pytest.mark.parametrize(("form", "name"), CASES)
def test_what_a_rule_reads_is_there(told: dict[Format, dict[str, Document]], form: Format, name: str) -> None:
    """Filled from the decision itself, with the value that it had."""
    assert unmet(told[form][name], TABLES[form][name]) == []


@pytest.mark.parametrize(("form", "name"), CASES)
def test_an_emptied_field_is_noticed(told: dict[Format, dict[str, Document]], form: Format, name: str) -> None:
    """Whichever of them: the table looks at each."""
    wanted = TABLES[form][name]
    unseen = [path for path in wanted if path not in unmet(without(told[form][name], path), wanted)]
    assert unseen == []


def test_events_reach_a_collector_over_tls(story_with: Callable[..., Story], tmp_path: Path) -> None:
    """A real server on a real port whose certificate the operator's own authority made: whole frames, whole heads."""
    tls, frames = certified(tmp_path, "localhost"), list[bytes]()

    async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                count = int(await reader.readuntil(b" "))
                frames.append(await reader.readexactly(count))
        writer.close()

    story = story_with(
        risk_api_credential="rgs_test", syslog_networks="127.0.0.0/8,::1/128", syslog_ca_file=tls.authority
    )
    server = story.runner.run(asyncio.start_server(collect, "localhost", 0, ssl=tls.server, family=AF_INET))
    url = f"syslog+tls://localhost:{server.sockets[0].getsockname()[1]}"
    wanted = Destination(destination_id="", name="siem", kind="syslog", url=url, format="ocsf")
    listeners(story.gateway).add(wanted, show=lambda _secret: None)
    story.scorer.score = 91.0
    story.login()
    story.until_told()
    server.close()
    story.runner.run(asyncio.sleep(0.05))
    heads, bodies = zip(*(frame.split(b" - ", 2)[::2] for frame in frames), strict=True)
    assert all(re.fullmatch(rb"<8[2-6]>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ riskgate", head) for head in heads)
    denied = [body for body in map(msgspec.json.decode, bodies) if body["metadata"]["event_code"] == "login.denied"]
    assert [body["disposition"] for body in denied] == ["Blocked"]
    # What was not asked for stays here: the address is a network, the name and the browser's words are not there.
    assert denied[0]["src_endpoint"]["name"] == "198.51.100.0/24"
    assert "alice" not in denied[0]["user"].values()


@pytest.mark.parametrize(
    ("form", "content_type"),
    [("standard", "application/json"), ("ocsf", "application/json"), ("cef", "text/plain; charset=utf-8")],
)
def test_a_webhook_says_what_it_carries(story: Story, form: Format, content_type: str) -> None:
    """JSON where it is JSON; a line of CEF is text."""
    wanted = Destination(destination_id="", name="hook", kind="webhook", url="https://siem.example.com/in", format=form)
    made = listeners(story.gateway).add(wanted, show=lambda _secret: None)
    endpoint = destination_receiver(story.gateway, made.destination_id)
    assert isinstance(endpoint, Endpoint)
    assert endpoint.content_type == content_type
