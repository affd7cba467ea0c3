"""One command from a labelled log and a model to the whole evaluation, as a page and as JSON."""

import csv
import json
import random
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from risk_scorer.adapters.console.model_book import RegistryBook
from risk_scorer.adapters.registry_places import FolderPlace
from risk_scorer.core.features import FEATURES
from risk_scorer.core.terms import TERMS, UNUSUAL
from training.assessed import assess_table, forest_nats
from training.cli import app
from training.cli.frame import REFUSED, WRONG_INPUT
from training.lookup_files import open_lookups
from training.scoring_run import Judge, opened_model
from training.sources import read_events
from training.stream import score_table

SPLIT = "2025-07-05"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a labelled log, a model of its first two months and their evaluation."""
    folder = tmp_path_factory.mktemp("evaluation")
    assert run("simulate", "--rows", 3000, "--seed", 5, "--out", folder / "log.csv").exit_code == 0
    model = ("--model_dir", folder / "models", "--key", folder / "signing.key")
    assert run("train", "--input", folder / "log.csv", "--until", SPLIT, *model).exit_code == 0
    written = ("--report", folder / "report.html", "--json-out", folder / "facts.json")
    result = evaluate(folder, *written, "--note", 'Synthetic <b>people</b> & "attacks"')
    assert result.exit_code == 0, result.output
    return folder


def evaluate(folder: Path, *more: object, log: str = "log.csv") -> Result:
    model = ("--model_dir", folder / "models", "--public_key", folder / "signing.pub")
    return run("evaluate", "--input", folder / log, *model, *more)


@pytest.fixture(scope="module")
def told(place: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((place / "facts.json").read_text())
    return facts


def rewritten(folder: Path, name: str, change: Any) -> None:
    with (folder / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    change(rows)
    with (folder / name).open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_the_json_has_every_part_and_no_number_is_missing(told: dict[str, Any]) -> None:
    """All sections, all families, both marks, three baselines; what cannot be counted is null, never NaN."""
    assert told["format"] == "riskgate-evaluation/1"
    families = {"takeover", "session_theft", "spraying", "stuffing"}
    assert set(told["data"]["families"]) == set(told["curves"]) == families
    assert [at["rate"] for at in told["recall"]] == [0.01, 0.02, 0.05]
    assert [at["mark"] for at in told["at_marks"]] == ["step_up", "deny"]
    assert all(set(at["families"]) == families | {"macro"} for at in (*told["recall"], *told["at_marks"]))
    assert set(told["rates"]) == {"all", "cold", "thin", "warm"}
    assert [baseline["name"] for baseline in told["baselines"]] == ["global_frequency", "freeman", "asn_rarity"]
    assert told["verdict_on_scores_file"] is None
    assert told["reliability"]
    assert {0.02, 0.001} <= {at["expected"] for at in told["promised"]}


def test_counts_add_up(told: dict[str, Any]) -> None:
    """Every judged row is legitimate, an attack or neither; groups by history share out the legitimate ones."""
    data = told["data"]
    attacks = sum(family["rows"] for family in data["families"].values())
    assert data["legitimate"] + data["neither"] + attacks == data["judged_rows"]
    groups = [told["rates"][group]["step_up"]["among"] for group in ("cold", "thin", "warm")]
    assert sum(groups) == told["rates"]["all"]["step_up"]["among"] == data["legitimate"]
    assert sum(told["histograms"]["counts"]["legitimate"]) == data["legitimate"]
    assert told["ablation"]["rows"] == data["legitimate"] + attacks


def test_only_what_follows_the_training_is_judged(told: dict[str, Any]) -> None:
    """The span begins where the model's ends."""
    assert told["data"]["judged_from"] == told["model"]["trained_until"] < "2025-07-05"
    assert told["data"]["judged_rows"] < told["data"]["rows"] / 2
    assert not any("within the model" in note for note in told["data"]["notes"])


def test_every_feature_level_and_rule_is_measured_or_absent_with_a_reason(told: dict[str, Any]) -> None:
    """Nothing that the model could use is left out of the table."""
    entries = told["ablation"]["entries"]
    assert {entry["name"] for entry in entries if entry["kind"] == "feature"} == set(FEATURES)
    assert {entry["name"] for entry in entries if entry["kind"] != "feature"} == set(TERMS)
    for entry in entries:
        assert (entry["status"] == "absent") == bool(entry["reason"])
        assert (entry["status"] == "measured") == (entry["moved"] is not None)
    assert any(entry["moved"] for entry in entries)
    assert any(entry["moves_nothing"] for entry in entries)


@pytest.mark.long
def test_a_column_that_training_went_without_is_declared_absent(place: Path, tmp_path: Path) -> None:
    """Its features and levels are told with the reason, not measured as worth nothing."""
    model = ("--model_dir", tmp_path / "models", "--key", tmp_path / "signing.key")
    log = place / "log.csv"
    assert run("train", "--input", log, "--until", SPLIT, "--without", "device_id", *model).exit_code == 0
    model = ("--model_dir", tmp_path / "models", "--public_key", tmp_path / "signing.pub")
    entries = json.loads(run("evaluate", "--input", log, *model, "--json").stdout)["ablation"]["entries"]
    absent = {(entry["name"], entry["kind"]): entry["reason"] for entry in entries if entry["status"] == "absent"}
    assert absent[("device_rarity", "feature")] == absent[("device", "level")] == "left out on request"


class Page(HTMLParser):
    """What a browser would load and run, and the words that people read."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "action", "style")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_needs_nobody(place: Path) -> None:
    """No script, no address, no style of an element; its policy allows its own style sheet alone."""
    text = (place / "report.html").read_text()
    page = Page(text)
    assert page.tags.count("script") == page.tags.count("link") == page.tags.count("img") == 0
    assert page.addresses == []
    assert set(re.findall(r"https?://[^\"'<> ]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "default-src 'none'; style-src 'sha256-" in text


def test_the_page_says_what_it_is_about(place: Path, told: dict[str, Any]) -> None:
    """The model's version, that the data is synthetic, each family, each baseline, each part and each verdict."""
    words = Page((place / "report.html").read_text()).words
    assert told["model"]["version"] in words
    assert "Synthetic data." in words
    expected = [*told["curves"], *(baseline["title"] for baseline in told["baselines"]), *told["verdict"], *TERMS]
    assert [word for word in expected if word not in words] == []


def test_what_comes_from_outside_is_text_on_the_page(place: Path, tmp_path: Path) -> None:
    """A note and a label with markup are shown as they were written."""
    assert 'Synthetic <b>people</b> & "attacks"' in Page((place / "report.html").read_text()).words
    name = "<img src=x onerror=alert(1)>"

    def relabel(rows: list[dict[str, str]]) -> None:
        for row in rows:
            row["label"] = name if row["label"] == "stuffing" else row["label"]

    rewritten(place, "hostile.csv", relabel)
    assert evaluate(place, "--report", tmp_path / "report.html", log="hostile.csv").exit_code == 0
    page = Page((tmp_path / "report.html").read_text())
    assert "img" not in page.tags
    assert page.words.count(name) > 5


def test_the_same_input_gives_the_same_page_and_numbers(place: Path, tmp_path: Path) -> None:
    """To the byte, resampling included."""
    note = ("--note", 'Synthetic <b>people</b> & "attacks"')
    assert evaluate(place, "--report", tmp_path / "r.html", "--json-out", tmp_path / "f.json", *note).exit_code == 0
    assert (tmp_path / "f.json").read_bytes() == (place / "facts.json").read_bytes()
    assert (tmp_path / "r.html").read_bytes() == (place / "report.html").read_bytes()


def test_labels_change_no_score(place: Path, told: dict[str, Any]) -> None:
    """With labels dealt out anew among the successful rows, the scores of all of them together stay what they were."""

    def shuffle(rows: list[dict[str, str]]) -> None:
        judged = [row for row in rows if row["success"] == "true"]
        labels = [row["label"] for row in judged]
        random.Random(3).shuffle(labels)
        for row, label in zip(judged, labels, strict=True):
            row["label"] = label

    rewritten(place, "shuffled.csv", shuffle)
    result = evaluate(place, "--json", log="shuffled.csv")
    assert result.exit_code == 0, result.output
    shuffled = json.loads(result.stdout)
    assert shuffled["histograms"]["counts"]["legitimate"] != told["histograms"]["counts"]["legitimate"]

    def everybody(facts: dict[str, Any]) -> list[int]:
        return np.sum(list(facts["histograms"]["counts"].values()), axis=0).tolist()

    assert everybody(shuffled) == everybody(told)


def test_rows_are_assessed_with_the_scores_of_the_stream(place: Path) -> None:
    """To the bit; and the forest's nats computed alone are its column of the evidence."""
    model = opened_model(Judge(place / "models", place / "signing.pub"))
    table, lookups = read_events(place / "log.csv"), open_lookups()
    streamed = score_table(model, table, lookups)
    rows = 0
    for start, stop, scored in assess_table(model, table, lookups):
        np.testing.assert_array_equal(scored.score, streamed[start:stop])
        nats = forest_nats(model, scored.features)
        np.testing.assert_allclose(nats, scored.weighed.evidence[:, TERMS.index(UNUSUAL)], atol=1e-9)
        rows += stop - start
    assert rows == len(table)


def test_a_file_of_scores_is_judged_alone_and_beside_the_model(place: Path, tmp_path: Path) -> None:
    """The model's own scores get the model's own verdict, which is also what the page's section says."""
    scores = tmp_path / "scores.parquet"
    model = ("--model_dir", place / "models", "--public_key", place / "signing.pub")
    assert run("score", "--input", place / "log.csv", "--output", scores, *model).exit_code == 0
    alone = run("evaluate", "--input", place / "log.csv", "--scores", scores, "--from", "2025-07-05")
    both = evaluate(place, "--scores", scores, "--from", "2025-07-05", "--json")
    assert alone.exit_code == both.exit_code == 0
    facts = json.loads(both.stdout)
    assert alone.stdout.splitlines() == facts["verdict"] == facts["verdict_on_scores_file"]


def test_without_a_report_only_the_verdict_is_told(place: Path, told: dict[str, Any]) -> None:
    """The same lines as in the whole evaluation, in a fraction of its time."""
    assert evaluate(place).stdout.splitlines() == told["verdict"]


def test_a_span_that_was_learned_from_is_said_to_be(place: Path) -> None:
    """Whoever asks for it gets it, with a warning among the notes."""
    result = evaluate(place, "--from", "2025-06-01", "--json")
    assert result.exit_code == 0
    assert any("within the model's training span" in note for note in json.loads(result.stdout)["data"]["notes"])


def test_a_log_of_later_logins_alone_is_judged_without_baselines(place: Path) -> None:
    """They learn from what comes before the judged span; the model brings along what it knows."""
    rewritten(
        place,
        "later.csv",
        lambda rows: rows.__setitem__(slice(None), [row for row in rows if row["timestamp"] > SPLIT]),
    )
    result = evaluate(place, "--json", "--report", place / "later.html", log="later.csv")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["baselines"] == []
    assert any("the baselines" in note for note in told["data"]["notes"])
    assert "this log has none" in (place / "later.html").read_text()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--from", "soon"], "bad_date"),
        (["--from", "2031-01-01"], "nothing_to_judge"),
        (["--scores", "none.parquet", "--json"], "no_such_file"),
        (["--scores", "log.csv", "--json"], "not_parquet"),
        (["--report", "."], "unwritable_output"),
        (["--report", "report.html", "--note", "\udcff"], "bad_text"),
        (["--report", "log.csv"], "output_is_input"),
        (["--json-out", "models"], "unwritable_output"),
        (["--report", "one", "--json-out", "one"], "unwritable_output"),
        (["--report", "log.csv/report.html"], "unwritable_output"),
        (["--labels", "log.csv"], "usage"),
    ],
)
def test_what_cannot_be_meant_is_declined_in_one_line(
    place: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], code: str
) -> None:
    """With status 2 and a stable code."""
    monkeypatch.chdir(place)
    result = evaluate(place, *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error {code}: ")
    assert len(result.stderr.splitlines()) == 1


def test_scores_of_another_log_are_declined(place: Path, tmp_path: Path) -> None:
    """One finite score for each row of the file."""
    scores = tmp_path / "scores.parquet"
    model = ("--model_dir", place / "models", "--public_key", place / "signing.pub")
    short = tmp_path / "short.csv"
    short.write_text("".join((place / "log.csv").read_text().splitlines(keepends=True)[:900]))
    assert run("score", "--input", short, "--output", scores, *model).exit_code == 0
    result = run("evaluate", "--input", place / "log.csv", "--scores", scores)
    assert result.stderr.startswith("error scores_do_not_fit: ")


def test_a_log_without_labels_is_declined(place: Path) -> None:
    """Nothing is judged, and nothing is written."""
    text = (place / "log.csv").read_text().replace(",label\n", ",remark\n", 1)
    (place / "unlabelled.csv").write_text(text)
    result = evaluate(place, "--report", place / "none.html", log="unlabelled.csv")
    assert (result.exit_code, result.stderr.split(":")[0]) == (2, "error no_labels")
    assert not (place / "none.html").exists()


def test_an_evaluation_is_kept_with_its_version(place: Path, told: dict[str, Any]) -> None:
    """Signed, as the console reads it; nothing of a version that nobody registered, or that is no evaluation."""
    registry, signs = place / "registry", ("--key", place / "signing.key")
    kept = ("keep-evaluation", "--registry", registry, *signs, "--input")
    assert run(*kept, place / "facts.json").exit_code == REFUSED
    assert run("register", "--model_dir", place / "models", "--registry", registry, *signs).exit_code == 0
    assert run(*kept, place / "facts.json").exit_code == 0, "the first"
    result = run(*kept, place / "facts.json", "--by", "ann", "--json")
    assert json.loads(result.stdout) == {"model_version": told["model"]["version"]}
    book = RegistryBook(FolderPlace(registry), [str(place / "signing.pub")])
    report = book.report(told["model"]["version"])
    assert (report.evaluated_by, report.evaluation_problem) == ("ann", "")
    assert report.evaluation is not None
    drawn = {name: each.roc.area for name, each in report.evaluation.curves.items()}
    assert drawn == {name: each["roc"]["area"] for name, each in told["curves"].items()}
    assert [each.name for each in report.evaluation.ablation.entries] == [
        each["name"] for each in told["ablation"]["entries"]
    ]
    for content, status in (("{}", REFUSED), ("{", WRONG_INPUT)):
        (place / "other.json").write_text(content)
        assert run(*kept, place / "other.json").exit_code == status
    assert run(*kept, place / "nowhere.json").exit_code == WRONG_INPUT
