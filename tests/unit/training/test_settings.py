"""What training tells Java by the environment is there for Java's start alone."""

import os

import pytest

from training.settings import mortal_java


@pytest.mark.parametrize("before", [None, "-Duser.language=en"])
def test_a_java_ends_when_its_memory_is_full(before: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked of Java before is asked still, and afterwards alone."""
    monkeypatch.delenv("JDK_JAVA_OPTIONS", raising=False)
    if before is not None:
        monkeypatch.setenv("JDK_JAVA_OPTIONS", before)
    with mortal_java():
        asked = os.environ["JDK_JAVA_OPTIONS"].split()
    assert asked == [*([before] if before else []), "-XX:+ExitOnOutOfMemoryError"]
    assert os.environ.get("JDK_JAVA_OPTIONS") == before
