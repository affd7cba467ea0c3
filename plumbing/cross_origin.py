"""What pages of other origins may read of our answers. Which paths, and whose pages, is the service's business.

Never with credentials: a browser keeps from the page whatever an answer owes to a cookie. Source: Fetch, section 3.3.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PREFLIGHT_SECONDS: Final = 600
"""How long a browser need not ask again before it sends; whether the page may read is said with each answer."""
TAKEN_HEADERS: Final = b"Authorization, Content-Type, DPoP"
SHOWN_HEADERS: Final = {b"www-authenticate": b"WWW-Authenticate", b"dpop-nonce": b"DPoP-Nonce"}

Headers = list[tuple[bytes, bytes]]
Allows = Callable[[str], Awaitable[bool]]


class CrossOrigin:
    """Answers preflights, and marks the answers that a page may read; all others pass as they are.

    `public` and `shared` are paths with their methods: answers of the first are for anybody's pages, those of the
    second for the origins that `allows` knows. It belongs outside of what refuses and what crashes, or a page could not
    read why.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public: Mapping[str, Sequence[str]],
        shared: Mapping[str, Sequence[str]],
        allows: Allows,
    ) -> None:
        self.app = app
        self._methods = {path: ", ".join(methods).encode("ascii") for path, methods in {**public, **shared}.items()}
        self._public = frozenset(public)
        self._allows = allows

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._methods:
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        if not origins and path not in self._public:
            await self.app(scope, receive, send)
            return
        marks = await self._marks(path, origins)
        if _is_preflight(scope, origins) and _may_read(marks):
            await _permit(send, marks, self._methods[path])
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                message["headers"] = headers + marks + (_shown(headers) if _may_read(marks) else [])
            await send(message)

        await self.app(scope, receive, send_marked)

    async def _marks(self, path: str, origins: list[bytes]) -> Headers:
        """Who may read the answer. What anybody may read says so to everybody, asked by a page or not: caches keep it,
        and a copy without the mark would be no page's."""
        if path in self._public:
            return [_readable_by(b"*")]
        marks = [(b"vary", b"Origin")]
        # "null" is the origin of whatever hides its own, and two origins are nobody's.
        if len(origins) == 1 and origins[0] != b"null" and await self._allows(origins[0].decode("latin-1")):
            marks.append(_readable_by(origins[0]))
        return marks


def _readable_by(origin: bytes) -> tuple[bytes, bytes]:
    return (b"access-control-allow-origin", origin)


def _may_read(marks: Headers) -> bool:
    return any(name == b"access-control-allow-origin" for name, _ in marks)


def _is_preflight(scope: Scope, origins: list[bytes]) -> bool:
    """Whether a browser asks before it sends; a plain OPTIONS is answered like any other method that is not taken."""
    is_asking = any(name == b"access-control-request-method" for name, _ in scope["headers"])
    return bool(origins) and is_asking and scope["method"] == "OPTIONS"


def _shown(headers: Headers) -> Headers:
    """What a page may see beside the body, of what is there."""
    present = {name.lower() for name, _ in headers}
    shown = [text for name, text in SHOWN_HEADERS.items() if name in present]
    return [(b"access-control-expose-headers", b", ".join(shown))] if shown else []


async def _permit(send: Send, marks: Headers, methods: bytes) -> None:
    headers = [
        *marks,
        (b"access-control-allow-methods", methods),
        (b"access-control-allow-headers", TAKEN_HEADERS),
        (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode("ascii")),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
