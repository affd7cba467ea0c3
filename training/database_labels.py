"""What people found out about the logins of an event log, when no file of labels is given: its database knows.

Without it a confirmed compromise would be learned as the person's own.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from plumbing.database import Transaction
from risk_scorer.adapters.label_file import PAGE_ROWS, label_page
from risk_scorer.adapters.tables import verdict_words, verdicts
from training.read_only import is_database, opened


@contextlib.contextmanager
def labels_for(sources: Sequence[str], given: Path | None) -> Iterator[Path | None]:
    """The file of labels to train with: the given one, or what the databases among `sources` hold; None without any.

    A file that is made here is readable by us alone and gone when the block ends. Raises as `read_only.opened`.
    """
    databases = [source for source in dict.fromkeys(sources) if is_database(source)]
    if given is not None or not databases:
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="riskgate-labels-") as place:
        file = Path(place, "labels.jsonl")
        yield file if sum([_write(url, file) for url in databases]) else None


def _write(url: str, file: Path) -> int:
    """Add the labels of that database to the file; how many."""
    count = 0
    with file.open("ab") as lines:
        for line in lines_of(url):
            lines.write(line)
            count += 1
    return count


def lines_of(url: str) -> Iterator[bytes]:
    """The labels of that database, each a line, a page at a time. Raises as `read_only.opened`."""
    after_id: str | None = ""
    with opened(url, needed=(verdicts, verdict_words)) as reading:
        while after_id is not None:  # of a transaction only `all` is needed, and reading has it
            page = label_page(cast(Transaction, reading), after_id=after_id, rows=PAGE_ROWS)
            yield from (bytes(label) + b"\n" for label in page.labels)
            after_id = page.next
