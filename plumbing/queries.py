"""What stands after the question mark of an address, as every reader of it would read it."""

from collections import Counter

from starlette.datastructures import QueryParams
from starlette.requests import Request

from plumbing.refusals import Refused


def each_once(request: Request) -> QueryParams:
    """The query, in which no name stands twice: of two values one would be passed over, and nobody told.

    Raises: Refused `invalid_request` (422).
    """
    query = request.query_params
    counts = Counter(name for name, _ in query.multi_items())
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        field = f"query.{twice}" if len(twice) <= 64 and twice.isascii() and twice.isprintable() else "query"
        raise Refused("invalid_request", "A parameter stands there twice.", status=422, evidence={"field": field})
    return query
