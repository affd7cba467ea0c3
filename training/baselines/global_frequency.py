"""The usual design: an isolation forest over how often everybody's logins had each value. It knows no person."""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import IsolationForest

from training.baselines.counting import totals
from training.baselines.log_columns import LogColumns

SOURCE = "Liu, Ting, Zhou 2008, “Isolation Forest”, over frequency-encoded columns"
COLUMNS = ("ip", "asn", "country", "device", "user_agent", "browser", "os")
TREES, SEED = 100, 7
AT_ONCE = 100_000


def score(log: LogColumns, judged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) how unusual a login is among those that are not judged; 0 for the rows that are not judged."""
    counted = log.teaches & ~judged
    columns = [totals(getattr(log, name), counted) for name in COLUMNS]
    frequencies = np.stack([*columns, log.hour], axis=1).astype(np.float32)
    forest = IsolationForest(n_estimators=TREES, random_state=SEED).fit(frequencies[counted])
    scores = np.zeros(len(log))
    places = np.flatnonzero(judged)
    for start in range(0, len(places), AT_ONCE):
        some = places[start : start + AT_ONCE]
        scores[some] = -forest.score_samples(frequencies[some])
    return scores
