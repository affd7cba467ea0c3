"""Session models in a registry: the same commands and journal, a pointer and gates of their own, no login model."""

import json
import shutil
from pathlib import Path

import pytest

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.published_folder import public_keys
from risk_scorer.adapters.registry_places import place_at
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.core.activity.detectors import ALL as DETECTORS
from risk_scorer.core.activity.scale import SHIPPED
from risk_scorer.core.artefact import BadArtefact
from risk_scorer.core.registry import ACTIVE, SESSION, encode
from tests.integration.training.registered_models import card, published
from tests.integration.training.session_models import (
    ALL_GATES,
    WHY,
    Made,
    another_version,
    on,
    registered,
    run,
    small_model,
)
from tests.unit.risk_scorer.core.stored_model import KEY
from training.publish import public_bytes
from training.registry.session_gates import GATES


def told(text: str) -> dict[str, object]:
    return dict(json.loads(text.splitlines()[-1]))


def test_a_session_model_goes_through_all_commands(tmp_path: Path) -> None:
    """Registered, listed, promoted against its gates, shown; its journal is signed and says that it is a session's."""
    made, version = registered(tmp_path)
    run("promote", version, *on(made, tmp_path, "--key", made.key, *ALL_GATES, *WHY))
    [row] = json.loads(run("list", *on(made, tmp_path, "--public_key", made.public_key, "--json")))["versions"]
    assert (row["model_version"], row["state"]) == (version, "active")
    shown = told(run("show", "newest", *on(made, tmp_path, "--public_key", made.public_key, "--json")))
    assert (shown["kind"], shown["model_version"]) == ("session", version)
    text = run("show", "newest", *on(made, tmp_path, "--public_key", made.public_key))
    assert ("of harmless sessions" in text, "attacks, all" in text, "logins" in text) == (True, True, False)
    registry = of(made, tmp_path)
    assert [(entry.kind, entry.artefact) for entry in registry.journal()] == [
        ("register", "session"),
        ("promote", "session"),
    ]
    assert registry.pointer(ACTIVE) is None
    pointer = registry.pointer(SESSION)
    assert pointer is not None
    assert pointer.model_version == version
    keys = ("--key", made.key, "--public-key", made.public_key)
    looked = told(run("doctor", "--registry", tmp_path, "--model-dir", tmp_path / "none", *keys, "--json"))
    found = {each["code"]: each["level"] for each in looked["findings"]}
    assert found["session_model"] == "good"


def test_a_model_of_invented_people_is_promoted_by_nobodys_oversight(tmp_path: Path) -> None:
    """The gates refuse it, the journal keeps that, and nothing is pointed at."""
    made, version = registered(tmp_path)
    refused = run("promote", version, *on(made, tmp_path, "--key", made.key), status=3)
    assert "gates_not_passed" in refused
    assert "real_data" in refused
    registry = of(made, tmp_path)
    assert registry.pointer(SESSION) is None
    assert {each.gate for each in registry.journal()[-1].findings} == set(GATES)


def test_rollback_goes_to_the_session_model_before(tmp_path: Path) -> None:
    """The login model that was promoted in between stays where it is."""
    made, version = registered(tmp_path)
    promote = on(made, tmp_path, "--key", made.key, *ALL_GATES, *WHY)
    run("promote", version, *promote)
    refused = run("rollback", *on(made, tmp_path, "--key", made.key), status=3)
    assert "no_previous" in refused
    other = another_version(made, tmp_path)
    run("promote", other, *promote)
    run("rollback", *on(made, tmp_path, "--key", made.key))
    pointer = of(made, tmp_path).pointer(SESSION)
    assert pointer is not None
    assert pointer.model_version == version


def test_neither_kind_takes_the_others_versions(tmp_path: Path) -> None:
    """Register, promote and show refuse by the kind that is signed in the manifest, or do not know the version."""
    made, version = registered(tmp_path)
    login = ["--registry", tmp_path, "--key", made.key]
    assert "wrong_kind" in run("register", *login, "--model_dir", made.folder, status=3)
    assert "no_such_version" in run("promote", version, *login, status=3)
    published(tmp_path / "login", card())
    session = on(made, tmp_path, "--key", made.key, "--model_dir", tmp_path / "login")
    assert "untrusted_key" in run("register", *session, status=3)
    key = tmp_path / "theirs.pub"
    key.write_bytes(public_bytes(KEY))
    assert "wrong_kind" in run("register", *session, "--trusted", key, status=3)


def test_a_session_pointer_in_the_active_ones_place_is_refused(tmp_path: Path) -> None:
    """Who can write to the registry cannot let a session model decide about logins: the pointer's name is signed."""
    made, version = registered(tmp_path)
    run("promote", version, *on(made, tmp_path, "--key", made.key, *ALL_GATES, *WHY))
    shutil.copy(tmp_path / "pointers" / "session.json", tmp_path / "pointers" / "active.json")
    with pytest.raises(BadArtefact) as refused:
        of(made, tmp_path).pointer(ACTIVE)
    assert refused.value.code == "bad_pointer"
    source = RegistrySource(
        place_at(str(tmp_path)), [str(made.public_key)], address="here", seen=SeenPointers(None), pointer=SESSION
    )
    with pytest.raises(BadArtefact) as refused:
        source.fetch()
    assert refused.value.code == "wrong_kind"


def test_a_journal_from_before_there_were_kinds_is_read_as_it_was_signed(tmp_path: Path) -> None:
    """Acts about models of logins are written without a word of kinds: to the byte what older versions wrote."""
    made = small_model()
    published(tmp_path / "login", card())
    key = tmp_path / "theirs.pub"
    key.write_bytes(public_bytes(KEY))
    login = ["--registry", tmp_path, "--key", made.key, "--trusted", key]
    run("register", *login, "--model_dir", tmp_path / "login")
    registry = ModelRegistry(place_at(str(tmp_path)), [public_bytes(KEY), *of(made, tmp_path).public_keys])
    [entry] = registry.journal()
    assert b"artefact" not in encode(entry)
    assert encode(entry) == (tmp_path / "journal" / "000000000001.json").read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ("promote", "newest", "--kind", "session", "--input", "log.csv"),
        ("promote", "newest", "--kind", "session", "--override", "nothing", "--reason", "x"),
        ("train", "--kind", "session", "--input", "a.csv", "--input", "b.csv"),
        ("train", "--kind", "session", "--input", "a.csv", "--until", "2025-01-01"),
        ("evaluate", "--kind", "session", "--input", "a.csv"),
        ("evaluate", "--detectors-alone", "--input", "a.csv"),
        ("simulate", "--days", "3", "--out", "a.csv"),
    ],
)
def test_what_a_session_model_cannot_be_asked_is_wrong_usage(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 2 before any work."""
    monkeypatch.chdir(tmp_path)
    more = ["--key", str(small_model().key)] if arguments[0] in ("promote", "train") else []
    assert "error u" in run(*arguments, *more, status=2)


def test_one_command_makes_registers_and_another_judges(tmp_path: Path) -> None:
    """`evaluate --kind session` says what the model does to a log that it has not seen."""
    made = small_model()
    facts = told(
        run(
            "evaluate", "--kind", "session", "--input", made.log, "--labels", made.labels, "--model_dir", made.folder,
            "--public_key", made.public_key, "--json",
        )
    )  # fmt: skip
    assert facts["model_version"] == made.told["model_version"]
    assert facts["events"] == made.told["events"]


def test_the_detectors_are_judged_alone_where_there_is_no_model(tmp_path: Path) -> None:
    """With the scale in the package, and how soon each kind of attack was seen."""
    made = small_model()
    asked = ("evaluate", "--kind", "session", "--input", made.log, "--labels", made.labels, "--detectors-alone")
    facts = told(run(*asked, "--model_dir", tmp_path / "none", "--json"))
    assert facts["model_version"] is None
    assert facts["scale"] == SHIPPED.name
    assert facts["detectors"][: len(DETECTORS)] == [each.name for each in DETECTORS]  # type: ignore[index]
    until = facts["until_mark"]["all"]  # type: ignore[index]
    assert until["seconds_median"] <= until["seconds_p95"] <= until["seconds_most"]


def of(made: Made, place: Path) -> ModelRegistry:
    return ModelRegistry(place_at(str(place)), public_keys([str(made.public_key)]))
