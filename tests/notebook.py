"""The tutorial as a notebook: docs/model-tutorial.md is the source, examples/model_life.ipynb is what comes of it.

A fence that begins with ```sh is a cell; everything else is text.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "docs" / "model-tutorial.md"
NOTEBOOK = ROOT / "examples" / "model_life.ipynb"
FENCE = re.compile(r"^```sh\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


def notebook(markdown: str) -> str:
    """The notebook, in Jupyter's format 4.5, without outputs; the same text gives the same bytes."""
    document = {
        "cells": [_cell(number, kind, text) for number, (kind, text) in enumerate(parts(markdown))],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def parts(markdown: str) -> list[tuple[str, str]]:
    """("code" or "markdown", text) in order; a code's text is what stands within the fence."""
    pieces = FENCE.split(markdown)
    kinds = [("code" if place % 2 else "markdown", piece.strip("\n")) for place, piece in enumerate(pieces)]
    return [(kind, text) for kind, text in kinds if text]


def _cell(number: int, kind: str, text: str) -> dict[str, Any]:
    if kind == "markdown":
        text = re.sub(r"\]\((?!https?:|#)(?:\.\./)?([^)]*)\)", _from_examples, text)
    else:
        text = f"%%bash\nset -e\n{text}"
    cell: dict[str, Any] = {"cell_type": kind, "id": hashlib.sha256(f"{number} {text}".encode()).hexdigest()[:8]}
    if kind == "code":
        cell["execution_count"] = None
    cell["metadata"] = {}
    if kind == "code":
        cell["outputs"] = []
    return cell | {"source": text.splitlines(keepends=True)}


def _from_examples(link: re.Match[str]) -> str:
    """A link beside the tutorial, as it goes from the notebook's folder."""
    return f"](../{link[1]})" if link[0].startswith("](../") else f"](../docs/{link[1]})"


if __name__ == "__main__":
    NOTEBOOK.write_text(notebook(SOURCE.read_text(encoding="utf-8")), encoding="utf-8")
