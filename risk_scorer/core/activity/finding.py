"""What a detector answers when it looks at an event."""

from typing import Final

from msgspec import Struct

MOST_NATS = 6.0
"""What one detector may add: 400 to 1. Baselines are estimates, and none is so good that it should say more alone."""


class Finding(Struct, frozen=True, gc=False):
    """Evidence of one detector: `nats` ≥ 0 is the log of how much likelier an attacker does this than the person.

    `code` is one of the detector's `texts`; `observed` and `usual` are short and safe to show to an analyst. `about`
    stands for whom of several it is about, 0 for nobody: a pardon is for those who were seen.
    """

    code: str
    nats: float
    observed: str = ""
    usual: str = ""
    about: int = 0


class Unknown(Struct, frozen=True, gc=False):
    """Too little has been seen to say anything: neither safe nor an alarm."""


UNKNOWN: Final = Unknown()
