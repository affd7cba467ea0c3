"""One login as a collector sees it: request, question to the scorer, delivery. Without a collector nothing."""

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from auth_gateway.settings import Settings
from plumbing.tracing import handed_on, taken_over
from tests.collector import Collector, running_collector
from tests.stories.gateway.story import PASSWORD, Story, running_story

SECRET = "whsec_q83vASNFZ4mrze8BI0VniavN7wEjRWeJ"
GIVEN = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


def delivered(story: Story, collector: Collector) -> None:
    """Wait until the receiver has its message."""
    for _ in range(300):
        if collector.others:
            return
        story.runner.run(asyncio.sleep(0.02))
    raise AssertionError("nothing was delivered")


def test_a_login_is_one_trace_from_the_request_to_the_webhook(tmp_path: Path) -> None:
    """The scorer gets the span that asks it, the delivery has a trace of its own that leads back to the login."""
    with running_collector() as collector:
        given = {
            "auth_gateway_profile": "demo",
            "risk_api_credential": "rgs_test",
            "mfa_webhook_url": f"{collector.url}/hook",
            "webhook_secret": SECRET,
            "otel_exporter_otlp_endpoint": collector.url,
        }
        with running_story(tmp_path / "state", **given) as story:
            story.scorer.score = 65.0
            answer = story.login("alice", headers={"traceparent": GIVEN}, context={"device_id": "distinctive-device"})
            assert answer.json()["mfa_required"] is True
            delivered(story, collector)
            asked = story.scorer.traceparents[0]
    (request,) = collector.named("request", "riskgate-gateway")
    (score,) = collector.named("score", "riskgate-gateway")
    (deliver, *_) = [span for span in collector.named("deliver", "riskgate-gateway") if span.links]
    assert (request.kind, request.parent_id) == ("server", "")
    assert request.trace_id != "a" * 32  # a stranger's header is not joined
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/login",
        "http.response.status_code": 200,
    }
    assert (score.kind, score.trace_id, score.parent_id) == ("client", request.trace_id, request.span_id)
    assert asked is not None
    assert asked.startswith(f"00-{score.trace_id}-{score.span_id}-")
    assert deliver.links == (f"{request.trace_id}-{request.span_id}",)
    assert collector.others[0]["traceparent"].startswith(f"00-{deliver.trace_id}-{deliver.span_id}-")


def test_no_span_says_who_or_where(tmp_path: Path) -> None:
    """Neither secrets nor people, addresses or devices are in what a collector gets, a crash's words included."""
    with running_collector() as collector:
        given = {"risk_api_credential": "rgs_distinctive", "otel_exporter_otlp_endpoint": collector.url}
        with running_story(tmp_path / "state", **given) as story:
            tokens = story.login().json()["tokens"]
            story.refresh(tokens["refresh_token"])
            story.login(password="distinctive-password")
            story.login("distinctive-name")
            story.ask("GET", "/distinctive-path?distinctive=query", headers={"cookie": "distinctive=cookie"})

            async def crash(*_: object) -> None:
                raise RuntimeError("distinctive crash")

            story.gateway.database.read_in_thread = crash  # type: ignore[assignment, method-assign]
            story.ask("GET", "/ready")
    told = b"".join(collector.raw)
    assert len(collector.named("request", "riskgate-gateway")) == 6
    for secret in (PASSWORD, "distinctive", tokens["access_token"], tokens["refresh_token"], "alice", "198.51.100"):
        assert secret.encode() not in told


def test_a_collector_that_is_away_holds_up_nobody(tmp_path: Path) -> None:
    """Logins go on, and the end comes in time."""
    given = {"risk_api_credential": "rgs_test", "otel_exporter_otlp_endpoint": "http://127.0.0.1:1"}
    with running_story(tmp_path / "state", **given) as story:
        assert story.login().status_code == 200
        began = time.perf_counter()
    assert time.perf_counter() - began < 10.0


def test_without_a_collector_no_library_of_traces_is_loaded(root: Path) -> None:
    """Neither service imports it, and nothing is handed on."""
    code = (
        "import sys, auth_gateway.app, risk_scorer.app, plumbing.tracing as t\n"
        "t.opened_tracing(None, service='x')\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert ran.stdout.strip() == "[]"
    assert handed_on() == {}


@pytest.mark.parametrize(
    "value",
    ["", "00", GIVEN.upper(), GIVEN.replace("00-a", "01-a"), "00-" + "0" * 32 + "-" + "b" * 16 + "-01", GIVEN + "-x"],
)
def test_what_is_no_traceparent_is_not_taken_over(value: str) -> None:
    """Only the form of version 00 counts (W3C Trace Context, section 3.2)."""
    assert taken_over(GIVEN) == GIVEN
    assert taken_over(value) is None


@pytest.mark.parametrize("url", ["collector:4318", "http://user:secret@collector:4318", "http://collector/?key=1"])
def test_an_endpoint_is_an_address_without_secrets(url: str) -> None:
    """Logs would repeat them; headers have a variable of their own."""
    with pytest.raises(ValueError, match="otel_exporter_otlp_endpoint"):
        Settings(otel_exporter_otlp_endpoint=url)
