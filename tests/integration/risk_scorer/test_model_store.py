"""The model in use: only a good one, the last good one, and a new one without a restart."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from risk_scorer.adapters.model_store import ModelStore, public_keys, read_files
from risk_scorer.core.history import UserHistory
from tests.integration.risk_scorer.published import KEY, PUBLIC_KEY, model_files, publish_model
from training.publish import public_bytes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "signing.pub").write_bytes(PUBLIC_KEY)
    return tmp_path


@pytest.fixture
def store(place: Path) -> ModelStore:
    return ModelStore(place / "models", [str(place / "signing.pub")], adopt=lambda _model, _histories: None)


def version(store: ModelStore) -> str | None:
    model = store.current()
    return model.version if model else None


def test_a_good_model_is_used(store: ModelStore, place: Path) -> None:
    """Signed by a configured key, whole, and taken over with its histories."""
    taken: list[str] = []
    store._adopt = lambda _model, histories: taken.extend(user for user, _ in histories)
    publish_model(place / "models", {"ann": UserHistory(logins=3)})
    assert store.reload()
    assert version(store) is not None
    assert store.problem is None
    assert taken == ["ann"]


def spoil(name: str) -> Callable[[Path], None]:
    def change(models: Path) -> None:
        content = bytearray((models / name).read_bytes())
        content[-3] ^= 1
        (models / name).write_bytes(content)

    return change


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda models: (models / "manifest.sig").unlink(), "model_missing"),
        (lambda models: (models / "encoders.json").unlink(), "missing_file"),
        (spoil("encoders.json"), "hash_mismatch"),
        (spoil("forest_child.npy"), "hash_mismatch"),
        (spoil("manifest.json"), "bad_signature"),
        (lambda models: (models / "manifest.sig").write_bytes(b"{}"), "bad_signature"),
        (lambda models: (models.parent / "signing.pub").write_bytes(bytes(32)), "untrusted_key"),
        (lambda models: (models.parent / "signing.pub").write_bytes(b"short"), "model_keys_unreadable"),
        (lambda models: (models.parent / "signing.pub").unlink(), "model_keys_unreadable"),
    ],
)
def test_a_bad_model_is_refused_and_the_last_good_one_answers(
    store: ModelStore, place: Path, damage: Callable[[Path], None], problem: str
) -> None:
    """Every kind of damage has its own word, and none of them ends the scoring."""
    publish_model(place / "models")
    assert store.reload()
    good = version(store)
    publish_model(place / "models", seed=2)
    damage(place / "models")
    assert not store.reload()
    assert store.problem == problem
    assert version(store) == good


def test_a_missing_directory_is_a_missing_model(store: ModelStore) -> None:
    """Nothing trained yet is an ordinary state, not a crash."""
    assert not store.reload()
    assert (store.problem, store.current()) == ("model_missing", None)


def test_a_model_that_fails_in_use_is_refused(store: ModelStore, place: Path) -> None:
    """Whatever goes wrong while a new model is prepared, the old one stays."""
    publish_model(place / "models")
    assert store.reload()
    good = version(store)

    def fail(_model: object, _histories: object) -> None:
        raise ZeroDivisionError

    store._adopt = fail
    publish_model(place / "models", seed=2)
    assert not store.reload()
    assert (store.problem, version(store)) == ("model_unusable", good)


def test_the_pickle_beside_the_model_is_never_opened(store: ModelStore, place: Path) -> None:
    """model.joblib may hold anything: it is not read, so it cannot run."""
    publish_model(place / "models")
    (place / "models" / "model.joblib").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    assert "model.joblib" not in read_files(place / "models")
    assert store.reload()


def test_a_new_model_is_noticed_once_it_is_signed(store: ModelStore, place: Path) -> None:
    """The signature is written last: a half-published model is not even tried."""
    publish_model(place / "models")
    assert store.reload()
    assert not store._has_changed()
    new = model_files(seed=2)
    for name in ("encoders.json", "manifest.json"):
        (place / "models" / name).write_bytes(new[name])
    assert not store._has_changed()
    (place / "models" / "manifest.sig").write_bytes(new["manifest.sig"])
    assert store._has_changed()
    assert store.reload()
    assert not store._has_changed()


def test_after_a_failure_any_change_is_a_reason_to_try_again(store: ModelStore, place: Path) -> None:
    """A key that arrives late is enough; without a change nothing is tried over and over."""
    (place / "signing.pub").unlink()
    publish_model(place / "models")
    assert not store.reload()
    assert not store._has_changed()
    (place / "signing.pub").write_bytes(PUBLIC_KEY)
    assert store._has_changed()
    assert store.reload()


def test_keys_come_as_files_or_in_base64(tmp_path: Path) -> None:
    """The trainer's .pub file, a raw key and base64 text in the setting are the same key."""
    text = base64.b64encode(PUBLIC_KEY).decode()
    (tmp_path / "raw.pub").write_bytes(PUBLIC_KEY)
    (tmp_path / "text.pub").write_text(text + "\n")
    sources = [text, str(tmp_path / "raw.pub"), str(tmp_path / "text.pub")]
    assert public_keys(sources) == [public_bytes(KEY)] * 3
