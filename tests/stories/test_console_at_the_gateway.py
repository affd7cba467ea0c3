"""The console at a real gateway: people sign in there, do something there from here, and are out when they are out."""

import re
import time
from collections.abc import Iterator

import anyio
import pytest

from plumbing.clock import SystemClock
from plumbing.refusals import Refused
from risk_scorer.adapters.console.gateway import GatewayClient
from tests.console_place import CLIENT, Place, console_place

PATIENCE_SECONDS = 20.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with console_place(tmp_path_factory.mktemp("console")) as found:
        yield found


def test_each_role_comes_in_at_the_gateway_and_a_stranger_does_not(place: Place) -> None:
    """By a password, back at the page that was asked for; whoever has no role sees whom to ask, and nothing else."""
    for role in ("reader", "analyst", "admin"):
        page = place.browser().sign_in(role, "/dashboard/drift")
        assert (page.status_code, str(page.url)) == (200, f"{place.url}/dashboard/drift")
        assert place.people[role].username in page.text
        assert role in page.text
    browser = place.browser()
    refused = browser.sign_in("stranger")
    assert (refused.status_code, "no_role" in refused.text) == (403, True)
    assert browser.open("/dashboard").status_code == 401


def test_a_stronger_sign_in_is_asked_for_and_comes_back(place: Place) -> None:
    """The gateway asks for the authenticator's code, although the person is signed in there."""
    browser = place.browser()
    browser.sign_in("admin")
    browser.open("/operator/begin?to=/dashboard/drift&fresh=1")
    assert 'name="code"' in browser.page.text
    page = browser.post(code=place.code(place.people["admin"]))
    assert (page.status_code, str(page.url)) == (200, f"{place.url}/dashboard/drift")
    assert "do it once more" in page.text


def test_signing_out_here_ends_the_session_there(place: Place) -> None:
    """Without being asked anything: the next sign-in wants the password again."""
    browser = place.browser()
    browser.sign_in("reader")
    page = browser.post("/operator/sign-out")
    assert str(page.url).startswith(f"{place.url}/operator/signed-out")
    browser.open("/operator/begin")
    assert str(browser.page.url).startswith(place.provider.issuer)
    assert 'name="username"' in browser.page.text


def test_a_session_that_ends_there_ends_here(place: Place) -> None:
    """Within seconds, by the gateway's own notice."""
    browser = place.browser()
    browser.sign_in("analyst")
    assert browser.open("/dashboard").status_code == 200
    client = gateway_client(place)

    async def reset() -> int:
        ended = await client.reset_sessions(f"id-{place.people['analyst'].username}", by="tests", why="a test")
        await client.close()
        return ended.ended

    assert anyio.run(reset) >= 1
    deadline = time.monotonic() + PATIENCE_SECONDS
    while browser.open("/dashboard").status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert browser.page.status_code == 401


def test_accounts_are_frozen_and_opened_by_the_consoles_own_credentials(place: Place) -> None:
    """In the operator's name; one that changed since, and one that nobody has, are refused as the gateway says."""
    person = place.provider.person()
    user_id = f"id-{person.username}"

    async def act() -> list[object]:
        client = gateway_client(place)
        before = await client.summary(user_id)
        frozen = await client.freeze(user_id, by="mara", why="odd")
        codes = []
        for refused in (
            client.unfreeze(user_id, by="mara", why="looked", version=before.account.version),
            client.summary("id-nobody"),
            client.ask("GET", "/nowhere", dict),
        ):
            try:
                await refused
            except Refused as error:
                codes.append((error.code, error.status))
        opened = await client.unfreeze(user_id, by="mara", why="spoke to her")
        risk = await client.verdict(user_id, "dismissed", by="mara", why="a drill")
        shown = await client.risk(user_id)
        await client.close()
        return [before.account.state, frozen.account.state, codes, opened.account.state, risk.risk, shown.level]

    refusals = [("changed_meanwhile", 409), ("unknown_user", 404), ("not_found", 404)]
    assert anyio.run(act) == ["active", "frozen", refusals, "active", 0.0, "none"]


def test_the_lab_says_what_policy_would_do(place: Place) -> None:
    """By the factors that the person has at the gateway, who did nothing and notices nothing."""
    browser = place.browser()
    browser.sign_in("reader")
    user = f"id-{place.people['admin'].username}"
    facts = f"user={user}&ip=198.51.100.7&client=console"
    assert '<strong class="decision allow">' in browser.open(f"/dashboard/lab?{facts}").text
    page = browser.open(f"/dashboard/lab?{facts}&b_user=nobody&b_ip=198.51.100.7&b_ip_rep=100").text
    assert '<strong class="decision deny">' in page
    assert "the gateway knows no such account" in page


def test_the_lab_says_what_the_marks_would_do_to_a_session(place: Place) -> None:
    """At the request at which a thief is too much; nothing while its owner goes on."""
    browser = place.browser()
    browser.sign_in("reader")
    stolen = browser.open("/dashboard/lab/session?preset=stolen").text
    assert re.search(r"At request \d+ the gateway does: <strong class=\"response \w+\">", stolen)
    assert "the session is stopped by then" in stolen
    assert "The gateway is told of nothing" in browser.open("/dashboard/lab/session?preset=owner").text


def test_a_session_that_was_never_judged_has_no_score_and_no_page(place: Place) -> None:
    """It runs at the gateway, which told nobody here of it: its person's page invents no 0 and links to nothing."""
    browser = place.browser()
    browser.sign_in("reader")
    page = browser.open(f"/dashboard/users/id-{place.people['reader'].username}").text
    assert "not judged" in page
    assert "/dashboard/sessions/" not in page


def test_accounts_are_found_and_a_password_has_to_be_renewed(place: Place) -> None:
    """By id and by how the name begins; live sessions end with a forced reset, and the old password lets nobody in."""
    person = place.provider.person()
    user_id = f"id-{person.username}"
    body = {"username": person.username, "password": person.password}
    with place.provider.http() as http:
        assert http.post("/login", json=body).status_code == 200

        async def act() -> list[object]:
            client = gateway_client(place)
            found = await client.accounts(person.username)
            known = await client.accounts_of([user_id, "id-nobody"])
            live = await client.live_sessions(user_id)
            reset = await client.force_reset(user_id, by="mara", why="in a leak")
            again = await client.force_reset(user_id, by="mara", why="in a leak")
            after = await client.live_sessions(user_id)
            await client.close()
            named = [account.user_id for account in found.accounts]
            ids = [account.user_id for account in known.accounts]
            ended = (reset.account.frozen_reason, reset.changed, reset.ended, again.changed)
            return [user_id in named, ids, len(live.sessions), ended, after.sessions]

        assert anyio.run(act) == [True, [user_id], 1, ("password_renewal", True, 1, False), []]
        assert http.post("/login", json=body).status_code == 401


def gateway_client(place: Place) -> GatewayClient:
    """As the console has one."""
    secret = place.scorer.changes["CONSOLE_CLIENT_SECRET"]
    return GatewayClient(issuer=place.provider.issuer, client_id=CLIENT, client_secret=secret, clock=SystemClock())
