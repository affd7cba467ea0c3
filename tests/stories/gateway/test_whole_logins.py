"""Whole logins, from the password to the tokens or the refusal."""

from collections.abc import Callable

import jwt
import pytest

from tests.stories.gateway.story import HOME, NOW, Story

JA4 = "t13d1516h2_8daaf6152771_b186095e22b6"


def test_a_low_risk_is_let_in_with_tokens(story: Story) -> None:
    """The answer has the session and a pair of tokens, in the published names."""
    answer = story.login()
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"allowed", "session_id", "tokens"}
    assert body["allowed"] is True
    assert set(body["tokens"]) == {
        *("access_token", "expires_in", "token_type", "refresh_token", "refresh_expires_in", "scope")
    }
    assert (body["tokens"]["expires_in"], body["tokens"]["refresh_expires_in"]) == (900, 604_800)
    assert answer.headers["cache-control"] == "no-store"


def test_an_access_token_says_who_how_and_when(story: Story) -> None:
    """RFC 9068's claims and header, verified with the published key."""
    body = story.login().json()
    token = body["tokens"]["access_token"]
    header = jwt.get_unverified_header(token)
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    claims = story.claims(token)
    assert claims["sid"] == body["session_id"]
    assert (claims["sub"], claims["iss"], claims["client_id"]) == ("id-alice", "iam-ai-sample", "public")
    assert (claims["iat"], claims["exp"], claims["auth_time"]) == (NOW, NOW + 900, NOW)
    assert (claims["amr"], claims["acr"]) == (["pwd"], "aal1")


def test_a_medium_risk_is_let_in_after_a_code(story: Story) -> None:
    """Password, challenge, code, tokens; the token says that there were two factors."""
    story.scorer.score = 65.0
    asked = story.login()
    assert asked.status_code == 200
    body = asked.json()
    assert set(body) == {
        *("allowed", "mfa_required", "message", "challenge_id", "challenge_ref", "expires_in", "methods")
    }
    assert (body["allowed"], body["mfa_required"], body["methods"]) == (False, True, ["totp"])
    done = story.complete(body["challenge_id"])
    assert done.status_code == 200
    claims = story.claims(done.json()["tokens"]["access_token"])
    assert (claims["amr"], claims["acr"]) == (["pwd", "otp", "mfa"], "aal2")
    assert [kind for kind, _ in story.audited()][-2:] == ["login.challenged", "challenge.passed"]


def test_a_challenge_is_finished_once(story: Story) -> None:
    """The second right answer gets nothing."""
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    assert story.complete(challenge).status_code == 200
    story.clock.advance(30)
    again = story.complete(challenge)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_challenge")


def test_a_code_is_used_once(story: Story) -> None:
    """A code that was read over a shoulder is worth nothing after its owner used it."""
    story.scorer.score = 65.0
    first, second = (story.login().json()["challenge_id"] for _ in range(2))
    assert story.complete(first).status_code == 200
    again = story.complete(second)
    assert (again.status_code, again.json()["error"]) == (401, "invalid_code")


def test_a_wrong_code_may_be_corrected_until_the_tries_are_used_up(story: Story) -> None:
    """Five wrong ones end the challenge, and the right one comes too late."""
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    lefts = [story.complete(challenge, "000000").json().get("attempts_left") for _ in range(5)]
    assert lefts == [4, 3, 2, 1, 0]
    assert story.complete(challenge).status_code in {401, 429}


def test_a_challenge_expires(story: Story) -> None:
    """After its five minutes the right code comes too late."""
    story.scorer.score = 65.0
    body = story.login().json()
    story.clock.advance(body["expires_in"])
    assert story.complete(body["challenge_id"]).json()["error"] == "invalid_challenge"


def test_a_challenge_belongs_to_the_client_that_began_it(story: Story) -> None:
    """Another application cannot finish it, and its own still can."""
    story.scorer.score = 65.0
    challenge = story.login().json()["challenge_id"]
    other = story.client("other")
    assert story.complete(challenge, auth=other).json()["error"] == "invalid_challenge"
    assert story.complete(challenge).status_code == 200


def test_the_challenge_s_public_name_does_not_finish_it(story: Story) -> None:
    """Webhook receivers know that name."""
    story.scorer.score = 65.0
    reference = story.login().json()["challenge_ref"]
    assert story.complete(reference).json()["error"] == "invalid_challenge"


def test_a_high_risk_is_refused_with_an_incident_id_and_nothing_else(story: Story) -> None:
    """No score, no reason, no cookie; the incident is in the audit trail."""
    story.scorer.score = 95.0
    answer = story.login()
    assert answer.status_code == 403
    body = answer.json()
    assert set(body) == {"allowed", "denied", "incident_id", "message"}
    assert "set-cookie" not in answer.headers
    incident = body["incident_id"]
    found = story.gateway.database.read(lambda tx: story.gateway.audit.of_incident(tx, incident))
    assert [(event.kind, event.score) for event in found] == [("login.denied", 95.0)]


def test_high_risk_may_be_softened_to_a_challenge_never_to_an_allow(story_with: Callable[..., Story]) -> None:
    """LOGIN_POLICY_HIGH_DENY=false asks for a passkey, and for nothing that could be phished."""
    story = story_with(login_policy_high_deny=False)
    story.scorer.score = 99.0
    assert story.login().status_code == 403
    story.add_passkey("alice")
    assert story.login().json()["methods"] == ["passkey"]
    assert story.login("bob").status_code == 403


def test_medium_risk_may_be_let_in_by_the_operator_s_word(story_with: Callable[..., Story]) -> None:
    """LOGIN_POLICY_MEDIUM_REQUIRES_MFA=false."""
    story = story_with(login_policy_medium_requires_mfa=False)
    story.scorer.score = 65.0
    assert story.login().json()["allowed"] is True


@pytest.mark.parametrize(("score", "status"), [(10.0, 200), (65.0, 403), (95.0, 403)])
def test_without_a_factor_only_a_low_risk_is_let_in(story: Story, score: float, status: int) -> None:
    """Bob has no authenticator, and nobody is let in silently."""
    story.scorer.score = score
    assert story.login("bob").status_code == status


def test_a_broken_scorer_asks_for_a_code(story: Story) -> None:
    """Never a 500, never a silent allow."""
    story.scorer.status = 500
    assert story.login().json()["mfa_required"] is True
    assert story.login("bob").status_code == 403


def test_a_score_is_shown_to_a_client_with_the_right_alone(story: Story) -> None:
    """Every other caller gets the answer without it."""
    seeing = story.client("seeing", may_see_scores=True)
    blind = story.client("blind")
    assert story.login(auth=seeing).json()["score"]["risk_score"] == 10.0
    assert "score" not in story.login(auth=blind).json()
    assert "score" not in story.login().json()


def test_a_wrong_client_secret_is_not_taken_for_no_client(story: Story) -> None:
    """An application with a stale secret notices at once."""
    name, _ = story.client("app")
    answer = story.login(auth=(name, "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


def test_the_scorer_is_asked_with_what_we_saw_ourselves(story: Story) -> None:
    """Address from the socket, user agent from the header, our clock; fingerprint headers of a stranger do not
    count.
    """
    headers = {
        "user-agent": "Agent/1",
        "x-forwarded-for": "203.0.113.1",
        "x-ja4": JA4,
    }
    story.login(headers=headers)
    (event,) = story.scorer.events
    assert (event["ip"], event["user_agent"], event["timestamp"]) == (HOME, "Agent/1", NOW)
    assert event["user_id"] == "id-alice"
    assert "ja4" not in event


def test_a_trusted_proxy_tells_address_and_fingerprint(story_with: Callable[..., Story]) -> None:
    """Only the hop that it saw itself, not what the caller wrote in front of it."""
    story = story_with(trusted_proxies="10.0.0.0/8")
    headers = {"x-forwarded-for": "1.2.3.4, 203.0.113.7", "x-ja4": JA4, "x-ja4h": "ge11", "x-ja4s": "t120"}
    story.login(headers=headers, peer="10.1.1.1")
    (event,) = story.scorer.events
    assert (event["ip"], event["ja4"], event["ja4h"], event["ja4s"]) == ("203.0.113.7", JA4, "ge11", "t120")


def test_a_proxy_that_nobody_can_read_shows_in_the_metrics(story_with: Callable[..., Story]) -> None:
    """Its own address counts, and the operator is told."""
    story = story_with(trusted_proxies="10.0.0.0/8", forwarded_header="forwarded", edge_ja4_header="cloudflare")
    story.login(headers={"forwarded": "203.0.113.7", "cf-ja4": "-", "x-forwarded-for": "203.0.113.7"}, peer="10.1.1.1")
    assert story.scorer.events[0]["ip"] == "10.1.1.1"
    told = story.app.state.watching.meters.exposition().decode()
    assert 'riskgate_edge_unbelieved_total{reason="address_malformed"} 1.0' in told
    assert 'riskgate_edge_unbelieved_total{reason="ja4_malformed"} 1.0' in told
    story.login(headers={"forwarded": "for=203.0.113.7;proto=https", "cf-ja4": JA4}, peer="10.1.1.1")
    assert (story.scorer.events[1]["ip"], story.scorer.events[1]["ja4"]) == ("203.0.113.7", JA4)


def test_a_device_is_known_again_by_its_cookie(story: Story) -> None:
    """The second login sends what the first one set; the scorer sees one device, and not the cookie."""
    first = story.login()
    name, value = first.headers["set-cookie"].split(";")[0].split("=")
    assert name == "device"
    assert "HttpOnly" in first.headers["set-cookie"]
    story.login(headers={"cookie": f"{name}={value}"})
    story.login()
    same, again, other = (event["device_id"] for event in story.scorer.events)
    assert same == again != other
    assert value not in same


def test_over_https_the_cookie_is_bound_to_the_host(story_with: Callable[..., Story]) -> None:
    """No neighbour can plant it, and it never crosses in the clear."""
    cookie = story_with(jwt_issuer="https://id.example").login().headers["set-cookie"]
    assert cookie.startswith("__Host-device=")
    assert "; Secure" in cookie
    assert "Path=/;" in cookie


def test_an_old_hash_is_replaced_at_the_next_login(story_with: Callable[..., Story]) -> None:
    """The demo's bcrypt hashes become argon2id, and the password stays the same."""
    story = story_with(auth_gateway_profile="demo")
    assert [story.login().status_code for _ in range(2)] == [200, 200]
    (alice,) = (account for account in story.gateway.accounts.list() if account.username == "alice")
    assert story.gateway.users.passwords.open(alice.user_id, alice.password_hash).startswith("$argon2id$")


def test_hs256_is_used_when_a_strong_secret_is_set(story_with: Callable[..., Story]) -> None:
    """Then no key is published, and the token verifies with the secret."""
    secret = "kX8vQ2mN5pR7tY1wZ4aB6cD9eF3gH0jL"
    story = story_with(jwt_secret=secret)
    token = story.login().json()["tokens"]["access_token"]
    options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, secret, algorithms=["HS256"], audience="iam-clients", options=options)
    assert claims["sub"] == "id-alice"
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert story.ask("GET", "/.well-known/jwks.json").json() == {"keys": []}
