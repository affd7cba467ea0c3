"""An Ibis expression in Spark's words. It needs nothing of Spark's, so that every expression is tried without it."""

from typing import Any

import ibis
from ibis.config import Config


class _Options(Config):  # type: ignore[misc] # it has no types
    """What Ibis's compiler asks about; its own answers come with its Spark backend, which goes through pandas."""

    treat_nan_as_null: bool = False


def spark_sql(expression: Any) -> str:
    """The statement that gives on Spark what the expression means."""
    if ibis.options.pyspark is None:
        ibis.options.pyspark = _Options()
    return str(ibis.to_sql(expression, dialect="pyspark", pretty=False))
