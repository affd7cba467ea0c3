"""`risk-training compare`: two published models, a log, and one clear line for everything that is wrong."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from risk_scorer.adapters.storage import open_database
from tests.integration.risk_scorer.published import KEY, PUBLIC_KEY, publish_model
from tests.integration.risk_scorer.registered import NOW, Registered
from training.cli import app
from training.registry.journal import Act, told

HEAD = "timestamp,user_id,ip,ip_rep,success,label\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Two models, one of them active in a registry; a log of four people, one of them taken over from a bad address."""
    registered = Registered(tmp_path / "registry")
    version = registered.add(1)
    for kind, moves in (("register", None), ("promote", "active")):
        act = Act(kind=kind, model_version=version, at=NOW, by="tests", moves=moves)  # type: ignore[arg-type]
        told(registered.registry, act, KEY, journal=registered.registry.journal())
    publish_model(tmp_path / "two", rule="listed_network")
    (tmp_path / "key.pub").write_bytes(PUBLIC_KEY)
    lines = [
        f"2020-06-{day:02d}T12:0{person}:00Z,u{person},198.51.100.{person},{100 if (day, person) == (20, 3) else 0},"
        f"true,{'takeover' if (day, person) == (20, 3) else ''}\n"
        for day in range(1, 22)
        for person in range(4)
    ]
    (tmp_path / "log.csv").write_text(HEAD + "".join(lines))
    return tmp_path


def compare(
    place: Path, *more: object, active: object = "active", candidate: object = "two", log: str = "log.csv"
) -> Result:
    candidate = place / "two" if candidate == "two" else candidate
    return run(
        "compare", active, candidate, "--input", place / log, "--registry", place / "registry",
        "--public-key", place / "key.pub", *more,
    )  # fmt: skip


def test_it_says_what_would_change_in_sum_and_login_by_login(place: Path) -> None:
    """The candidate lacks the rule that caught the takeover: it is missed, and that login is named."""
    result = compare(place)
    assert result.exit_code == 0, result.output
    assert "Would prompt as many people a day" in result.stdout
    assert "misses 1 of 1 that it caught" in result.stdout
    assert "2020-06-20T12:03:00Z  u3  198.51.100.3  deny 90.00 → allow 10.00  takeover  (row 79)" in result.stdout


def test_a_folder_is_a_log_without_labels_of_its_own(place: Path) -> None:
    """What people found out can be given beside it, and is found by person, address and moment."""
    (place / "logs").mkdir()
    (place / "log.csv").rename(place / "logs" / "june.csv")
    label = {"user_id": "u3", "timestamp": 1_592_654_580.0, "ip": "198.51.100.3", "label": "compromised"}
    (place / "labels.jsonl").write_text(json.dumps(label))
    found = json.loads(compare(place, "--labels", str(place / "labels.jsonl"), "--json", log="logs").stdout)
    assert (found["source"], found["rows"]) == ("logs", 84)
    assert [(each["source"], each["attacks"], each["only_active"]) for each in found["caught"] if not each["kind"]][
        :1
    ] == [("confirmed", 1, 1)]


def test_as_json_it_is_one_object(place: Path) -> None:
    """Scripts and gates read the same numbers."""
    found = json.loads(compare(place, "--json").stdout)
    assert found["format"] == "riskgate-comparison/1"
    assert found["differing"] == len(found["events"]) == 1
    assert found["words"]


@pytest.mark.parametrize(
    ("more", "wrong", "code"),
    [
        ((), {"active": "three"}, "no_model"),
        ((), {"active": "0123456789ab"}, "no_model"),
        ((), {"candidate": "../two"}, "no_model"),
        ((), {"candidate": "shadow"}, "no_model"),
        (("--public-key", "none.pub"), {}, "bad_public_key"),
        (("--registry", "nowhere://x"), {}, "bad_registry"),
        ((), {"log": "none.csv"}, "no_such_file"),
        (("--from", "soon"), {}, "bad_date"),
        (("--from", "2021-01-01"), {}, "nothing_to_judge"),
        (("--labels", "none.jsonl"), {}, "no_such_file"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    place: Path, more: tuple[str, ...], wrong: dict[str, str], code: str
) -> None:
    """Exit 2, a stable code, nothing on standard output."""
    result = compare(place, *more, **wrong)  # type: ignore[arg-type]
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error {code}: ")
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "usage"),
        (("--shadow", "--input", "log.csv"), "usage"),
        (("--input", "log.csv", "--database", "sqlite:///x"), "usage"),
        (("--shadow", "--labels", "labels.jsonl"), "usage"),
        (("--shadow",), "no_such_file"),
        (("--shadow", "--database", "sqlite:///none.db"), "no_such_file"),
        (("--shadow", "--database", "log.csv"), "bad_source"),
        (("--shadow", "--from", "soon"), "bad_date"),
    ],
)
def test_a_log_or_live_logins_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str
) -> None:
    """One of the two, and a database that is there."""
    monkeypatch.chdir(tmp_path)
    result = run("compare", "active", "shadow", *arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith(f"error {code}: ")


def test_a_database_in_which_nothing_shadowed_says_so(tmp_path: Path) -> None:
    """The pairs that there are would be named."""
    url = f"sqlite:///{tmp_path}/scorer.db"
    open_database(url).close()
    result = run("compare", "active", "shadow", "--shadow", "--database", url)
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error nothing_to_judge")
    assert "none shadowed" in result.stderr
