"""One rule without a person in it: how rare the login's network operator is among the logins that are not judged."""

import numpy as np
from numpy.typing import NDArray

from training.baselines.counting import totals
from training.baselines.log_columns import LogColumns

SOURCE = "one counted rule, no publication"


def score(log: LogColumns, judged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) the more, the fewer of the counted logins came from the same AS number."""
    rarity: NDArray[np.float64] = -np.log1p(totals(log.asn, log.teaches & ~judged).astype(np.float64))
    return rarity
