"""The kinds of model that a registry holds, and what differs between them: their readers, pointer and gates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from msgspec import UNSET

from risk_scorer.adapters.model_registry import Declared
from risk_scorer.core import artefact as logins
from risk_scorer.core.card import ModelCard
from risk_scorer.core.registry import ACTIVE, POINTERS, SESSION, Artefact, Finding, PointerName
from risk_scorer.core.session_model import artefact as sessions
from risk_scorer.core.session_model.model import SessionModel
from training.comparing.comparison import Comparison
from training.refusals import RefusedError
from training.registry import gates, session_gates
from training.registry.gates import Candidate

KindName = Literal["login", "session"]
Files = Mapping[str, bytes]


class Loaded(Protocol):
    """What every checked model says of itself."""

    @property
    def version(self) -> str: ...
    @property
    def manifest(self) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class Standing:
    """A version that would be promoted: checked, with its card, the card of the one in use, and how both compare."""

    model: Any
    card: ModelCard
    active: ModelCard | None
    comparison: Comparison | None


class Line(Protocol):
    """One kind of model. `artefact` stands in the journal, `pointer` names the version in use."""

    name: KindName
    artefact: Artefact
    pointer: PointerName
    pointers: tuple[PointerName, ...]
    gates: tuple[str, ...]

    def manifest(self, files: Files, public_keys: Sequence[bytes]) -> Declared:
        """The checked manifest among these. Raises BadArtefact."""
        ...

    def load(self, files: Files, public_keys: Sequence[bytes]) -> Loaded:
        """The checked model. Raises BadArtefact."""
        ...

    def findings(self, standing: Standing, *, now: float, max_data_age_days: float) -> tuple[Finding, ...]:
        """What each gate found."""
        ...


class LoginLine:
    """Models of logins."""

    name: KindName = "login"
    artefact: Artefact = UNSET
    pointer: PointerName = ACTIVE
    pointers: tuple[PointerName, ...] = POINTERS
    gates: tuple[str, ...] = gates.GATES

    def manifest(self, files: Files, public_keys: Sequence[bytes]) -> Declared:
        return logins.checked_manifest(files, public_keys)

    def load(self, files: Files, public_keys: Sequence[bytes]) -> Loaded:
        return logins.load(files, public_keys)

    def findings(self, standing: Standing, *, now: float, max_data_age_days: float) -> tuple[Finding, ...]:
        candidate = Candidate(
            model=standing.model, card=standing.card, active=standing.active, comparison=standing.comparison
        )
        return gates.findings(candidate, now=now, max_data_age_days=max_data_age_days)


class SessionLine:
    """Models of what is done in sessions."""

    name: KindName = "session"
    artefact: Artefact = "session"
    pointer: PointerName = SESSION
    pointers: tuple[PointerName, ...] = (SESSION,)
    gates: tuple[str, ...] = session_gates.GATES

    def manifest(self, files: Files, public_keys: Sequence[bytes]) -> Declared:
        return sessions.checked_manifest(files, public_keys)

    def load(self, files: Files, public_keys: Sequence[bytes]) -> SessionModel:
        return sessions.load(files, public_keys)

    def findings(self, standing: Standing, *, now: float, max_data_age_days: float) -> tuple[Finding, ...]:
        if standing.comparison is not None:
            raise RefusedError("no_comparison", "session models are not compared on a log of logins")
        return session_gates.findings(
            standing.model, standing.card, standing.active, now=now, max_data_age_days=max_data_age_days
        )


LOGINS: Line = LoginLine()
SESSIONS: Line = SessionLine()
LINES: Mapping[KindName, Line] = {"login": LOGINS, "session": SESSIONS}
