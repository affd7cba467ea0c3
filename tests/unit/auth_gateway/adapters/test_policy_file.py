"""The policy document's file, edited while it is read."""

import os
from pathlib import Path

import pytest

from auth_gateway.adapters.policy_file import PolicyFile, read_document
from auth_gateway.core.policy import Policy
from auth_gateway.core.policy_document import LARGEST_DOCUMENT, BadDocument
from auth_gateway.core.policy_rule import PolicyDocument

DENY = "[[rule]]\nname = 'a'\nwhen.client = 'web'\nthen = 'deny'\n"
TWO = DENY + "[[rule]]\nname = 'b'\nthen = 'deny'\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(DENY)
    return path


def looks(file: PolicyFile, times: int = 2) -> list[PolicyDocument]:
    return [found for _ in range(times) if (found := file.look()) is not None]


def names(file: PolicyFile) -> list[str]:
    return [rule.name for rule in file.current().rules]


def test_a_new_document_counts_once_it_has_stayed_the_same(path: Path) -> None:
    """At the second look, and it is told once; half of a file that is being written never counts."""
    file = PolicyFile(path, Policy())
    assert looks(file) == []
    path.write_text("")
    assert (looks(file, 1), names(file)) == ([], ["a"])
    path.write_text(TWO)
    assert (looks(file, 1), names(file)) == ([], ["a"])
    assert [document.digest for document in looks(file, 3)] == [file.current().digest]
    assert names(file) == ["a", "b"]


@pytest.mark.parametrize(
    "bad", ["[[rule]]\nname = 1", "\xff", "[[rule]]\nname='x'\nthen='allow'", "", "gone", "folder", "pipe"]
)
def test_a_bad_edit_keeps_the_last_good_one(path: Path, bad: str) -> None:
    """It is counted once, however often it is seen, and over when the file is good again."""
    file = PolicyFile(path, Policy())
    path.unlink()
    if bad == "folder":
        path.mkdir()
    elif bad == "pipe":
        os.mkfifo(path)
    elif bad != "gone":
        path.write_text(bad, encoding="latin-1")
    assert (looks(file, 4), names(file), file.refused) == ([], ["a"], 1)
    assert file.problem
    other = path.with_name("other")
    other.write_text(DENY)
    if bad == "folder":
        path.rmdir()
    other.replace(path)
    assert (looks(file), file.problem, file.refused) == ([], None, 1)


def test_at_the_start_there_is_no_last_good_one(path: Path) -> None:
    """A wrong document is refused with its line, and so is none."""
    path.write_text("\n[[rule]]\nname = 1\nthen = 'deny'")
    with pytest.raises(BadDocument) as refused:
        PolicyFile(path, Policy())
    assert refused.value.problems[0].line == 3
    path.unlink()
    with pytest.raises(OSError, match="No such file"):
        PolicyFile(path, Policy())


def test_an_endless_file_is_not_read_to_its_end(path: Path) -> None:
    """One byte more than may be is enough to refuse it."""
    path.write_bytes(b"#" * (LARGEST_DOCUMENT + 1000))
    assert len(read_document(path)) == LARGEST_DOCUMENT + 1
    with pytest.raises(BadDocument, match="larger"):
        PolicyFile(path, Policy())
