"""A stream whose events are pushed, as a receiver of the outbox.

Source: RFC 8935, section 2; OpenID Shared Signals Framework 1.0, section 6.1.1.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import msgspec

from auth_gateway.core.ssf.security_event import MEDIA_TYPE
from auth_gateway.core.ssf.set_error import FINAL_ERRORS, SENDER_ERRORS, error_code
from auth_gateway.core.ssf.stream import PUSH, Stream, authorization_purpose
from auth_gateway.flows.ports import Sealer, SetCodec, Streams
from plumbing.database import Database
from plumbing.statements import Transaction
from webhooks.endpoint import Endpoint, Withdrawn
from webhooks.targets import TargetRefused
from webhooks.transport import Attempt

CONCURRENCY: Final = 4
REMEDY: Final = "the receiver of a stream refuses its authorization_header: it is for the receiver to set another one"


class _Said(msgspec.Struct, frozen=True):
    err: str = ""


class PushReceivers:
    """Finds them by the name that their events wait under."""

    def __init__(
        self, *, database: Database, streams: Streams, vault: Sealer, sets: SetCodec, allow_private: bool
    ) -> None:
        self._database = database
        self._streams = streams
        self._vault = vault
        self._sets = sets
        self._allow_private = allow_private

    def __call__(self, stream_id: str) -> Endpoint | None:
        """How to send there; None while the stream is polled or does not go.

        Raises: TargetRefused when it was removed, or when its address is none that we send to.
        """
        stream = self._database.read(lambda tx: self._streams.find(tx, stream_id))
        if stream is None:
            raise TargetRefused("removed")
        if stream.method != PUSH or stream.status != "enabled":
            return None

        def headers(_message_id: str, _timestamp: int, _body: bytes) -> Mapping[str, str]:
            return self._headers(stream)

        return Endpoint(
            name=stream_id,
            url=stream.endpoint_url,
            signer=headers,
            allow_private=self._allow_private,
            concurrency=CONCURRENCY,
            content_type=MEDIA_TYPE,
            compose=self._sets.fresh,
            judge=judged,
        )

    def _headers(self, opened_for: Stream) -> Mapping[str, str]:
        """What the receiver asked for, as it is at this attempt: its lane may be busy for days.

        Raises: Withdrawn when the stream goes elsewhere now, or not at all.
        """
        stream, sealed = self._database.read(lambda tx: self._now(tx, opened_for.stream_id))
        if stream is None or stream.status != "enabled":
            raise Withdrawn
        if (stream.method, stream.endpoint_url) != (opened_for.method, opened_for.endpoint_url):
            raise Withdrawn
        known = {"accept": "application/json"}
        if sealed is None:
            return known
        authorization = self._vault.open(sealed, authorization_purpose(stream.stream_id)).decode()
        return {**known, "authorization": authorization}

    def _now(self, tx: Transaction, stream_id: str) -> tuple[Stream | None, bytes | None]:
        return self._streams.find(tx, stream_id), self._streams.authorization(tx, stream_id)


def judged(attempt: Attempt) -> Attempt:
    """What an answer means. A token that is refused for what it says is not sent again; one that is refused for who we
    are waits, and so does one whose key the receiver does not know yet. 410 is no word of this protocol: a receiver
    that wants no more removes its stream.
    """
    if attempt.is_gone:
        return replace(attempt, status=None)
    if attempt.is_sender_refused:
        return replace(attempt, remedy=REMEDY)
    code = _code(attempt) if attempt.status == 400 else ""
    if not code:
        return attempt
    return replace(
        attempt,
        problem=f"set_{code}",
        is_final=code in FINAL_ERRORS,
        remedy=REMEDY if code in SENDER_ERRORS else "",
    )


def _code(attempt: Attempt) -> str:
    try:
        return error_code(msgspec.json.decode(attempt.answer, type=_Said).err)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
