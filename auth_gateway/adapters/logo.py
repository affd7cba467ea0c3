"""An operator's logo, read once at the start."""

from pathlib import Path
from typing import Final

LARGEST_BYTES: Final = 262_144
_PNG: Final = b"\x89PNG\r\n\x1a\n"


def read_logo(path: Path) -> tuple[str, bytes]:
    """The name that the logo is served under, and its bytes: SVG or PNG. What an SVG holds is only drawn, never run.

    Raises: ValueError, in words for the operator, where it is neither or cannot be read.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if len(content) > LARGEST_BYTES:
        raise ValueError(f"is larger than {LARGEST_BYTES // 1024} KiB")
    if content.startswith(_PNG):
        return "logo.png", content
    if b"<svg" in content[:4096]:
        return "logo.svg", content
    raise ValueError("must be an SVG or a PNG file")
