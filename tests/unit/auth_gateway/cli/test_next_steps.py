"""Whatever a command refuses, it says what to do next."""

import re
from pathlib import Path

import pytest

import auth_gateway
from auth_gateway.cli.console import NEXT, advice
from plumbing.refusals import Refused
from tests.unit.auth_gateway.cli.conftest import Run

SOURCES = Path(auth_gateway.__file__).parent
GOOD = b"a heron reads the tide table"
ADDED = ("users", "add", "alice", "--password-stdin")


def codes_of(*files: str) -> set[str]:
    return {code for file in files for code in re.findall(r'Refused\(\s*"(\w+)"', (SOURCES / file).read_text())}


def test_every_refusal_of_the_operators_flows_has_a_next_step() -> None:
    """A code that is new there needs a line here."""
    flows = ("flows/accounts.py", "flows/enrolment.py", "flows/registrations.py", "core/provider/registration.py")
    assert codes_of(*flows) <= NEXT.keys()


def test_a_text_that_says_it_itself_stays_as_it_is() -> None:
    """Nothing is added to what the rules of passwords say."""
    assert advice(Refused("password_too_short", "Choose a longer one.", status=422)) == "Choose a longer one."
    assert advice(Refused("busy", "Too many wait.", status=503)) == "Too many wait: try again shortly"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("users", "freeze", "nobody"), "`auth-gateway users list` shows who there is"),
        (ADDED, "choose another one"),
        (("users", "add", "has space", "--password-stdin"), "use letters, digits and signs without spaces"),
        (("users", "import", "/nonexistent"), "name one that this user may read"),
        (("sessions", "revoke"), "`auth-gateway sessions list` shows them"),
        (("sessions", "revoke", "none"), "`auth-gateway sessions list` shows them"),
        (("clients", "remove", "none"), "`auth-gateway clients list` shows which there are"),
        (("clients", "add", "a b"), "`auth-gateway clients add --help` has the options"),
        (("clients", "add", "shop", "--jwks", "/nonexistent"), "name one that this user may read"),
        (("users", "fly"), "Add --help"),
        (("users", "add"), "Add --help"),
    ],
)
def test_a_refused_command_says_what_to_do(run: Run, arguments: tuple[str, ...], expected: str) -> None:
    """One line, with the way on in it."""
    run(*ADDED, stdin=GOOD)
    status, _, said = run(*arguments, stdin=GOOD)
    assert (status, said.count("\n"), expected in said) == (2, 1, True), said


def test_a_list_that_cannot_be_searched_says_how_to_sort_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or that it may be left out."""
    for content, expected in ((b"plain\n", "LC_ALL=C sort"), (None, "name a file that this user may read")):
        file = tmp_path / f"list-{content is None}"
        if content is not None:
            file.write_bytes(content)
        monkeypatch.setenv("PASSWORD_BLOCKLIST", str(file))
        status, _, said = run("users", "list")
        assert (status, said.count("\n"), expected in said) == (2, 1, True), said
