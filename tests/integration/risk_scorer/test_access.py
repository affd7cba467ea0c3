"""Who gets in: services by credential and scope, operators by a one-time link; strangers get nothing."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.integration.risk_scorer.service import EVENT, Running, running

pytestmark = pytest.mark.anyio
DOORS = [
    ("POST", "/score"),
    ("POST", "/bulk_score"),
    ("POST", "/outcomes"),
    ("POST", "/feedback"),
    ("GET", "/recent"),
    ("GET", "/events/evt_1/narrative"),
    ("GET", "/shadow"),
]
WRONG = ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer rgs_wrong", "bearer\trgs_x", "Bearer ÿ"]
OPEN = [
    "/health",
    "/ready",
    "/docs",
    "/openapi.json",
    "/static/scorer.css",
    "/static/live.js",
    "/static/explain.js",
]
OTHER_SITES = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(tmp_path) as found:
        yield found


async def signed_in(service: Running) -> httpx2.Response:
    """Use a fresh link; the client then holds the session cookie."""
    token = service.scorer.operators.new_link_token()
    return await service.client.post("/operator/sign-in", params={"token": token})


@pytest.mark.parametrize(("method", "path"), DOORS)
@pytest.mark.parametrize("header", WRONG)
async def test_without_a_credential_nothing_happens(service: Running, method: str, path: str, header: str) -> None:
    """401 with the Bearer challenge, before the body is looked at."""
    headers = {"authorization": header.encode("latin-1")}
    answer = await service.client.request(method, path, content=b"{", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["error"] in ("credential_required", "invalid_token")


@pytest.mark.parametrize("path", OPEN)
async def test_what_says_nothing_about_anybody_is_open(service: Running, path: str) -> None:
    """Health, documentation and static files need no credential."""
    assert (await service.client.get(path, headers={"authorization": ""})).status_code == 200


@pytest.mark.parametrize("path", ["/dashboard", "/dashboard/events", "/dashboard/narrative"])
async def test_the_dashboard_tells_a_stranger_how_to_sign_in(service: Running, path: str) -> None:
    """A 401 page with the command, and a service credential is no way in."""
    answer = await service.client.get(path)
    assert answer.status_code == 401
    assert "risk-scorer operator-link" in answer.text


async def test_opening_the_link_does_not_use_it_up(service: Running) -> None:
    """Previews and scanners may open it; only the button signs in, once. The page does not repeat the token."""
    token = service.scorer.operators.new_link_token()
    for _ in range(2):
        page = await service.client.get("/operator/sign-in", params={"token": token})
        assert page.status_code == 200
        assert "<button" in page.text
        assert token not in page.text
    assert (await service.client.post("/operator/sign-in", params={"token": token})).status_code == 303
    assert (await service.client.post("/operator/sign-in", params={"token": token})).status_code == 401


async def test_the_cookie_is_kept_from_scripts_and_other_sites(service: Running) -> None:
    """HttpOnly, SameSite=Strict, for eight hours; the session opens the dashboard."""
    answer = await signed_in(service)
    cookie = answer.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict", "Max-Age=28800"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert (await service.client.get("/dashboard")).status_code == 200


async def test_over_tls_the_cookie_is_for_tls_alone(tmp_path: Path) -> None:
    """When people come by https the cookie never travels in the clear."""
    async with running(tmp_path, risk_scorer_public_url="https://scorer.example.com") as service:
        assert "Secure" in (await signed_in(service)).headers["set-cookie"].split("; ")


async def test_signing_out_ends_the_session(service: Running) -> None:
    """The old cookie is worth nothing, even when it is sent again."""
    cookie = (await signed_in(service)).cookies["riskgate_operator"]
    assert (await service.client.post("/operator/sign-out")).status_code == 200
    again = await service.client.get("/dashboard", headers={"cookie": f"riskgate_operator={cookie}"})
    assert again.status_code == 401


@pytest.mark.parametrize("path", ["/operator/sign-in?token=x", "/operator/sign-out"])
@pytest.mark.parametrize("headers", OTHER_SITES)
async def test_another_site_cannot_post_our_forms(service: Running, path: str, headers: dict[str, str]) -> None:
    """Neither signing in nor out can be done to somebody."""
    answer = await service.client.post(path, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "cross_site_form")


async def test_what_a_stranger_typed_is_shown_as_text(service: Running) -> None:
    """Markup in any field of an event reaches the page escaped, and the policy would not run it anyway."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"
    fields = dict.fromkeys(("user_id", "device_id", "user_agent", "city", "country"), evil)
    assert (await service.client.post("/score", json={**EVENT, **fields})).status_code == 200
    await signed_in(service)
    page = await service.client.get("/dashboard")
    assert "<script>alert" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


async def test_an_empty_dashboard_says_what_to_do(service: Running) -> None:
    """Before the first login there is a command to try instead of an empty table."""
    await signed_in(service)
    assert "No logins yet" in (await service.client.get("/dashboard")).text
    await service.client.post("/score", json=EVENT)
    page = (await service.client.get("/dashboard")).text
    assert "198.51.100.9" in page
    assert 'class="low"' in page
