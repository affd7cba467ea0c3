"""RP-Initiated Logout: who is signed out at once, who is asked, and where they go."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from tests.stories.gateway.story import Story, running_story
from tests.stories.gateway.visits import ISSUER, Application, Visit, registered, signed_in, stepped_up

BACK = "https://shop.example/bye"
OTHER = "https://evil.example/bye"
CLEARED = "session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Story]:
    """A gateway that is an OpenID provider."""
    with running_story(tmp_path / "state", jwt_issuer=ISSUER) as running:
        yield running


@pytest.fixture
def shop(provider: Story) -> Application:
    """An application with a place to come back to."""
    uris = (BACK, "https://shop.example/bye?from=us", "com.example.shop:/bye")
    return registered(provider, "shop", client_name="The <b>shop</b>", post_logout_redirect_uris=uris)


def leave(story: Story, visit: Visit | None = None, **params: str) -> httpx2.Response:
    headers = {} if visit is None else {"cookie": f"session={visit.cookie}"}
    return story.ask("GET", "/logout", params=params, headers=headers)


def runs(story: Story, visit: Visit) -> bool:
    session = story.gateway.database.read(lambda tx: story.gateway.sessions.find(tx, visit.session_id))
    return session is not None and session.revoked_at is None


def fields_of(page: httpx2.Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text))


def answered(story: Story, visit: Visit, data: dict[str, str], **headers: str) -> httpx2.Response:
    sent = {"cookie": f"session={visit.cookie}", "origin": ISSUER, "sec-fetch-site": "same-origin", **headers}
    return story.ask("POST", "/logout", data=data, headers=sent)


def test_a_hint_of_this_browser_s_session_signs_out_at_once(provider: Story, shop: Application) -> None:
    """Back to the application with its state; cookie gone, session over, one line in the audit trail."""
    visit = signed_in(provider, shop)
    answer = leave(provider, visit, id_token_hint=visit.id_token, post_logout_redirect_uri=BACK, state="a b&c=ü")
    assert answer.status_code == 303
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == BACK
    assert parse_qsl(parts.query) == [("state", "a b&c=ü")]
    assert answer.headers["set-cookie"] == CLEARED
    assert not runs(provider, visit)
    assert ("session.revoked", "logout") in provider.audited()
    assert leave(provider, visit).status_code == 200  # the cookie leads nowhere now: nobody to ask about


def test_state_joins_a_query_that_is_there(provider: Story, shop: Application) -> None:
    """The registered address stays as it is."""
    visit = signed_in(provider, shop)
    back = "https://shop.example/bye?from=us"
    answer = leave(provider, visit, id_token_hint=visit.id_token, post_logout_redirect_uri=back, state="s")
    assert answer.headers["location"] == f"{back}&state=s"


def test_a_hint_that_has_expired_is_as_good(provider: Story, shop: Application) -> None:
    """People sign out hours after their ID token ran out (section 2)."""
    visit = signed_in(provider, shop)
    provider.clock.advance(3 * 3600)
    assert leave(provider, visit, id_token_hint=visit.id_token, client_id="shop").status_code == 200
    assert not runs(provider, visit)


def test_every_session_of_the_browser_ends(provider: Story, shop: Application) -> None:
    """After a step-up the hint of either session ends both; another browser of the same person goes on."""
    before, elsewhere = signed_in(provider, shop), signed_in(provider, shop)
    after = stepped_up(provider, shop, before)
    leave(provider, after, id_token_hint=before.id_token)
    assert [runs(provider, visit) for visit in (before, after, elsewhere)] == [False, False, True]


def test_without_a_hint_the_person_is_asked(provider: Story, shop: Application) -> None:
    """Any page can send a browser here; nothing ends before the person says so."""
    visit = signed_in(provider, shop)
    page = leave(provider, visit, client_id="shop", post_logout_redirect_uri=BACK, state="s1")
    assert (page.status_code, runs(provider, visit)) == (200, True)
    assert "set-cookie" not in page.headers
    assert "The &lt;b&gt;shop&lt;/b&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert policy.endswith("form-action 'self' https://shop.example")
    answer = answered(provider, visit, {**fields_of(page), "answer": "out"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{BACK}?state=s1")
    assert answer.headers["set-cookie"] == CLEARED
    assert not runs(provider, visit)


def test_another_person_s_or_browser_s_hint_asks_too(provider: Story, shop: Application) -> None:
    """A hint shows what it is about, not who is sitting here."""
    alice, bob, other = (signed_in(provider, shop, name) for name in ("alice", "bob", "alice"))
    for hint in (bob.id_token, other.id_token):
        page = leave(provider, alice, id_token_hint=hint, post_logout_redirect_uri=BACK)
        assert page.status_code == 200
        assert fields_of(page)["client_id"] == "shop"
    assert [runs(provider, visit) for visit in (alice, bob, other)] == [True, True, True]


def test_who_changes_their_mind_stays_signed_in(provider: Story, shop: Application) -> None:
    """The other button."""
    visit = signed_in(provider, shop)
    answer = answered(provider, visit, {**fields_of(leave(provider, visit)), "answer": "stay"})
    assert (answer.status_code, runs(provider, visit)) == (200, True)
    assert "still signed in" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_site_cannot_answer_for_the_person(provider: Story, shop: Application, headers: dict[str, str]) -> None:
    """Even with the right mark."""
    visit = signed_in(provider, shop)
    answer = answered(provider, visit, {**fields_of(leave(provider, visit)), "answer": "out"}, **headers)
    assert (answer.status_code, runs(provider, visit)) == (403, True)


def test_another_browser_s_mark_is_no_answer(provider: Story, shop: Application) -> None:
    """The mark belongs to one cookie."""
    visit, other = signed_in(provider, shop), signed_in(provider, shop)
    for csrf in (fields_of(leave(provider, other))["csrf"], "", "x"):
        assert answered(provider, visit, {"csrf": csrf, "answer": "out"}).status_code == 403
    assert runs(provider, visit)


def test_an_answer_is_held_to_the_registered_address_too(provider: Story, shop: Application) -> None:
    """The form came through the person's hands."""
    visit = signed_in(provider, shop)
    fields = fields_of(leave(provider, visit, client_id="shop", post_logout_redirect_uri=BACK))
    answer = answered(provider, visit, {**fields, "post_logout_redirect_uri": OTHER, "answer": "out"})
    assert (answer.status_code, runs(provider, visit)) == (400, True)


@pytest.mark.parametrize(
    "uri",
    [
        OTHER,
        BACK + "/",
        BACK + "?x=1",
        BACK.upper(),
        "https://shop.example",
        "javascript:alert(1)",
        "//evil.example",
    ],
)
def test_an_address_that_is_not_registered_leads_nowhere(provider: Story, shop: Application, uri: str) -> None:
    """A page, no redirect, nothing ended, nothing repeated; exact means exact."""
    visit = signed_in(provider, shop)
    answer = leave(provider, visit, id_token_hint=visit.id_token, post_logout_redirect_uri=uri, state="echo")
    assert (answer.status_code, runs(provider, visit)) == (400, True)
    assert "location" not in answer.headers
    assert uri not in answer.text
    assert "echo" not in answer.text


def test_an_address_needs_an_application(provider: Story, shop: Application) -> None:
    """Registered by somebody is not registered by whoever asks."""
    registered(provider, "blog", post_logout_redirect_uris=("https://blog.example/",))
    for params in ({}, {"client_id": "blog"}, {"client_id": "nobody"}):
        assert leave(provider, None, post_logout_redirect_uri=BACK, **params).status_code == 400


def test_a_client_id_that_disagrees_with_the_hint_is_refused(provider: Story, shop: Application) -> None:
    """Section 2; nothing has ended."""
    registered(provider, "blog", post_logout_redirect_uris=(BACK,))
    visit = signed_in(provider, shop)
    answer = leave(provider, visit, id_token_hint=visit.id_token, client_id="blog", post_logout_redirect_uri=BACK)
    assert (answer.status_code, runs(provider, visit)) == (400, True)


def test_a_hint_that_we_did_not_sign_is_refused(provider: Story, shop: Application) -> None:
    """A changed signature, an access token, an unsigned token, junk: a page, and nothing has ended."""
    visit = signed_in(provider, shop)
    head, body, mark = visit.id_token.split(".")
    forged = [f"{head}.{body}.{mark[:-6]}AAAAAA", f"{head}.{body}.", f"eyJhbGciOiJub25lIn0.{body}.", "x", "a.b.c"]
    for hint in (*forged, visit.access_token):
        answer = leave(provider, visit, id_token_hint=hint, post_logout_redirect_uri=BACK, client_id="shop")
        assert (answer.status_code, "location" in answer.headers) == (400, False)
        assert "invalid_id_token_hint" in answer.text
    assert runs(provider, visit)


def test_where_nobody_is_signed_in_there_is_nothing_to_ask(provider: Story, shop: Application) -> None:
    """Straight back, or a page that says so; an unknown cookie is nobody."""
    assert "You are signed out" in leave(provider).text
    assert leave(provider, None, client_id="shop", post_logout_redirect_uri=BACK).headers["location"] == BACK


def test_who_signs_out_the_next_day_is_signed_out_all_the_same(provider: Story, shop: Application) -> None:
    """The cookie signs nobody in after half a day, and applications go on refreshing: their sessions end by it, without
    a word where the hint names one, after a yes where none does."""
    hinted, asked = signed_in(provider, shop), signed_in(provider, shop)
    provider.clock.advance(43_201)
    gateway, now = provider.gateway, provider.clock.now()
    gateway.database.write_sync(lambda tx: gateway.provider.browser_sessions.forget_expired(tx, now))
    assert "You are signed out" in leave(provider, hinted, id_token_hint=hinted.id_token).text
    assert not runs(provider, hinted)
    page = leave(provider, asked)
    assert runs(provider, asked)
    assert "You are signed out" in answered(provider, asked, {**fields_of(page), "answer": "out"}).text
    assert not runs(provider, asked)


def test_an_application_s_post_is_sent_round_as_a_get(provider: Story, shop: Application) -> None:
    """Another site's POST has no cookie of ours, so it cannot be known who is signed in; a GET has it."""
    visit = signed_in(provider, shop)
    data = {"id_token_hint": visit.id_token, "post_logout_redirect_uri": BACK, "state": "s&t", "foreign": "x"}
    answer = provider.ask("POST", "/logout", data=data)
    assert (answer.status_code, runs(provider, visit)) == (303, True)
    parts = urlsplit(answer.headers["location"])
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{ISSUER}/logout"
    del data["foreign"]
    assert dict(parse_qsl(parts.query)) == data
    assert leave(provider, visit, **data).headers["location"] == f"{BACK}?state=s%26t"
    assert not runs(provider, visit)


@pytest.mark.parametrize("query", ["state=a&state=b", "state=%00", "state=%ff", "x=" + "a" * 20_000])
def test_a_bad_request_is_a_page(provider: Story, query: str) -> None:
    """400 and HTML, whatever was sent."""
    answer = provider.ask("GET", f"/logout?{query}")
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("text/html")


def test_pages_run_nothing_and_are_kept_by_nobody(provider: Story, shop: Application) -> None:
    """The protections of every page of ours, in each of its states."""
    visit = signed_in(provider, shop)
    asked = leave(provider, visit)
    stayed = answered(provider, visit, {**fields_of(asked), "answer": "stay"})
    for answer in (asked, stayed, leave(provider), leave(provider, client_id="nobody")):
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        # Under `no-referrer` the Origin of our own form would be "null".
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "<script" not in answer.text


def test_over_https_the_cookie_is_bound_to_the_host(tmp_path: Path) -> None:
    """Its name says so, and the plain name is nobody's."""
    with running_story(tmp_path / "state", jwt_issuer="https://id.example") as story:
        visit = signed_in(story, registered(story, "shop"))
        assert "You are signed out" in leave(story, visit).text
        page = story.ask("GET", "/logout", headers={"cookie": f"__Host-session={visit.cookie}"})
        sent = {"cookie": f"__Host-session={visit.cookie}"}
        answer = story.ask("POST", "/logout", data={**fields_of(page), "answer": "out"}, headers=sent)
        assert answer.headers["set-cookie"] == f"__Host-{CLEARED}; Secure"
        assert not runs(story, visit)


def test_two_windows_sign_out_once(provider: Story, shop: Application) -> None:
    """The second finds nobody, and says the same."""
    visit = signed_in(provider, shop)
    fields: dict[str, Any] = {**fields_of(leave(provider, visit)), "answer": "out"}
    answers = [answered(provider, visit, fields).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert provider.audited().count(("session.revoked", "logout")) == 1
