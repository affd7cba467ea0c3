"""Asks a running scorer for its labels, page by page, over HTTP.

Fails closed: a page that does not come, or comes in another shape, ends the command, and no file is put in place.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import httpx2
import msgspec

from risk_scorer.settings import is_inside_name
from training.refusals import UnreachableError, WrongInputError

TIMEOUT_SECONDS: Final = 30.0
"""A page is a thousand rows of one table; whoever takes longer is not well."""
MOST_PAGES: Final = 100_000
MOST_CREDENTIAL_BYTES: Final = 256
ADDRESS: Final = "--scorer takes an address like https://scorer.example:8000"
_REFUSED: Final = frozenset({401, 403})


class _Page(msgspec.Struct):
    labels: list[msgspec.Raw]
    next: str | None


_pages = msgspec.json.Decoder(_Page)


def credential_of(file: Path) -> str:
    """The credential that stands in a file. Raises WrongInputError: no_such_file, unreadable_file, bad_credential."""
    try:
        with file.open("rb") as opened:  # which may be a pipe or a device without an end
            text = opened.read(MOST_CREDENTIAL_BYTES + 1).decode("ascii").strip()
    except FileNotFoundError as cause:
        raise WrongInputError("no_such_file", f"there is no file {file}") from cause
    except OSError as cause:
        raise WrongInputError("unreadable_file", f"{file} cannot be read: {cause.strerror or cause}") from cause
    except UnicodeError as cause:
        raise WrongInputError("bad_credential", f"{file.name} holds no credential") from cause
    if not text.startswith("rgs_") or len(text) > MOST_CREDENTIAL_BYTES or not text.isprintable() or " " in text:
        raise WrongInputError("bad_credential", f"{file.name} holds no credential")
    return text


def lines_from(scorer: str, credential: str) -> Iterator[bytes]:
    """Every label of the scorer at this address, each a line.

    Raises WrongInputError: bad_url, insecure_url, credential_refused; UnreachableError: scorer_unreachable.
    """
    _require_private(scorer)
    headers = {"Authorization": f"Bearer {credential}"}
    after_id: str | None = ""
    try:
        with httpx2.Client(base_url=scorer, headers=headers, timeout=TIMEOUT_SECONDS, trust_env=False) as client:
            for _ in range(MOST_PAGES):
                page = _page(client, after_id)
                yield from (bytes(label) + b"\n" for label in page.labels)
                if page.next is None or page.next == after_id:
                    return
                after_id = page.next
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, ValueError) as cause:
        raise WrongInputError("bad_url", ADDRESS) from cause
    except (httpx2.HTTPError, httpx2.StreamError) as cause:
        raise UnreachableError("scorer_unreachable", f"the scorer does not answer: {type(cause).__name__}") from cause


def _require_private(scorer: str) -> None:
    """Whoever sees the credential on its way reads every label: in the clear it stays inside our own network."""
    try:
        parts = urlsplit(scorer)
        host = parts.hostname or ""
    except ValueError as cause:
        raise WrongInputError("bad_url", ADDRESS) from cause
    if parts.scheme not in ("http", "https") or not host:
        raise WrongInputError("bad_url", ADDRESS)
    if parts.scheme == "http" and not is_inside_name(host):
        raise WrongInputError(
            "insecure_url",
            f"{host} is not on this machine or a private network: the credential goes there by https alone",
        )


def _page(client: httpx2.Client, after_id: str | None) -> _Page:
    answer = client.get("/labels", params={"after": after_id or ""})
    if answer.status_code in _REFUSED:
        raise WrongInputError("credential_refused", "the scorer wants a living credential with the scope `read`")
    if answer.status_code != httpx2.codes.OK:
        raise UnreachableError("scorer_unreachable", f"the scorer answered {answer.status_code}")
    try:
        return _pages.decode(answer.content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as cause:
        raise UnreachableError("scorer_unreachable", "what answered is no scorer of this release") from cause
