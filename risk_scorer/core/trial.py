"""Whether a model that passed every check of its parts also scores: made-up logins, before anybody's own."""

import msgspec
import numpy as np

from risk_scorer.core.encoders import Counts
from risk_scorer.core.history import UserHistory
from risk_scorer.core.model import Model
from risk_scorer.core.observation import Observation
from risk_scorer.core.scoring import NOBODY, score_many
from risk_scorer.core.signatures import BadArtefact


def require_scores(model: Model) -> None:
    """Compiles what scoring runs, and raises BadArtefact("bad_scores") unless a few logins get numbers of the scale.

    Each by itself and all together, to the bit.
    """
    logins = _logins(model)
    histories = [None, UserHistory(), None, UserHistory()][: len(logins)]
    together = score_many(model, logins, histories).score
    alone = [score_many(model, [login], [past]).score[0] for login, past in zip(logins, histories, strict=True)]
    if not np.isfinite(together).all() or (together < 0.0).any() or (together > 100.0).any():
        raise BadArtefact("bad_scores", "a made-up login gets a score that is no number of the scale")
    if not np.array_equal(together, np.array(alone)):
        raise BadArtefact("bad_scores", "a login scores one thing alone and another among others")


def _logins(model: Model) -> list[Observation]:
    """Nobody, somebody of the log's most usual, and somebody with values that were never seen."""
    known = model.encoders
    usual = msgspec.structs.replace(
        NOBODY,
        user_id=_first(known.user),
        ip=_first(known.ip),
        prefix=_first(known.prefix),
        country=_first(known.country),
        device_id=_first(known.device),
        user_agent=_first(known.ua),
        browser=_first(known.browser),
    )
    strange = msgspec.structs.replace(
        NOBODY,
        user_id="\0",
        ip="\0",
        prefix="\0",
        country="\0",
        device_id="\0",
        user_agent="\0",
        success=False,
        ip_rep=100.0,
    )
    return [NOBODY, NOBODY, usual, strange]


def _first(counts: Counts) -> str:
    return next(iter(counts), "")
