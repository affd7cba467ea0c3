"""From a log to a published model: complete, repeatable, sound, and refused where it would not decide."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from risk_scorer.core import manifest as declaration
from risk_scorer.core.artefact import histories, load
from risk_scorer.core.card import decode as decode_card
from risk_scorer.core.features import FEATURES
from risk_scorer.core.history import decode
from tests.unit.training.logs import LOOKUPS, START, log, without
from training.checks import DeadFeature
from training.fit import TrainReport, before, train
from training.lineage import data_sha256
from training.lookups import Lookups
from training.marked import Budgets
from training.publish import public_bytes, signing_key
from training.refusals import TrainingRefusedError
from training.sources import EventTable
from training.stream import score_table

TABLE = log(4000)
EVERY_FILE = {
    "model.joblib", "card.json", "encoders.json", "user_geo.json", "histories.msgpack", "manifest.json", "manifest.sig",
    "forest_feature.npy", "forest_threshold.npy", "forest_child.npy", "forest_path.npy", "forest_root.npy",
    "pairs_feature.npy", "pairs_threshold.npy", "pairs_child.npy", "pairs_value.npy", "pairs_part.npy",
    "pairs_root.npy", "reference.json",
}  # fmt: skip


def trained(table: EventTable, folder: Path, *, lookups: Lookups = LOOKUPS, seed: int = 7) -> TrainReport:
    return train(table, model_dir=folder / "models", key_path=folder / "keys" / "k.key", seed=seed, lookups=lookups)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "models").iterdir()}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of `TABLE`."""
    folder = tmp_path_factory.mktemp("fit")
    trained(TABLE, folder)
    return folder


def test_a_published_model_is_complete_and_loads(place: Path) -> None:
    """Every promised file, signed; everything the log knew is in it."""
    found = files(place)
    model = load(found, [public_bytes(signing_key(place / "keys" / "k.key"))])
    assert set(found) == EVERY_FILE
    assert model.features == tuple(
        name for name in FEATURES if name != "ja4_contradicts_browser" and name != "ja4_valid"
    )
    assert model.absent["ja4_valid"] == "the same in every login of this log"
    assert (model.manifest.span.first, model.manifest.rows.used) == (TABLE.timestamp[0], 4000)
    learned = {user: decode(stored) for user, stored in histories(found["histories.msgpack"])}
    assert sum(past.logins for past in learned.values()) == TABLE.success.sum() == model.encoders.total
    assert set(msgspec.json.decode(found["user_geo.json"])) == set(learned)


def test_the_card_tells_what_the_held_out_logins_say(place: Path) -> None:
    """Its false positives are the marks' own, its strangers the manifest's, and groups add up to everybody."""
    found = files(place)
    manifest, card = declaration.decode(found["manifest.json"]), decode_card(found["card.json"])
    for name, mark in manifest.marks.items():
        told = card.at(name)
        assert told is not None
        assert (told.rate.count, told.rate.of, told.upper) == (mark.prompted, mark.logins, mark.bound)
        assert told.rate.low <= told.rate.value <= told.rate.high
    assert {kind: each.value for kind, each in card.strangers.items() if kind != "all"} == manifest.simulated
    step_up = manifest.marks["step_up"]
    for groups in card.groups.values():
        assert sum(each.of for each in groups.values()) == step_up.logins
        assert sum(each.count for each in groups.values()) == step_up.prompted
    assert set(card.groups) == {"past", "country", "device_type", "browser"}
    assert set(card.groups["country"]) == {"NO", "US", "DE", "SE"}
    assert (card.lineage.rows, card.lineage.seed) == (4000, 7)
    assert card.lineage.data_sha256 == data_sha256(TABLE)


def test_the_same_log_and_seed_give_the_same_bytes_and_another_seed_another_model(place: Path, tmp_path: Path) -> None:
    """No time, no chance, no order of a set gets into a model."""
    key = place / "keys" / "k.key"
    again = train(TABLE, model_dir=tmp_path / "models", key_path=key, seed=7, lookups=LOOKUPS)
    assert files(tmp_path) == files(place)
    other = train(TABLE, model_dir=tmp_path / "models", key_path=key, seed=8, lookups=LOOKUPS)
    assert other.model_version != again.model_version


def test_held_out_logins_are_prompted_within_the_budget(place: Path) -> None:
    """The last fifth of the successful logins, scored as the stream came to them, keeps both marks' promises."""
    model = load(files(place), [public_bytes(signing_key(place / "keys" / "k.key"))])
    marks = model.manifest.marks
    assert marks["step_up"].logins == TABLE.success[3200:].sum()
    assert marks["step_up"].bound <= 0.02
    assert not marks["step_up"].is_extrapolated
    assert marks["deny"].is_extrapolated
    assert any("too few" in note for note in model.manifest.notes)
    scores = score_table(model, TABLE, LOOKUPS)[3200:][TABLE.success[3200:]]
    assert (scores >= 60.0).mean() <= 0.03


@pytest.mark.long
def test_a_log_without_devices_fingerprints_and_places_still_makes_a_model(tmp_path: Path) -> None:
    """As in the RBA data set: what is missing is declared absent, the rest decides."""
    bare = replace(
        without(TABLE, "device_id", "ja4", "ja4h", "ja4s"),
        ip_rep=np.full(len(TABLE), np.nan),
        present=TABLE.present - {"device_id", "ja4", "ja4h", "ja4s", "ip_rep"},
    )
    report = trained(bare, tmp_path, lookups=Lookups())
    assert {"device_id", "ja4", "ja4h", "ja4s", "ip_rep", "ip_facts"} <= set(report.manifest.absent)
    assert not any(name.startswith(("device", "ja4", "geo", "ip_rep")) for name in report.manifest.features)
    assert report.worst_case >= 80.0


@pytest.mark.parametrize(
    ("feature", "column"), [("success", "success"), ("device_rarity", "device_id"), ("ja4h_rarity", "ja4h")]
)
def test_a_declared_feature_that_never_varies_fails_the_training(feature: str, column: str, tmp_path: Path) -> None:
    """It is named, with what to do; nothing is published."""
    constant = np.ones(len(TABLE), bool) if column == "success" else np.full(len(TABLE), "one", dtype=object)
    with pytest.raises(DeadFeature) as refused:
        trained(replace(TABLE, **{column: constant}), tmp_path)
    assert refused.value.feature == feature
    assert f"--without {column}" in refused.value.message
    assert not (tmp_path / "models").exists()


@pytest.mark.long
def test_a_dead_column_can_be_declared_absent(tmp_path: Path) -> None:
    """The way out that the message names works."""
    table = replace(TABLE, success=np.ones(len(TABLE), bool))
    report = train(
        table,
        model_dir=tmp_path / "models",
        key_path=tmp_path / "k.key",
        seed=7,
        lookups=LOOKUPS,
        without=frozenset({"success"}),
    )
    assert "success" not in report.manifest.features


def test_a_log_that_is_too_short_is_refused_and_the_old_model_stays(place: Path) -> None:
    """A refused training touches nothing."""
    held = files(place)
    with pytest.raises(TrainingRefusedError) as refused:
        trained(log(150), place)
    assert refused.value.code == "too_few_logins"
    assert files(place) == held


def test_rows_from_until_on_are_not_seen(tmp_path: Path) -> None:
    """Training with a date equals training on the log cut there."""
    moment = START + 40 * 86_400.0
    report = train(
        TABLE, model_dir=tmp_path / "one", key_path=tmp_path / "k.key", seed=7, lookups=LOOKUPS, until=moment
    )
    cut = before(TABLE, moment)
    assert cut.timestamp[-1] < moment
    assert len(cut) == report.manifest.rows.used < len(TABLE)
    again = train(cut, model_dir=tmp_path / "two", key_path=tmp_path / "k.key", seed=7, lookups=LOOKUPS)
    assert again.model_version == report.model_version


@pytest.mark.long
def test_a_budget_is_configurable(tmp_path: Path) -> None:
    """A larger budget prompts more and says so."""
    report = train(
        TABLE,
        model_dir=tmp_path / "models",
        key_path=tmp_path / "k.key",
        seed=7,
        lookups=LOOKUPS,
        budgets=Budgets(step_up=0.1, deny=0.02),
    )
    step_up, deny = report.manifest.marks["step_up"], report.manifest.marks["deny"]
    assert 0.02 < step_up.bound <= 0.1
    assert (deny.budget, deny.is_extrapolated) == (0.02, False)
    assert deny.bound <= 0.02
