"""What a look at one thing came to."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["good", "note", "problem"]
"""`note`: nothing stands in the way now, but somebody should know. `problem`: a command or the scorer will decline."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: a stable `code`, what was seen, and what to do about it ("" when nothing)."""

    level: Level
    code: str
    seen: str
    remedy: str = ""
