"""The one error that a client is shown. Bugs are other exceptions and crash into a 500 without text."""

from collections.abc import Mapping
from types import MappingProxyType

NOTHING: Mapping[str, object] = MappingProxyType({})
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Refused(Exception):
    """A request that we decline, with a stable code and a text that is safe to show.

    `message` never repeats anything the client sent: it may be read by somebody else (logs, a shared screen).
    `evidence` goes beside code and message in the answer, so it holds only what the client may know.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int,
        retry_after_seconds: float | None = None,
        evidence: Mapping[str, object] = NOTHING,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.evidence = evidence
        self.headers = headers

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def as_answer(self) -> dict[str, object]:
        """The JSON object that the client gets; code and message win over evidence of the same name."""
        return {**self.evidence, "error": self.code, "error_description": self.message}
