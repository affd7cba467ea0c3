"""What a log's own file says about where it comes from, so that a report can repeat it."""

from collections.abc import Sequence
from pathlib import Path

from pyarrow import ArrowInvalid, parquet

NOTE_KEYS = ("note", "notes", "description", "provenance", "synthetic")
LONGEST_NOTE = 500


def notes_in(path: Path) -> list[str]:
    """Notes among a Parquet file's metadata, those of the first one for a folder; nothing for other files."""
    if path.is_dir():
        path = min(path.rglob("*.parquet"), default=path)
    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (OSError, ArrowInvalid):
        return []
    texts = {
        key.decode("utf-8", "replace").casefold(): value.decode("utf-8", "replace") for key, value in metadata.items()
    }
    return [f"{key}: {texts[key]}"[:LONGEST_NOTE] for key in NOTE_KEYS if texts.get(key)]


def is_synthetic(notes: Sequence[str]) -> bool:
    """Whether any note calls the data synthetic or simulated."""
    return any(word in note.casefold() for note in notes for word in ("synthetic", "simulated"))
