"""The model in use comes from a registry: the version that was pointed at, signed, whole, and not an older one."""

from pathlib import Path

import pytest

from risk_scorer.adapters.model_store import ModelStore
from risk_scorer.adapters.registry_places import FolderPlace
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from tests.integration.risk_scorer.registered import Registered
from tests.integration.risk_scorer.test_model_store import Adopted, version


@pytest.fixture
def registered(tmp_path: Path) -> Registered:
    return Registered(tmp_path / "registry")


@pytest.fixture
def store(tmp_path: Path, registered: Registered) -> ModelStore:
    return store_at(tmp_path)


def store_at(place: Path, pointer: str = "active") -> ModelStore:
    source = RegistrySource(
        FolderPlace(place / "registry"),
        [Registered.public_key()],
        address=str(place / "registry"),
        seen=SeenPointers(place / "seen.json"),
        pointer=pointer,  # type: ignore[arg-type]
    )
    return ModelStore(source, Adopted())


def test_what_was_promoted_is_in_use_within_one_look(store: ModelStore, registered: Registered) -> None:
    """A version that is only registered is not; another one that is pointed at is, and so is the one before again."""
    first, second = registered.add(seed=1), registered.add(seed=2)
    store.look()
    assert (store.problem, version(store)) == ("model_missing", None)
    registered.point(first)
    store.look()
    assert (store.problem, version(store)) == (None, first)
    for wanted in (second, first):
        registered.point(wanted)
        store.look()
        assert (store.problem, version(store)) == (None, wanted)


def test_a_pointer_that_was_seen_before_is_not_followed_back(
    store: ModelStore, registered: Registered, tmp_path: Path
) -> None:
    """Its signature is good for ever: only its number says that it is over. A restart forgets none of it."""
    first, second = registered.add(seed=1), registered.add(seed=2)
    old = registered.point(first)
    store.look()
    registered.point(second)
    store.look()
    registered.put_pointer(old)
    store.look()
    assert (store.problem, version(store)) == ("pointer_replayed", second)
    assert store.refusal is not None
    assert store.refusal.version == first
    restarted = store_at(tmp_path)
    assert not restarted.reload()
    assert (restarted.problem, version(restarted)) == ("pointer_replayed", None)


def test_the_shadows_pointer_stands_for_nothing_else(store: ModelStore, registered: Registered) -> None:
    """A candidate that somebody copies over the active pointer decides for nobody."""
    first, candidate = registered.add(seed=1), registered.add(seed=2)
    registered.point(first)
    store.look()
    registered.put_pointer(registered.point(candidate, pointer="shadow"))
    store.look()
    assert (store.problem, version(store)) == ("bad_pointer", first)


def test_a_registry_that_is_away_changes_nothing_but_what_is_told(
    store: ModelStore, registered: Registered, tmp_path: Path
) -> None:
    """The last good model answers, and when the registry is back nothing is read twice."""
    first = registered.add(seed=1)
    registered.point(first)
    store.look()
    pointers = tmp_path / "registry" / "pointers"
    pointers.rename(tmp_path / "aside")
    pointers.write_text("a file where a folder was: every look fails")
    store.look()
    assert (store.problem, version(store)) == ("registry_unavailable", first)
    pointers.unlink()
    (tmp_path / "aside").rename(pointers)
    model = store.current()
    store.look()
    assert store.problem is None
    assert store.current() is model


def test_a_version_that_lies_where_another_should_is_refused(
    store: ModelStore, registered: Registered, tmp_path: Path
) -> None:
    """Both are signed: the one that was promoted is wanted, not any."""
    first, second = registered.add(seed=1), registered.add(seed=2)
    registered.point(first)
    store.look()
    versions = tmp_path / "registry" / "versions"
    (versions / second).rename(tmp_path / "aside")
    (versions / first).rename(versions / second)
    registered.point(second)
    store.look()
    assert (store.problem, version(store)) == ("wrong_version", first)
    assert store.refusal is not None
    assert store.refusal.version == second
