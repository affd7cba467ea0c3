"""Fetches tokens that wait for us at another provider.

Source: RFC 8936, section 2. A poll asks for what is there now: it holds no connection of either side.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from auth_gateway.adapters.ssf.remote_keys import Fetch
from auth_gateway.core.ssf.set_error import SetRefused
from auth_gateway.core.ssf.transmitter import Transmitter
from auth_gateway.flows.ports.signals import Fetched
from plumbing.refusals import Refused
from webhooks.fetching import Unfetched, Wanted

MOST_BYTES: Final = 2 * 1024 * 1024
"""A hundred tokens of the largest size that is taken."""
DEADLINE_SECONDS: Final = 20.0
MOST_SETS: Final = 1_000


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    sets: Annotated[dict[str, str], Meta(max_length=MOST_SETS)] = {}
    more_available: bool = False


class PolledStreams:
    """`RemoteStreams` says what it promises."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def __call__(
        self,
        transmitter: Transmitter,
        authorization: str,
        *,
        acknowledged: Sequence[str],
        refused: Mapping[str, SetRefused],
        most: int,
    ) -> Fetched:
        said = {
            "maxEvents": most,
            "returnImmediately": True,
            "ack": acknowledged,
            "setErrs": {jti: {"err": why.code, "description": why.description} for jti, why in refused.items()},
        }
        headers = {"accept": "application/json", "content-type": "application/json"}
        if authorization:
            headers["authorization"] = f"Bearer {authorization}"
        wanted = Wanted(
            url=transmitter.poll_url,
            method="POST",
            headers=headers,
            body=msgspec.json.encode(said),
            most_bytes=MOST_BYTES,
            deadline_seconds=DEADLINE_SECONDS,
        )
        try:
            answer = msgspec.json.decode(await self._fetch(wanted), type=_Answer)
        except Unfetched as error:
            raise _failed(error.code) from None
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise _failed("bad_answer") from None
        return Fetched(sets=answer.sets, more_available=answer.more_available)


def _failed(problem: str) -> Refused:
    text = "The transmitter's poll endpoint gave no usable answer."
    return Refused("poll_failed", text, status=503, evidence={"problem": problem})
