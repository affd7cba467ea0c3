"""The one place where training reads the environment: what Spark itself takes from there and we have to know."""

import os


def spark_remote() -> str | None:
    """The Spark Connect server that SPARK_REMOTE names."""
    try:
        return os.environ["SPARK_REMOTE"] or None
    except KeyError:
        return None
