"""Events at the gateway's own addresses: their schemas, and who may run the gateway."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.adapters.storage.event_log import StoredEventLog
from auth_gateway.core.destination import Destination, Privacy
from auth_gateway.core.event_reference import schema_document
from auth_gateway.service import Service
from auth_gateway.telling import teller
from auth_gateway.wiring import admin
from plumbing.asgi import json_answer
from tests.stories.gateway.applications import BROWSER, ISSUER, Application, Key, code_for, refused, register
from tests.stories.gateway.story import Story


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider, with one more address behind the gate."""
    story = story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")
    gate = admin.gate(Service(story.gateway))

    async def probe(request: Request) -> Response:
        return json_answer({"by": await gate(request, "events:read")})

    story.app.add_route("/admin/probe", probe)
    return story


def siem(story: Story, *scopes: str, **registration: Any) -> Application:
    known = {"audience": ISSUER, "grant_types": ("client_credentials",), "redirect_uris": (), **registration}
    return register(story, "siem", scopes=scopes or ("events:read",), **known)


def probe(story: Story, token: str, scheme: str = "Bearer", **headers: str) -> Any:
    return story.ask("GET", "/admin/probe", headers={"authorization": f"{scheme} {token}", **headers})


def test_the_schemas_are_listed_for_everybody(story_with: Callable[..., Story]) -> None:
    """Also where there is no provider."""
    answer = story_with().ask("GET", "/events/schema")
    assert answer.json() == json.loads(msgspec.json.encode(schema_document()))
    assert answer.headers["cache-control"] == "public, max-age=3600"


def test_an_application_that_was_registered_for_it_comes_in(story: Story) -> None:
    """By its own token, and by its own name."""
    assert probe(story, siem(story).act().json()["access_token"]).json() == {"by": "siem"}


def test_without_a_token_both_ways_to_show_one_are_told(story: Story) -> None:
    """401, and no error in the header."""
    answer = story.ask("GET", "/admin/probe")
    assert refused(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith('Bearer realm="admin", DPoP')
    assert "error" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize("shown", ["Bearer x", "Bearer ", "Basic abc", "Bearer " + "x" * 9_000])
def test_what_is_no_token_is_refused(story: Story, shown: str) -> None:
    """401 with the code of RFC 6750, repeating nothing."""
    answer = story.ask("GET", "/admin/probe", headers={"authorization": shown})
    assert refused(answer) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'


def test_another_scope_does_not_open_it(story: Story) -> None:
    """403, and which one would."""
    answer = probe(story, siem(story, "risk:read").act().json()["access_token"])
    assert refused(answer) == (403, "insufficient_scope")
    assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="events:read"'


def test_a_token_for_another_api_does_not_open_it(story: Story) -> None:
    """A scope of the same name may mean something else there, and whoever gets the token could pass it on."""
    token = siem(story, audience="https://api.example").act().json()["access_token"]
    assert refused(probe(story, token)) == (401, "invalid_token")


def test_a_persons_token_does_not_open_it(story: Story) -> None:
    """However it got the scope."""
    app = register(story, scopes=("openid", "events:read"), audience=ISSUER)
    token = app.redeem(code_for(app, scope="openid events:read")).json()["access_token"]
    assert refused(probe(story, token)) == (401, "invalid_token")


def test_a_token_ends_with_its_time_and_its_registration(story: Story) -> None:
    """An application that was removed is out at once."""
    token = siem(story).act().json()["access_token"]
    story.clock.advance(60)
    story.gateway.registrations.remove("siem")
    assert refused(probe(story, token)) == (401, "invalid_token")
    again = siem(story).act().json()["access_token"]
    assert probe(story, again).status_code == 200
    story.clock.advance(900)
    assert refused(probe(story, again)) == (401, "invalid_token")


def test_a_bound_token_needs_its_key(story: Story) -> None:
    """Each proof once, for this address; without it, or with another's, it is nothing."""
    key, app = Key(), siem(story)
    token = app.act(dpop=key.proof(story)).json()["access_token"]
    proof = key.proof(story, path="/admin/probe", method="GET", token=token)
    assert probe(story, token, "DPoP", dpop=proof).json() == {"by": "siem"}
    assert refused(probe(story, token, "DPoP", dpop=proof)) == (401, "invalid_dpop_proof")
    assert refused(probe(story, token)) == (401, "invalid_token")
    strange = Key().proof(story, path="/admin/probe", method="GET", token=token)
    assert refused(probe(story, token, "DPoP", dpop=strange)) == (401, "invalid_token")
    elsewhere = key.proof(story, path="/userinfo", method="GET", token=token)
    assert refused(probe(story, token, "DPoP", dpop=elsewhere)) == (401, "invalid_dpop_proof")


def told(story: Story) -> dict[str, dict[str, Any]]:
    """The last event of each type as a destination gets it that may know everything."""
    gateway = story.gateway
    lines = gateway.database.read(lambda tx: StoredEventLog().between(tx, 0.0, 2e9, after=0, limit=1_000))
    full = Privacy(ip="full", user="name", user_agent=True)
    everything = Destination(destination_id="dst_1", name="siem", kind="file", url="x", privacy=full)
    bodies = [json.loads(each.body) for logged in lines for each in teller(gateway)(logged, [everything])]
    return {body["type"]: body["data"] for body in bodies}


def test_what_is_told_names_the_person_and_where_they_were_seen(story: Story) -> None:
    """Of logins, refreshes, applications' parts, and ends of sessions; each event under an id of its own."""
    agent = {"user-agent": BROWSER}
    story.scorer.new = ("device",)
    tokens = story.login(headers=agent).json()["tokens"]
    story.refresh(tokens["refresh_token"], headers=agent)
    story.clock.advance(60)
    story.refresh(tokens["refresh_token"], headers=agent, peer="203.0.113.9")
    story.login(password="wrong", headers=agent)
    phone = register(story, "phone", token_endpoint_auth_method="none", application_type="native")
    phone.redeem(code_for(phone), agent=BROWSER)
    events = told(story)
    seen = ("login.allowed", "device.new", "login.failed", "token.refresh_reused", "session.revoked", "session.started")
    assert set(seen) <= set(events)
    for name in seen:
        assert (events[name]["username"], events[name]["user_agent"]) == ("alice", BROWSER), name
    assert events["token.refresh_reused"]["ip"] == "203.0.113.9"
    assert events["session.revoked"]["rule"] == "refresh_token_reused"
    assert len({data["event_id"] for data in events.values()}) == len(events)


def test_a_refresh_that_risk_ends_is_told_with_its_reasons(story: Story) -> None:
    """The score, the address and the incident."""
    token = story.login(headers={"user-agent": BROWSER}).json()["tokens"]["refresh_token"]
    story.scorer.score = 95.0
    story.clock.advance(120)
    story.refresh(token, headers={"user-agent": "curl/8"}, peer="203.0.113.9")
    denied = told(story)["token.denied"]
    assert (denied["risk_score"], denied["ip"], denied["user_agent"]) == (95.0, "203.0.113.9", "curl/8")
    assert denied["incident_id"].startswith("inc_")
