"""Asks the scorer what a person does after their logins, for a reviewer.

Fails to "not known", with a reason: a reviewer is shown what the gateway knows, whatever the scorer does.
"""

import asyncio
import ssl
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from auth_gateway.flows.ports.session_risk import Behaviour
from plumbing.tracing import handed_on

DEADLINE_SECONDS: Final = 1.0
"""A reviewer waits for the rest as well; a scorer that is well answers in some milliseconds."""
MOST_BYTES: Final = 262_144
MOST_CONNECTIONS: Final = 4

_object = msgspec.json.Decoder(dict[str, Any])


class TooLarge(Exception):
    """The answer is no summary."""


class ScorerActivity:
    """`GET {base_url}/people/{user_id}/activity`, within one deadline."""

    def __init__(self, *, base_url: str, credential: str | None, tls: ssl.SSLContext | None = None) -> None:
        self._base = f"{base_url}/people"
        self._has_credential = credential is not None
        self._client = httpx2.AsyncClient(
            headers={"accept-encoding": "identity", "authorization": f"Bearer {credential or ''}"},
            limits=httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=1),
            timeout=None,
            trust_env=False,
            follow_redirects=False,
            verify=tls or base_url.startswith("https:"),
        )

    async def of(self, user_id: str) -> Behaviour:
        """What it says, as it says it."""
        if not self._has_credential:
            return Behaviour(missing="no_credential")
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await self._asked(f"{self._base}/{quote(user_id, safe='')}/activity")
        except TimeoutError:
            return Behaviour(missing="scorer_timeout")
        except (httpx2.HTTPError, OSError):
            return Behaviour(missing="scorer_unreachable")
        except (TooLarge, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return Behaviour(missing="scorer_invalid")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    async def _asked(self, url: str) -> Behaviour:
        async with self._client.stream("GET", url, headers=handed_on()) as response:
            if response.status_code == 404:
                return Behaviour(missing="unknown_to_scorer")
            if response.status_code != 200:
                return Behaviour(missing="scorer_refused")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise TooLarge
        _object.decode(body)
        return Behaviour(told=msgspec.Raw(bytes(body)))
