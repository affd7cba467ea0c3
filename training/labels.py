"""The confirmed compromises of a file of labels, for whoever asks which logins were attacks and nothing more.

Whose word they are, what they weigh and how they teach is `training.labelling`'s.
"""

from __future__ import annotations

from pathlib import Path

from training.labelling.label_file import Login, read_label_file
from training.labelling.matching import without_compromised
from training.labelling.standing import standing

__all__ = ["Login", "read_labels", "without_compromised"]


def read_labels(path: Path | str, *, until: float | None = None) -> frozenset[Login]:
    """The logins that were confirmed as compromised, as it was known before `until` (epoch seconds), or now.

    Raises WrongInputError with a stable code: `no_such_file`, `unreadable_file`, `bad_labels` with the line's number.
    """
    found = standing(read_label_file(path).words, until)
    return frozenset(label.login for label in found.labels if label.is_compromised)
