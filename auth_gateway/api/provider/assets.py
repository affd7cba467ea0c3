"""`/assets/{name}`: style sheets, scripts and the logo. A name is looked up among what was read at the start; it never
becomes the path of a file.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auth_gateway.core.brand import Accent, Brand

STATIC: Final = Path(__file__).parents[2] / "pages" / "static"
ASSET_SECONDS: Final = 31_536_000
"""A year: the address changes with the content."""
MEDIA_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
# An operator's SVG is only ever drawn; opened by itself it must not run either.
_DRAWN_ONLY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class Assets:
    """What pages load, by name."""

    files: Mapping[str, bytes]

    def address(self, name: str) -> str:
        """Where a file is, below the issuer; changes with its content.

        Raises: KeyError where there is none of this name.
        """
        return f"/assets/{name}?v={hashlib.sha256(self.files[name]).hexdigest()[:12]}"

    async def get_asset(self, request: Request) -> Response:
        """One of the files.

        Raises: HTTPException (404).
        """
        name = request.path_params["name"]
        content = self.files.get(name)
        if content is None:
            raise HTTPException(404)
        headers = {"cache-control": f"public, max-age={ASSET_SECONDS}, immutable"}
        if not name.endswith((".css", ".js")):
            headers["content-security-policy"] = _DRAWN_ONLY
        return Response(content, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)


def assets_of(brand: Brand, logo: bytes = b"") -> Assets:
    """Our own files, and the operator's colour and logo."""
    files = dict(_own_files()) | {"brand.css": _brand_style(brand)}
    if brand.logo:
        files[brand.logo] = logo
    return Assets(files)


@cache
def _own_files() -> Mapping[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(STATIC.iterdir()) if file.suffix in MEDIA_TYPES}


def _brand_style(brand: Brand) -> bytes:
    light, dark = _variables(brand.light), _variables(brand.dark)
    return f":root{{{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n".encode()


def _variables(accent: Accent) -> str:
    return f"--accent:{accent.colour};--on-accent:{accent.text}"
