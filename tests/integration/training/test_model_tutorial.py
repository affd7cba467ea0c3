"""The tutorial's commands run as they stand, and the notebook is what the tutorial makes of it.

They are run by a few lines here and not by Jupyter, whose kernel would be 25 more packages: the cells hold nothing but
our own commands, which need no kernel. The commands run in this process, so that no cell pays for a start.
"""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from risk_scorer.adapters.model_registry import ModelRegistry
from risk_scorer.adapters.model_store import public_keys
from risk_scorer.adapters.storage import open_database
from tests.commands import assert_declined, run
from tests.notebook import NOTEBOOK, ROOT, SOURCE, notebook, parts

REFUSED_ON_PURPOSE = ' || echo "status $?"'


def cells() -> list[dict[str, Any]]:
    """The committed notebook's cells."""
    found: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return found


def test_the_notebook_is_what_the_tutorial_makes_of_it() -> None:
    """Nobody edits it by hand: scripts/notebook writes it."""
    assert NOTEBOOK.read_text(encoding="utf-8") == notebook(SOURCE.read_text(encoding="utf-8"))


def test_the_notebook_has_the_shape_that_jupyter_asks_for() -> None:
    """Format 4.5: ids of their own, and code without outputs."""
    document = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (document["nbformat"], document["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in cells()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", name) for name in ids)
    for cell in cells():
        wanted = {"cell_type", "id", "metadata", "source"}
        is_code = cell["cell_type"] == "code"
        assert set(cell) == wanted | ({"execution_count", "outputs"} if is_code else set())
        assert not is_code or (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_notebooks_links_lead_somewhere() -> None:
    """From the notebook's own folder, not from the tutorial's."""
    text = "".join("".join(cell["source"]) for cell in cells() if cell["cell_type"] == "markdown")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert len(links) > 3
    assert [link for link in links if not (NOTEBOOK.parent / link).exists()] == []


def test_the_tutorial_goes_from_a_log_to_a_promoted_model_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of the notebook does what the text around it says, on the small sample that it makes itself."""
    monkeypatch.chdir(tmp_path)
    refused = 0
    for cell in (cell for cell in cells() if cell["cell_type"] == "code"):
        magic, strict, *lines = "".join(cell["source"]).splitlines()
        assert (magic, strict) == ("%%bash", "set -e")
        for line in lines:
            program, *arguments = shlex.split(line.removesuffix(REFUSED_ON_PURPOSE))
            assert program == "risk-training"
            result = run(*arguments)
            is_refusal = line.endswith(REFUSED_ON_PURPOSE)
            assert result.exit_code == (3 if is_refusal else 0), (line, result.output)
            refused += is_refusal
    assert refused == 1
    registry = ModelRegistry.at("var/rba/registry", public_keys(["var/rba/signing.pub"]))
    told = [(entry.kind, bool(entry.overridden)) for entry in registry.journal()]
    assert told == [
        ("register", False), ("refusal", False), ("promote", True), ("register", False), ("shadow", False),
        ("promote", True), ("shadow", False), ("rollback", False),
    ]  # fmt: skip
    for report in ("evaluation", "drift"):
        assert "</html>" in Path(f"var/rba/{report}.html").read_text(encoding="utf-8")


def test_what_needs_a_scorer_is_right_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands that a notebook cannot run: the first on a scorer's database, the others as far as their options."""
    lines = re.findall(r"^\$ risk-training (.*)$", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [line.split()[0] for line in lines] == ["export-labels", "train"]
    monkeypatch.chdir(tmp_path)
    for folder in ("scorer", "rba"):
        (tmp_path / "var" / folder).mkdir(parents=True)
    open_database("sqlite:///var/scorer/scorer.db").close()
    exported = run(*shlex.split(lines[0]))
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "var" / "rba" / "labels.jsonl").read_bytes() == b""
    assert_declined(run(*shlex.split(lines[1])), "no_such_file")


def test_the_tutorials_text_is_the_notebooks(root: Path) -> None:
    """What is not a command is text, in the same order."""
    kinds = [kind for kind, _ in parts(SOURCE.read_text(encoding="utf-8"))]
    assert kinds == [cell["cell_type"] for cell in cells()]
    assert root == ROOT
