"""The model in use: only a good one, the last good one, and a new one without a restart."""

import base64
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from plumbing.refusals import Refused
from risk_scorer.adapters.model_store import History, ModelStore
from risk_scorer.adapters.published_folder import PublishedFolder, public_keys, read_files
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from tests.integration.risk_scorer.published import KEY, PUBLIC_KEY, model_files, publish_model
from training.publish import public_bytes


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "signing.pub").write_bytes(PUBLIC_KEY)
    return tmp_path


@pytest.fixture
def store(place: Path) -> ModelStore:
    return ModelStore(PublishedFolder(place / "models", [str(place / "signing.pub")]), Adopted())


class Adopted:
    """Takes over whatever comes, and remembers whose histories."""

    def __init__(self) -> None:
        self.people: list[str] = []

    def prepare(self, model: Model) -> None:
        pass

    def bring(self, model: Model, people: Iterable[History]) -> None:
        self.people += [user for user, _ in people]


def version(store: ModelStore) -> str | None:
    model = store.current()
    return model.version if model else None


def test_a_good_model_is_used(store: ModelStore, place: Path) -> None:
    """Signed by a configured key, whole, and taken over with its histories."""
    adopted = Adopted()
    store._adoption = adopted
    publish_model(place / "models", {"ann": UserHistory(logins=3)})
    assert store.reload()
    assert version(store) is not None
    assert store.problem is None
    assert adopted.people == ["ann"]


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

    class Fails(Adopted):
        def prepare(self, model: Model) -> None:
            raise ZeroDivisionError

    store._adoption = Fails()
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
    good = version(store)
    new = model_files(seed=2)
    for name in ("encoders.json", "manifest.json"):
        (place / "models" / name).write_bytes(new[name])
    store.look()
    assert (store.problem, version(store)) == (None, good)
    (place / "models" / "manifest.sig").write_bytes(new["manifest.sig"])
    store.look()
    assert version(store) not in (good, None)


def test_after_a_failure_any_change_is_a_reason_to_try_again(store: ModelStore, place: Path) -> None:
    """A key that arrives late is enough; without a change nothing is tried over and over."""
    (place / "signing.pub").unlink()
    publish_model(place / "models")
    assert not store.reload()
    fetch, tried = store._source.fetch, []
    store._source.fetch = lambda: (tried.append(1), fetch())[1]  # type: ignore[method-assign]
    store.look()
    assert tried == []
    (place / "signing.pub").write_bytes(PUBLIC_KEY)
    store.look()
    assert store.problem is None
    assert tried == [1]


def test_histories_of_a_later_model_follow_the_swap(store: ModelStore, place: Path) -> None:
    """However long they take, the new model answers meanwhile, and only the newest one's are taken over."""
    publish_model(place / "models")
    assert store.reload()
    going, people = threading.Event(), []

    class Slow(Adopted):
        def bring(self, model: Model, found: Iterable[History]) -> None:
            assert going.wait(10)
            people.extend(user for user, _ in found)

    store._adoption = Slow()
    for seed, user in ((2, "ann"), (3, "ben")):
        publish_model(place / "models", {user: UserHistory(logins=3)}, seed=seed)
        assert store.reload()
    newest = version(store)
    assert people == []
    going.set()
    assert store._bringing is not None
    store._bringing.join(10)
    assert (version(store), people) == (newest, ["ben"])


def test_histories_that_find_the_database_held_come_with_the_next_look(store: ModelStore, place: Path) -> None:
    """A busy database delays what people's past says, and nothing else."""
    publish_model(place / "models")
    assert store.reload()

    class Held(Adopted):
        def bring(self, model: Model, people: Iterable[History]) -> None:
            raise Refused("storage_unavailable", "held", status=503)

    store._adoption = Held()
    publish_model(place / "models", {"ann": UserHistory(logins=3)}, seed=2)
    assert store.reload()
    assert store._bringing is not None
    store._bringing.join(10)
    store._adoption = adopted = Adopted()
    store.look()
    store._bringing.join(10)
    assert (store.problem, adopted.people) == (None, ["ann"])


def test_keys_come_as_files_or_in_base64(tmp_path: Path) -> None:
    """The trainer's .pub file, a raw key and base64 text in the setting are the same key."""
    text = base64.b64encode(PUBLIC_KEY).decode()
    (tmp_path / "raw.pub").write_bytes(PUBLIC_KEY)
    (tmp_path / "text.pub").write_text(text + "\n")
    sources = [text, str(tmp_path / "raw.pub"), str(tmp_path / "text.pub")]
    assert public_keys(sources) == [public_bytes(KEY)] * 3
