"""A registry of models: versions never change, what decides is named by signed pointers, and every act is told."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from risk_scorer.adapters.registry_places import FolderPlace, Place
from risk_scorer.core.registry import ACTIVE, SHADOW
from risk_scorer.core.signatures import BadArtefact
from tests.integration.training.registered_models import NOW, card, desk, positives, published
from training.refusals import RefusedError
from training.registry.desk import Desk
from training.registry.journal import Act, told
from training.registry.views import listed, shown, version_named


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return FolderPlace(tmp_path / "registry")


@pytest.fixture
def add(place: Place, tmp_path: Path) -> Callable[..., str]:
    """Registers one more model; its version."""

    def adding(seed: int = 1, **changes: Any) -> str:
        folder = tmp_path / f"models-{seed}"
        published(folder, card(**changes), seed=seed)
        version, _ = desk(place).register(folder)
        return version

    return adding


def active(place: Place) -> str | None:
    pointer = desk(place).registry.pointer(ACTIVE)
    return None if pointer is None else pointer.model_version


def promote(place: Place, version: str, **options: Any) -> None:
    desk(place).promote(version, **{"max_data_age_days": 90.0, **options})


def kinds(place: Place) -> list[str]:
    return [entry.kind for entry in desk(place).registry.journal()]


def test_a_registered_version_is_whole_and_registered_once(place: Place, tmp_path: Path) -> None:
    """Again is no second time: the journal has one line of it."""
    wanted = published(tmp_path / "models", card())
    assert desk(place).register(tmp_path / "models") == (wanted, True)
    assert desk(place).register(tmp_path / "models") == (wanted, False)
    assert kinds(place) == ["register"]
    assert set(desk(place).registry.version_files(wanted)) == {path.name for path in (tmp_path / "models").iterdir()}


def test_a_registration_that_was_cut_short_is_finished_the_next_time(place: Place, tmp_path: Path) -> None:
    """What lies there already and is the same stays."""
    wanted = published(tmp_path / "models", card())
    place.create(f"versions/{wanted}/encoders.json", (tmp_path / "models" / "encoders.json").read_bytes())
    assert desk(place).registry.versions() == []
    assert desk(place).register(tmp_path / "models") == (wanted, True)


def test_a_version_that_is_another_in_the_registry_is_never_replaced(place: Place, tmp_path: Path) -> None:
    """Versions are for ever: damage is told, not written over."""
    wanted = published(tmp_path / "models", card())
    place.create(f"versions/{wanted}/encoders.json", b"{}")
    with pytest.raises(RefusedError) as refused:
        desk(place).register(tmp_path / "models")
    assert refused.value.code == "version_damaged"
    assert kinds(place) == []


def test_a_model_without_a_card_is_not_registered(place: Place, tmp_path: Path) -> None:
    """Nobody could say how good it is."""
    published(tmp_path / "models", None)
    with pytest.raises(BadArtefact) as refused:
        desk(place).register(tmp_path / "models")
    assert refused.value.code == "no_card"


def test_what_is_promoted_decides_and_rollback_is_one_word(place: Place, add: Callable[..., str]) -> None:
    """Back and further back; forward again by name."""
    first, second, third = (add(seed=seed) for seed in (1, 2, 3))
    for version in (first, second, third):
        promote(place, version)
    for version in (second, first):
        assert desk(place).rollback(reason="worse").model_version == version
        assert active(place) == version
    with pytest.raises(RefusedError) as refused:
        desk(place).rollback()
    assert refused.value.code == "no_previous"
    promote(place, third)
    assert active(place) == third
    assert desk(place).rollback().model_version == first


def test_promoting_the_active_one_changes_nothing(place: Place, add: Callable[..., str]) -> None:
    """No line in the journal, no other number of the pointer."""
    version = add()
    promote(place, version)
    before = kinds(place)
    promote(place, version)
    assert kinds(place) == before


def test_a_damaged_version_is_not_gone_back_to(place: Place, add: Callable[..., str], tmp_path: Path) -> None:
    """The one that decides stays."""
    first, second = add(seed=1), add(seed=2)
    promote(place, first)
    promote(place, second)
    spoiled = tmp_path / "registry" / "versions" / first / "pairs_value.npy"
    spoiled.write_bytes(spoiled.read_bytes()[:-1])
    with pytest.raises(BadArtefact) as refused:
        desk(place).rollback()
    assert refused.value.code == "hash_mismatch"
    assert active(place) == second


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"prompted": 82}, None),
        ({"prompted": 90}, "budget_step_up"),
        ({"denied": 1}, None),
        ({"denied": 2}, "budget_deny"),
        ({"false_positives": (positives("step_up", 0.02, 1),)}, "budget_deny"),
        ({"caught": 770}, None),
        ({"caught": 740}, "recall"),
        ({"age_days": 90.0}, None),
        ({"age_days": 90.1}, "data_age"),
    ],
)
def test_each_gate_holds_at_its_mark(
    place: Place, add: Callable[..., str], changes: dict[str, Any], gate: str | None
) -> None:
    """Just inside is promoted; just outside is refused by that gate alone, and the journal has it."""
    good, candidate = add(seed=1), add(seed=2, **changes)
    promote(place, good)
    if gate is None:
        promote(place, candidate)
        assert active(place) == candidate
        return
    with pytest.raises(RefusedError) as refused:
        promote(place, candidate)
    assert refused.value.code == "gates_not_passed"
    assert refused.value.message.startswith(f"{gate}: ")
    assert active(place) == good
    last = desk(place).registry.journal()[-1]
    assert (last.kind, last.model_version) == ("refusal", candidate)
    assert [each.gate for each in last.findings if not each.passed] == [gate]


def test_a_feature_that_no_tree_asks_for_is_dead(place: Place, tmp_path: Path) -> None:
    """So is every feature of a forest whose answer weighs nothing."""
    published(tmp_path / "models", card(), surprise_weight=0.0)
    version, _ = desk(place).register(tmp_path / "models")
    with pytest.raises(RefusedError, match="dead_feature"):
        promote(place, version)


def test_a_gate_is_overridden_by_name_and_the_reason_is_kept(place: Place, add: Callable[..., str]) -> None:
    """Only the gates that stopped it are written down, and only those that were named are let by."""
    version = add(age_days=200.0, denied=2)
    with pytest.raises(RefusedError, match="budget_deny") as refused:
        promote(place, version, overridden=["data_age"], reason="the log is what there is")
    assert "data_age" not in refused.value.message
    promote(place, version, overridden=["data_age", "budget_deny", "recall"], reason="the log is what there is")
    last = desk(place).registry.journal()[-1]
    assert (last.overridden, last.reason, last.by) == (("budget_deny", "data_age"), "the log is what there is", "ann")


def test_of_two_who_write_at_once_one_wins_and_the_other_is_told(place: Place, add: Callable[..., str]) -> None:
    """An act is decided on a journal: when that has grown, the act is not done."""
    first, second = add(seed=1), add(seed=2)
    stale = desk(place).settled()
    promote(place, first)
    act = Act(kind="promote", model_version=second, at=NOW, by="ben", moves=ACTIVE)
    late = desk(place, by="ben")
    with pytest.raises(RefusedError) as refused:
        told(late.registry, act, late.key, journal=stale)
    assert refused.value.code == "registry_changed"
    assert active(place) == first


def test_a_pointer_that_lags_behind_the_journal_is_put_right_by_the_next_act(
    place: Place, add: Callable[..., str], tmp_path: Path
) -> None:
    """Whoever was killed between the two left a promotion that counts."""
    first, second = add(seed=1), add(seed=2)
    promote(place, first)
    pointer = tmp_path / "registry" / "pointers" / "active.json"
    before = pointer.read_bytes()
    promote(place, second)
    pointer.write_bytes(before)
    assert active(place) == first
    desk(place).settled()
    assert active(place) == second


def test_a_journal_that_was_cut_or_changed_is_not_believed(
    place: Place, add: Callable[..., str], tmp_path: Path
) -> None:
    """A missing line, another line and a line in another's place: each is told."""
    add(seed=1)
    add(seed=2)
    add(seed=3)
    folder = tmp_path / "registry" / "journal"
    whole = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}
    names = sorted(whole)

    def code_with(name: str, content: bytes | None) -> str:
        for known, stored in whole.items():
            (folder / known).write_bytes(stored)
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        with pytest.raises(BadArtefact) as refused:
            desk(place).registry.journal()
        return refused.value.code

    assert code_with(names[1], None) == "bad_journal"
    assert code_with(names[1], whole[names[0]]) == "bad_journal"
    assert code_with(names[1], whole[names[1]].replace(b'"ann"', b'"eve"')) == "bad_signature"


def test_the_shadow_is_pointed_at_and_switched_off(place: Place, add: Callable[..., str]) -> None:
    """It never touches the pointer that decides."""
    first, second = add(seed=1), add(seed=2)
    promote(place, first)
    desk(place).shadow(second)
    assert version_named(desk(place).registry, "shadow") == second
    desk(place).shadow(None)
    with pytest.raises(RefusedError):
        version_named(desk(place).registry, "shadow")
    assert (active(place), desk(place).registry.pointer(SHADOW).model_version) == (first, None)  # type: ignore[union-attr]


def test_list_and_show_tell_state_quality_and_damage(place: Place, add: Callable[..., str], tmp_path: Path) -> None:
    """The newest first; a version whose card was changed is told as damaged, and does not hide the others."""
    first, second = add(seed=1), add(seed=2)
    promote(place, first, reason="to begin with")
    registry = desk(place).registry
    rows = listed(registry)
    assert [(row["model_version"], row["state"]) for row in rows] == [(second, "registered"), (first, "active")]
    assert rows[0]["strangers_caught"] == 0.8
    facts = shown(registry, "active")
    assert facts["model_version"] == first
    assert [line["kind"] for line in facts["journal"]] == ["register", "promote"]
    assert facts["journal"][-1]["reason"] == "to begin with"
    spoiled = tmp_path / "registry" / "versions" / second / "card.json"
    spoiled.write_bytes(spoiled.read_bytes().replace(b"0.8", b"0.9"))
    assert [row["problem"] for row in listed(registry)] == ["hash_mismatch", None]
    shutil.rmtree(spoiled.parent)
    shutil.copytree(spoiled.parent.with_name(first), spoiled.parent)
    assert [row["problem"] for row in listed(registry)] == ["wrong_version", None]


def test_the_pointer_has_the_fields_that_were_promised(place: Place, add: Callable[..., str], tmp_path: Path) -> None:
    """Other programs read it."""
    first, second = add(seed=1), add(seed=2)
    promote(place, first)
    promote(place, second, reason="better")
    stored = msgspec.json.decode((tmp_path / "registry" / "pointers" / "active.json").read_bytes())
    assert {name: stored[name] for name in ("model_version", "sequence", "at", "by", "reason", "previous")} == {
        "model_version": second, "sequence": 4, "at": NOW, "by": "ann", "reason": "better", "previous": first,
    }  # fmt: skip


def test_the_desks_clock_and_name_are_in_every_line(place: Place, tmp_path: Path) -> None:
    """Who and when, as the one who wrote it said."""
    published(tmp_path / "models", card())
    late: Desk = desk(place, now=NOW + 5, by="ben")
    late.register(tmp_path / "models", reason="nightly")
    entry = late.registry.journal()[0]
    assert (entry.at, entry.by, entry.reason) == (NOW + 5, "ben", "nightly")
