"""The sign-in page as a browser without scripts uses it: one interaction, its cookie, and the form of its card."""

import re
from dataclasses import dataclass

import httpx2

from auth_gateway.core.provider.client import RegisteredClient
from plumbing.credentials import new_credential
from tests.stories.gateway.applications import challenge_of
from tests.stories.gateway.story import HOME, NOW, Story

CALLBACK = "https://app.example/callback"
_HIDDEN = re.compile(r'name="csrf" value="([^"]+)"')


@dataclass(frozen=True)
class SignInForm:
    """The password card of an interaction that has just begun."""

    story: Story
    path: str
    cookie: str
    csrf: str

    def post(self, username: str, password: str, *, peer: str = HOME) -> httpx2.Response:
        """The card filled in."""
        fields = {"csrf": self.csrf, "card": "password", "username": username, "password": password}
        return self.story.ask("POST", self.path, data=fields, headers={"cookie": self.cookie}, peer=peer)


def begun(story: Story, client_id: str = "shop") -> SignInForm:
    """Registers an application, and begins to sign in to it."""
    _, stored = new_credential(story.gateway.randomness, "rgc")
    client = RegisteredClient(client_id=client_id, grant_types=("authorization_code",), redirect_uris=(CALLBACK,))
    assert story.gateway.database.write_sync(lambda tx: story.gateway.clients.add(tx, client, stored, NOW))
    request = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "af0ifjsldkj",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
    }
    away = story.ask("GET", "/authorize", params=request)
    assert away.status_code == 303, away.text
    path = "/sign-in/" + away.headers["location"].rpartition("/sign-in/")[2]
    cookie = next(text.split(";")[0] for text in away.headers.get_list("set-cookie") if "sign-in=" in text)
    card = story.ask("GET", path, headers={"cookie": cookie})
    found = _HIDDEN.search(card.text)
    assert card.status_code == 200
    assert found is not None
    return SignInForm(story=story, path=path, cookie=cookie, csrf=found[1])
