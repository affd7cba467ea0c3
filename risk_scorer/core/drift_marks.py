"""How far live logins may move from those that a model was fitted on. Apart, for settings start without numpy."""

from typing import Self

from msgspec import Struct, structs


class Marks(Struct, frozen=True, kw_only=True):
    """What is too far. Source of the indices: Siddiqi 2006 (0.1: something moved, 0.25: much has).

    `features_share` of the features have to move together: one alone, such as new versions of a browser, is told. An
    attribute's unknown values are too many when they are `unknown` (a share) more than at training.
    """

    psi: float = 0.25
    psi_over: float = 0.2
    psi_moved: float = 0.1
    features_share: float = 0.2
    unknown: float = 0.1
    unknown_over: float = 0.05
    ip_data_days: float = 180.0
    least_logins: int = 200

    def moved_to(self, psi: float) -> Self:
        """The same with another mark for indices; the one that clears an alarm moves along."""
        return structs.replace(
            self, psi=psi, psi_over=self.psi_over * psi / self.psi, psi_moved=min(self.psi_moved, psi / 2.0)
        )
