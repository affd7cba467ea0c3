"""What a session's risk does to it: the one table of marks and responses. Who tells the risk is not here, nor how a
response is carried out.

The scorer recommends; these marks decide.
"""

from typing import Final, Literal

import msgspec

from risk_scorer.contract.signals import SignalReason, SignalSource

Response = Literal["none", "step_up", "reset", "logout", "freeze"]
"""Nothing but a line; its owner shows a factor and it goes on; it ends; every session of the person ends; they end, and
nobody gets in until somebody has looked."""

LOWEST_MARK: Final = 60.0
"""The scorer tells of nothing below it: a lower mark would promise what never happens."""
HIGHEST_STEP_UP: Final = 80.0
"""What is high for everybody is never passed over."""
LOWEST_FREEZE: Final = 80.0
"""A freeze keeps the owner out as well; medium risk is what a factor answers."""
HIGHEST_MARK: Final = 100.0


Effect = Literal["done", "nothing", "report_only"]
"""Whether the response was carried out, had nothing to do any more, or was only written down."""


class SessionMarks(msgspec.Struct, frozen=True, kw_only=True):
    """From which risk of a session on (0 to 100) it is answered how; None is never. The marks that are there never fall
    in this order. `report_only` writes down what would have been done."""

    step_up: float = 60.0
    reset: float | None = 80.0
    logout: float | None = 90.0
    freeze: float | None = 97.0
    report_only: bool = False

    @property
    def descending(self) -> tuple[tuple[Response, float], ...]:
        """The responses that there are with their marks, the hardest first."""
        table: tuple[tuple[Response, float | None], ...] = (
            ("freeze", self.freeze),
            ("logout", self.logout),
            ("reset", self.reset),
            ("step_up", self.step_up),
        )
        return tuple((response, mark) for response, mark in table if mark is not None)


class KeptSignal(msgspec.Struct, frozen=True, kw_only=True):
    """What the scorer told of a session's risk, and what came of it. `session_id` "" is a person's own risk."""

    signal_id: str
    session_id: str
    user_id: str
    score: float
    recommended: str
    response: Response
    effect: Effect
    source: SignalSource
    campaign_id: str | None
    reasons: tuple[SignalReason, ...]
    observed_at: float
    received_at: float


USUAL: Final = SessionMarks()
OF_A_PERSON: Final[frozenset[Response]] = frozenset({"logout", "freeze"})
"""What can be done without a session to do it to."""


def response_to(score: float, marks: SessionMarks, *, names_session: bool = True) -> Response:
    """What this risk asks for. A risk of a person that names no session is answered by what concerns the person alone:
    nobody's session ends for being one of many."""
    response: Response = next((each for each, mark in marks.descending if score >= mark), "none")
    return response if names_session or response in OF_A_PERSON else "none"
