"""From which score on a login is asked for a factor, and from which it is denied: for everybody, or for one application
or group of its own. Values and their bounds; `core.policy` alone holds a score against them.
"""

import msgspec

from risk_scorer.contract.assessment import HIGH_FROM, MEDIUM_FROM

LOWEST_STEP_UP = 30.0
"""Below it lies most of what people do all day."""
LOWEST_DENY = MEDIUM_FROM
HIGHEST_DENY = HIGH_FROM
"""What is high for everybody is high for each: own marks may deny earlier, and nobody later."""


class Marks(msgspec.Struct, frozen=True, kw_only=True):
    """Scores, 0 to 100; `step_up` is never above `deny`."""

    step_up: float = MEDIUM_FROM
    deny: float = HIGH_FROM


SHARED = Marks()
"""Those of everybody who has none of their own."""


class OwnMarks(msgspec.Struct, frozen=True, kw_only=True):
    """The marks of some applications and people; None is everybody, and everywhere. `model` names the model that they
    were found for, "" any; `meant` is whom they are for, as it was written."""

    marks: Marks
    clients: frozenset[str] | None = None
    usernames: tuple[frozenset[str], ...] = ()
    model: str = ""
    meant: str = ""

    def are_for(self, client_id: str, username: str) -> bool:
        """Whether this person at this application is meant."""
        if self.clients is not None and client_id not in self.clients:
            return False
        return all(username in names for names in self.usernames)

    def under(self, model_version: str) -> Marks:
        """The marks for a score of that model. Another model's scores may mean something else, so there these marks
        make nothing milder than the shared ones."""
        if self.model in {"", model_version}:
            return self.marks
        return Marks(step_up=min(self.marks.step_up, SHARED.step_up), deny=min(self.marks.deny, SHARED.deny))


def marks_for(own: tuple[OwnMarks, ...], *, client_id: str, username: str, model_version: str) -> Marks:
    """The first that are meant; else the shared ones."""
    for one in own:
        if one.are_for(client_id, username):
            return one.under(model_version)
    return SHARED
