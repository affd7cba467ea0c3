"""What is too big for memory is copied once into a file that nobody else can reach, and read from there.

A file in a model's folder may be exchanged at any time: what is checked must be what is used. The copy has no name and
ends with whoever reads it. It is made where the system keeps temporary files (TMPDIR), which must hold it.
"""

from __future__ import annotations

import mmap
import tempfile
from typing import BinaryIO, Final, cast

from risk_scorer.core.signatures import BadArtefact

IN_MEMORY_BYTES: Final = 256 * 1024**2
"""Up to so many bytes a file is simply read."""
PIECE_BYTES: Final = 1 << 20
MAX_MODEL_BYTES: Final = 2 * 1024**3
"""All files of a model but the histories."""
MAX_HISTORIES_BYTES: Final = 16 * 1024**3
"""Of about twenty million people with ten logins each."""


def content_of(file: BinaryIO, name: str, *, most_bytes: int) -> bytes:
    """The content of an open file, read once: bytes, or the pages of a private copy, which can be used like bytes.

    Raises: OSError (there is no room for the copy), BadArtefact (`too_large`).
    """
    start = file.read(min(most_bytes, IN_MEMORY_BYTES) + 1)
    if len(start) <= min(most_bytes, IN_MEMORY_BYTES):
        return start
    with tempfile.TemporaryFile() as copy:
        piece, size = start, 0
        while piece:
            size += len(piece)
            if size > most_bytes:
                raise BadArtefact("too_large", f"{name} is larger than {most_bytes} bytes")
            copy.write(piece)
            piece = file.read(PIECE_BYTES)
        copy.flush()
        # The pages hold on to the file; the system takes them back whenever it needs the memory.
        return cast("bytes", mmap.mmap(copy.fileno(), 0, access=mmap.ACCESS_READ))
