"""The tutorial's application as a process of its own, at a real gateway, and a person's browser between the two. The
operator's commands are run as the text has them.
"""

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
import pyotp
import pytest

from demo.browser import Browser, Page
from tests.ports import free_port
from tests.running_provider import COMMAND, PATIENCE_SECONDS, Person, RunningProvider, running_provider

DOCS = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = DOCS / "examples" / "protected_app.py"
TUTORIAL = (DOCS / "tutorial.md").read_text(encoding="utf-8")
HERE = "http://localhost:3000"


def blocks(language: str) -> list[str]:
    """What stands in the tutorial's blocks of code."""
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL, re.MULTILINE | re.DOTALL)


def run(beginning: str, place: Path, *, address: str = HERE, **environment: str) -> str:
    """What the tutorial's command with this beginning prints; its application is at `address`, and what it reads from
    a file is a good password."""
    text = "".join(blocks("sh")).replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith(f"auth-gateway {beginning}"))
    words = shlex.split(line.replace(HERE, address).partition("<")[0])
    done = subprocess.run(
        [*COMMAND, *words[1:]],
        env=os.environ | {"PYTHONPATH": str(DOCS.parent)} | environment,
        cwd=place,
        input="correct horse battery staple\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True)
class Hello:
    """The application, the gateway that it trusts, and somebody who may sign in."""

    address: str
    provider: RunningProvider
    person: Person
    place: Path

    def browser(self) -> Browser:
        return Browser("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")

    def sign_in(self, browser: Browser, path: str = "/sign-in") -> Page:
        """Through the password; the page after it."""
        card = browser.open(self.address + path)
        assert card.asks_for("username"), card.text
        return browser.fill(card, username=self.person.username, password=self.person.password)

    def code(self) -> str:
        return pyotp.TOTP(self.person.totp).at(int(time.time()))


def operators(provider: RunningProvider, place: Path) -> dict[str, str]:
    """What the tutorial exports."""
    return {
        "JWT_ISSUER": provider.issuer,
        "AUTH_GATEWAY_PROFILE": "demo",
        "AUTH_GATEWAY_STATE": str(place / "gateway"),
    }


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hello]:
    """The example as it stands in the documentation, registered as the tutorial says, on one host with the gateway:
    cookies know no ports."""
    address = f"http://127.0.0.1:{free_port()}"
    place = tmp_path_factory.mktemp("tutorial")
    with running_provider(place) as provider:
        secret = run("clients add", place, address=address, **operators(provider, place)).strip()
        given = {"ISSUER": provider.issuer, "CLIENT_SECRET": secret, "HERE": address}
        with (place / "app.log").open("ab") as log:
            process = subprocess.Popen([sys.executable, EXAMPLE], env=os.environ | given, stdout=log, stderr=log)
        try:
            _wait(process, address)
            yield Hello(address, provider, provider.person(), place)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx2.get(address, trust_env=False)
        except httpx2.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the example did not start")


def test_it_greets_who_signed_in_and_nobody_else(hello: Hello) -> None:
    """Nobody at first, the person by name after the password, nobody after signing out, and not at the gateway
    either."""
    with hello.browser() as browser:
        assert "Nobody is signed in" in browser.open(hello.address).text
        home = hello.sign_in(browser)
        assert f"Hello, {hello.person.username}." in home.text
        left = browser.fill(Page(f"{hello.address}/sign-out", 200, home.text))
        assert left.address.partition("?")[0] == f"{hello.address}/"
        assert "Nobody is signed in" in left.text
        assert browser.open(f"{hello.address}/sign-in").asks_for("username")


def test_the_safe_takes_two_factors(hello: Hello) -> None:
    """A password opens the first page alone; the safe asks for the code, once, and for nothing else."""
    with hello.browser() as browser:
        hello.sign_in(browser)
        card = browser.open(f"{hello.address}/safe")
        assert card.asks_for("code")
        assert not card.asks_for("password")
        assert "is open" in browser.fill(card, code=hello.code()).text
        assert "is open" in browser.open(f"{hello.address}/safe").text


def test_a_stranger_at_the_safe_signs_in_first(hello: Hello) -> None:
    """Straight to the safe: the password, the code, and the safe."""
    person = hello.provider.person()
    stranger = replace(hello, person=person)
    with stranger.browser() as browser:
        card = stranger.sign_in(browser, "/safe")
        assert "is open" in browser.fill(card, code=stranger.code()).text


@pytest.mark.parametrize("answer", ["code=stolen&state=made-up", "error=access_denied&state=made-up", ""])
def test_an_answer_that_nobody_asked_for_signs_nobody_in(hello: Hello, answer: str) -> None:
    """A code from elsewhere, a refusal, and nothing at all end on a page that says so."""
    with hello.browser() as browser:
        refused = browser.open(f"{hello.address}/callback?{answer}")
        assert (refused.status, "You are not signed in" in refused.text) == (403, True)
        assert "Nobody is signed in" in browser.open(hello.address).text


def test_with_the_gateway_away_it_says_so(hello: Hello) -> None:
    """Nobody listens at the issuer's address: a page, and no traceback."""
    address = f"http://127.0.0.1:{free_port()}"
    given = {"ISSUER": f"http://127.0.0.1:{free_port()}", "CLIENT_SECRET": "rgc_x", "HERE": address}
    process = subprocess.Popen([sys.executable, EXAMPLE], env=os.environ | given, stderr=subprocess.DEVNULL)
    try:
        _wait(process, address)
        with hello.browser() as browser:
            assert browser.open(f"{address}/sign-in").status == 503
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def test_the_text_shows_what_the_example_says() -> None:
    """Each piece of code in the tutorial is the example's, letter by letter."""
    example = EXAMPLE.read_text(encoding="utf-8")
    assert blocks("python")
    for piece in blocks("python"):
        assert piece in example


def test_an_authenticator_is_exchanged_as_the_text_says(hello: Hello) -> None:
    """Twice in a row, since the demo's Alice has one already."""
    given = operators(hello.provider, hello.place)
    first, second = (run("users enrol-totp alice", hello.place, **given) for _ in range(2))
    assert first != second
    assert "secret: " in second


def test_a_gateway_of_ones_own_is_made_as_the_text_says(tmp_path: Path) -> None:
    """With its settings for the operator alone."""
    none = dict.fromkeys(("JWT_ISSUER", "AUTH_GATEWAY_PROFILE", "AUTH_GATEWAY_STATE", "AUTH_GATEWAY_CONFIG"), "")
    assert "otpauth://totp/id.example.com:ann" in run("init --issuer", tmp_path, **none)
    assert (tmp_path / "auth-gateway.toml").stat().st_mode & 0o777 == 0o600
