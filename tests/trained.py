"""The model of the bundled sample that tests share: trained by our command line, once a run, by whoever comes first.

`python -m tests.trained PLACE` comes first.
"""

import fcntl
import sys
from pathlib import Path

from demo.house import Workplace


def trained_once(place: Path) -> Path:
    """The folder with `models` and `training`, whole as soon as it is there; several processes may ask at once."""
    with open(place.with_name(f"{place.name}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            draft = place.with_name(f"{place.name}-draft")
            Workplace(draft / "demo", draft / "models").train()
            draft.rename(place)
    return place


if __name__ == "__main__":
    trained_once(Path(sys.argv[1]))
