"""QR codes as pictures that a page holds in itself."""

from typing import Final

import segno

BORDER: Final = 4
"""Source: ISO/IEC 18004, section 6.3.8: a quiet zone of four modules."""


def qr_picture(text: str) -> str:
    """The text as an SVG in a `data:` address, dark on white whatever the page's colours: cameras want it so."""
    code = segno.make(text, error="m", micro=False)
    address: str = code.svg_data_uri(scale=5, border=BORDER, dark="#000", light="#fff")
    return address
