"""Whatever is done to a registry, no bad model is loaded, the last good one goes on, and it is told which and why."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from risk_scorer.adapters.model_store import History, ModelStore
from risk_scorer.adapters.published_folder import PublishedFolder
from risk_scorer.adapters.registry_places import FolderPlace
from risk_scorer.adapters.registry_source import RegistrySource
from risk_scorer.adapters.seen_pointers import SeenPointers
from risk_scorer.core.artefact import ENCODERS
from risk_scorer.core.model import Model
from risk_scorer.core.trial import require_scores
from tests.integration.risk_scorer.published import PUBLIC_KEY, model_files, publish_model
from tests.integration.risk_scorer.registered import Registered
from tests.integration.risk_scorer.sabotage import EVIL, Damage, damages, signed_again
from tests.integration.risk_scorer.service import EVENT, running
from training.publish import publish
from training.refusals import RefusedError

DAMAGES = damages()


class Tried:
    """What a scorer does with a model before it answers."""

    def prepare(self, model: Model) -> None:
        require_scores(model)

    def bring(self, model: Model, people: Iterable[History]) -> None:
        for _ in people:
            pass


def store_of(root: Path, place: FolderPlace) -> ModelStore:
    source = RegistrySource(place, [Registered.public_key()], address=str(root), seen=SeenPointers(None))
    return ModelStore(source, Tried())


def version(store: ModelStore) -> str | None:
    model = store.current()
    return model.version if model else None


def test_there_are_more_than_a_hundred() -> None:
    """Each with a name of its own."""
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES) > 150


@pytest.mark.parametrize("damage", DAMAGES, ids=[damage.name for damage in DAMAGES])
def test_nothing_bad_is_loaded_and_the_last_good_one_answers(damage: Damage, tmp_path: Path) -> None:
    """Once it is mended, the next look takes it."""
    registered = Registered(tmp_path / "registry")
    store = store_of(tmp_path, FolderPlace(tmp_path / "registry"))
    good = registered.add(seed=1)
    for _ in range(2):
        registered.point(good)
    store.look()
    assert (store.problem, version(store)) == (None, good)
    damage.do(registered)
    store.look()
    assert version(store) == good
    assert store.problem is not None
    assert damage.code in (None, store.problem)
    if damage.name == "pointer: huge":  # no pointer at all: the desk says so and does not touch it
        with pytest.raises(RefusedError, match="pointer_damaged"):
            registered.point(good)
        (tmp_path / "registry" / "pointers" / "active.json").unlink()
    mended = registered.add(seed=9)
    registered.point(mended)
    store.look()
    assert (store.problem, version(store)) == (None, mended)


class ChangesWhileRead(FolderPlace):
    """A folder in which somebody exchanges a file when the manifest has just been read."""

    def __init__(self, root: Path, victim: Path) -> None:
        super().__init__(root)
        self._victim = victim

    def read(self, path: str, *, most_bytes: int) -> bytes:
        content = super().read(path, most_bytes=most_bytes)
        if path.endswith("manifest.json"):
            self._victim.write_bytes(b"{}")
        return content


@pytest.mark.parametrize("name", sorted(set(model_files()) - {"manifest.json", "manifest.sig"}))
def test_a_file_that_is_exchanged_between_the_check_and_the_use_is_refused(name: str, tmp_path: Path) -> None:
    """The bytes that were checked are the bytes that are used: nothing is read twice."""
    registered = Registered(tmp_path / "registry")
    good = registered.add(seed=1)
    victim = tmp_path / "registry" / "versions" / good / name
    registered.point(good)
    store = store_of(tmp_path, ChangesWhileRead(tmp_path / "registry", victim))
    store.look()
    if name == "user_geo.json":  # the small model's own is the same
        assert (store.problem, version(store)) == (None, good)
    else:
        assert (store.problem, version(store)) == ("hash_mismatch", None)


def test_a_file_that_is_exchanged_after_the_check_changes_nothing(tmp_path: Path) -> None:
    """A model in use is in memory."""
    registered = Registered(tmp_path / "registry")
    good = registered.add(seed=1)
    registered.point(good)
    store = store_of(tmp_path, FolderPlace(tmp_path / "registry"))
    store.look()
    model = store.current()
    shutil.rmtree(tmp_path / "registry" / "versions")
    store.look()
    assert store.current() is model
    assert store.problem is None


def test_no_pickle_is_ever_opened(tmp_path: Path) -> None:
    """Beside the arrays, in their place and signed: what it would do is not done."""
    marker = tmp_path / "marker"
    evil = EVIL % str(marker).encode()
    registered = Registered(tmp_path / "registry")
    good = registered.add(seed=1)
    (tmp_path / "registry" / "versions" / good / "model.joblib").write_bytes(evil)
    registered.point(good)
    store = store_of(tmp_path, FolderPlace(tmp_path / "registry"))
    store.look()
    assert (store.problem, version(store)) == (None, good)
    files = signed_again(model_files(seed=2), {"forest_path.npy": evil, ENCODERS: evil})
    publish(files, tmp_path / "models")
    folder = ModelStore(PublishedFolder(tmp_path / "models", [Registered.public_key()]), Tried())
    assert not folder.reload()
    assert not marker.exists()


@pytest.mark.parametrize("damage", DAMAGES[:-1:9], ids=[damage.name for damage in DAMAGES[:-1:9]])
def test_a_folder_survives_what_a_registry_does(damage: Damage, tmp_path: Path) -> None:
    """MODEL_DIR with the same files: refused, and the one before answers."""
    (tmp_path / "signing.pub").write_bytes(PUBLIC_KEY)
    store = ModelStore(PublishedFolder(tmp_path / "models", [str(tmp_path / "signing.pub")]), Tried())
    publish_model(tmp_path / "models", seed=1)
    assert store.reload()
    good = version(store)
    registered = Registered(tmp_path / "registry")
    damage.do(registered)
    [damaged] = (tmp_path / "registry" / "versions").iterdir()
    shutil.rmtree(tmp_path / "models")
    damaged.rename(tmp_path / "models")
    store.reload()
    if damage.name.startswith(("pointer", "a good version")):  # nothing is wrong with the files
        return
    assert version(store) == good
    assert store.problem is not None


ASKED = 12


@pytest.mark.anyio
async def test_a_running_scorer_answers_through_it_all(tmp_path: Path) -> None:
    """Every answer is the good model's, and /ready, open to all, says which version was refused and why."""
    registered = Registered(tmp_path / "registry")
    good = registered.add(seed=1)
    registered.point(good)
    async with running(tmp_path, with_model=False, model_registry=str(registered.root)) as service:
        for damage in DAMAGES[:: len(DAMAGES) // ASKED]:
            damage.do(registered)
            service.models.look()
            answer = await service.client.post("/score", json=EVENT)
            assert (answer.status_code, answer.json()["model_version"]) == (200, good), damage.name
            ready = (await service.client.get("/ready")).json()
            assert ready["status"] == "ready"
            assert ready["model_problem"] == service.models.problem not in (None, ""), damage.name
            assert damage.code in (None, ready["model_problem"])
            assert ready["model_detail"]
            if not damage.name.startswith("pointer"):
                assert ready["model_refused"] == registered.pointer()["model_version"] != good
            shutil.rmtree(registered.root / "versions")
            registered.add(seed=1)
            registered.point(good)
            service.models.look()
            assert (await service.client.get("/ready")).json()["model_problem"] is None
