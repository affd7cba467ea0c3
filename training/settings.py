"""The one place where training touches the environment: what Spark takes from there and we have to know, or to say."""

import contextlib
import os
from collections.abc import Iterator


def spark_remote() -> str | None:
    """The Spark Connect server that SPARK_REMOTE names."""
    try:
        return os.environ["SPARK_REMOTE"] or None
    except KeyError:
        return None


@contextlib.contextmanager
def mortal_java() -> Iterator[None]:
    """A Java that is started meanwhile ends when its memory is full; else Spark loses a thread and waits for ever."""
    name = "JDK_JAVA_OPTIONS"
    before = {name: os.environ[name]} if name in os.environ else {}
    os.environ[name] = " ".join([*before.values(), "-XX:+ExitOnOutOfMemoryError"])
    try:
        yield
    finally:
        del os.environ[name]
        os.environ.update(before)
