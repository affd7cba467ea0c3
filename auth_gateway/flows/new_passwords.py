"""Whether a password may become somebody's, at every place where one is chosen: sign-up, recovery, the own account, the
operator's commands.
"""

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from auth_gateway.core.names import prepare_password
from auth_gateway.core.password_rules import LONGEST, Problem, problem_of, shortest_for
from auth_gateway.flows.ports import Blocklist
from plumbing.refusals import Refused

_TEXTS: dict[Problem, str] = {
    "too_long": f"Choose a password of at most {LONGEST} characters.",
    "common": "This password is on lists of common or stolen passwords. Choose one that nobody else uses.",
    "personal": "This password is little more than a name. Choose one that does not follow from who you are.",
}


def service_names(issuer: str) -> tuple[str, ...]:
    """What the service is called where people see it: its own name, and the host of its address."""
    return ("riskgate", urlsplit(issuer).hostname or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPasswords:
    """Judges new passwords; `service_names` are what the service is called."""

    blocklist: Blocklist
    service_names: tuple[str, ...] = ()

    def checked(self, raw: str, *, names: Collection[str], has_factor: bool) -> str:
        """The password in the form that is hashed. `names` are the person's own.

        Raises: Refused (422) `invalid_password`, `password_too_short` (evidence `least`), `password_too_long`,
        `password_common`, `password_personal`; the text says what to do, and the password is nowhere in it.
        """
        prepared = prepare_password(raw)
        if prepared is None:
            raise Refused("invalid_password", "This password is empty, far too long, or holds a NUL.", status=422)
        problem = problem_of(
            prepared,
            has_factor=has_factor,
            is_listed=self.is_listed(prepared),
            names=(*names, *self.service_names),
        )
        if problem == "too_short":
            least = shortest_for(has_factor=has_factor)
            text = f"Choose a password of at least {least} characters. A few unrelated words are easy to remember."
            raise Refused("password_too_short", text, status=422, evidence={"least": least})
        if problem is not None:
            raise Refused(f"password_{problem}", _TEXTS[problem], status=422)
        return prepared

    def is_listed(self, prepared: str) -> bool:
        """Whether a prepared password is one that others guess first; asked at login as well, since lists grow."""
        return self.blocklist.holds(prepared)
