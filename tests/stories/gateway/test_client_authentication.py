"""Applications prove themselves as they are registered to, or are nobody."""

from collections.abc import Callable
from typing import Any

import pytest

from plumbing.credentials import digest
from tests.stories.gateway.applications import ISSUER, Application, Key, code_for, refused, register
from tests.stories.gateway.story import NOW, Story

NOBODY = (401, "invalid_client")


@pytest.fixture
def story(story_with: Callable[..., Story]) -> Story:
    """A gateway that is a provider."""
    return story_with(jwt_issuer=ISSUER, risk_api_credential="rgs_test")


def ask(story: Story, *, auth: Any = None, **form: str) -> Any:
    return story.ask("POST", "/token", data={"grant_type": "client_credentials", **form}, auth=auth)


def test_a_key_of_its_own_proves_an_application(story: Story) -> None:
    """For our issuer and for the token endpoint, with and without its id beside the assertion."""
    key = Key()
    app = register(story, key=key)
    assert app.act().status_code == 200
    assert app.act(client_id="shop").status_code == 200
    assert app.act(**key.assertion(story, "shop", aud=f"{ISSUER}/token")).status_code == 200
    assert app.redeem(code_for(app)).status_code == 200


def test_an_assertion_counts_once(story: Story) -> None:
    """Even when its request came to nothing."""
    key = Key()
    app = register(story, key=key)
    used, wasted = key.assertion(story, "shop"), key.assertion(story, "shop")
    assert app.act(**used).status_code == 200
    assert refused(app.act(**used)) == NOBODY
    assert refused(app.redeem("A" * 43, **wasted)) == (400, "invalid_grant")
    assert refused(app.act(**wasted)) == NOBODY


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"exp": int(NOW)},
        {"exp": int(NOW) + 601},
        {"sub": "other"},
        {"iss": "other"},
        {"iss": "other", "sub": "other"},
        {"jti": ""},
    ],
)
def test_an_assertion_that_says_something_else_proves_nothing(story: Story, claims: dict[str, Any]) -> None:
    """Audience, time, subject, issuer and id are all looked at."""
    key = Key()
    app = register(story, key=key)
    register(story, "other", key=Key())
    assert refused(app.act(**key.assertion(story, "shop", **claims))) == NOBODY


def test_an_assertion_by_another_key_proves_nothing(story: Story) -> None:
    """Nor does one that names another client's id beside it."""
    key = Key()
    app = register(story, key=key)
    assert refused(app.act(**Key().assertion(story, "shop"))) == NOBODY
    assert refused(app.act(client_id="other")) == NOBODY
    assert refused(ask(story, client_assertion="x.y.z", client_assertion_type="unknown")) == NOBODY


def test_an_application_is_held_to_its_method(story: Story) -> None:
    """A name alone, a secret for one with a key, a key for one with a secret: none of it."""
    register(story, "keyed", key=Key())
    secret = register(story, "secret")
    public = register(story, "public-app", token_endpoint_auth_method="none")
    assert refused(ask(story, client_id="keyed")) == NOBODY
    assert refused(ask(story, auth=("keyed", ""))) == NOBODY
    assert refused(ask(story, auth=("keyed", "rgc_guess"))) == NOBODY
    assert refused(ask(story, client_id="secret")) == NOBODY
    assert refused(ask(story, **Key().assertion(story, "secret"))) == NOBODY
    assert refused(ask(story, auth=("public-app", ""))) == NOBODY
    assert refused(ask(story, client_id="unknown")) == NOBODY
    assert refused(ask(story)) == NOBODY
    assert (secret.act().status_code, public.redeem(code_for(public)).status_code) == (200, 200)


def test_two_proofs_at_once_are_none(story: Story) -> None:
    """Two readers could each believe another one of them."""
    app = register(story)
    auth = ("shop", app.secret)
    assert refused(ask(story, auth=auth, client_secret=app.secret)) == NOBODY
    assert refused(ask(story, auth=auth, **Key().assertion(story, "shop"))) == NOBODY
    assert refused(ask(story, auth=auth, client_id="other")) == NOBODY
    assert ask(story, auth=auth, client_id="shop").status_code == 200


def test_a_secret_in_the_form_is_not_taken(story: Story) -> None:
    """Forms end in logs; a parameter without a value is one that was left out."""
    app = register(story)
    assert refused(ask(story, client_id="shop", client_secret=app.secret)) == NOBODY
    public = register(story, "public-app", token_endpoint_auth_method="none")
    assert public.redeem(code_for(public), client_secret="").status_code == 200


def test_the_scheme_is_named_where_it_was_tried(story: Story) -> None:
    """RFC 6749, section 5.2; and an unknown client is told what a wrong secret is told."""
    register(story)
    wrong, unknown = ask(story, auth=("shop", "wrong")), ask(story, auth=("nobody", "wrong"))
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    assert (wrong.content, wrong.headers["www-authenticate"]) == (unknown.content, unknown.headers["www-authenticate"])
    assert "www-authenticate" not in ask(story, client_id="nobody").headers


def test_a_rotated_secret_works_until_its_time(story: Story) -> None:
    """The one before and the new one, side by side; then the new one alone."""
    app = register(story)
    before, clients = app.secret, story.gateway.clients
    after = Application(story, app.client, "rgc_new-secret")
    new_digest = digest("rgc_new-secret")
    until = NOW + 60
    story.gateway.database.write_sync(
        lambda tx: clients.rotate_secret(tx, "shop", secret_digest=new_digest, previous_until=until)
    )
    assert (app.act().status_code, after.act().status_code) == (200, 200)
    story.clock.advance(60)
    assert (refused(app.act()), after.act().status_code) == (NOBODY, 200)
    assert before == app.secret


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!", "Bearer abc", "Basic c2hvcA==", "Basic /////w=="])
def test_what_is_no_proof_is_never_anonymous(story: Story, header: str) -> None:
    """Not even where the form names a public client."""
    public = register(story, token_endpoint_auth_method="none")
    form = {"grant_type": "refresh_token", "refresh_token": "A" * 43, "client_id": public.client_id}
    answer = story.ask("POST", "/token", data=form, headers={"authorization": header})
    assert refused(answer) == NOBODY
