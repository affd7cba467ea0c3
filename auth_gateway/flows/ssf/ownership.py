"""A stream is its receiver's own: for everybody else there is none of that id."""

from auth_gateway.core.ssf.stream import Stream
from auth_gateway.flows.ports import Streams
from plumbing.refusals import Refused
from plumbing.statements import Transaction


def owned(streams: Streams, tx: Transaction, client_id: str, stream_id: str) -> Stream:
    """The stream.

    Raises: Refused `unknown_stream` (404).
    """
    return _known(streams.find(tx, stream_id), client_id)


def held(streams: Streams, tx: Transaction, client_id: str, stream_id: str) -> Stream:
    """The stream, which nobody else changes until the transaction ends.

    Raises: as `owned`.
    """
    return _known(streams.hold(tx, stream_id), client_id)


def _known(stream: Stream | None, client_id: str) -> Stream:
    if stream is None or stream.client_id != client_id:
        raise Refused("unknown_stream", "There is no stream of this id.", status=404)
    return stream
