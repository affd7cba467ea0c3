"""What is said of a person and done to their account from the page about them: forms, each with its reason."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, get_args

from starlette.requests import Request
from starlette.responses import Response

from plumbing.bodies import refuse_unsafe_text
from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk, Doing
from risk_scorer.api.console.users import ONE, PATH
from risk_scorer.api.console.views import Endpoint, View
from risk_scorer.core.console.addresses import path_part
from risk_scorer.flows.console.people import LONGEST_ID, unknown_user
from risk_scorer.flows.console.ports import RiskVerdict
from risk_scorer.flows.console.user_acts import UserActs

VERDICTS: Final[tuple[RiskVerdict, ...]] = get_args(RiskVerdict)
Done = Callable[[str, Doing], Awaitable[str]]


class UserForms:
    """The forms. What ends sessions or keeps people out, or lets them in, wants a fresh second factor."""

    def __init__(self, *, desk: Desk, acts: UserActs) -> None:
        self._desk = desk
        self._acts = acts

    async def verdict(self, request: Request) -> Response:
        """Compromised, safe, or of no concern. Raises: Refused, and as `Desk.act`."""
        said = (await self._desk.form(request)).one("verdict")
        verdict = next((each for each in VERDICTS if each == said), None)
        if verdict is None:
            raise Refused("invalid_verdict", f"Choose one of {', '.join(VERDICTS)}.", status=422)

        async def say(user_id: str, doing: Doing) -> str:
            return await self._acts.verdict(user_id, verdict, by=doing.operator.name, why=doing.act.reason)

        return await self._act(request, f"user.{verdict}", say, sensitive=verdict == "compromised")

    async def freeze(self, request: Request) -> Response:
        """Nobody gets in any more. Raises: Refused, and as `Desk.act`."""

        async def do(user_id: str, doing: Doing) -> str:
            return await self._acts.freeze(user_id, by=doing.operator.name, why=doing.act.reason)

        return await self._act(request, "account.freeze", do)

    async def unfreeze(self, request: Request) -> Response:
        """They may sign in again. Raises: Refused, and as `Desk.act`."""

        async def do(user_id: str, doing: Doing) -> str:
            by, why = doing.operator.name, doing.act.reason
            return await self._acts.unfreeze(user_id, by=by, why=why, version=_version(doing))

        return await self._act(request, "account.unfreeze", do)

    async def force_reset(self, request: Request) -> Response:
        """The password must be another one. Raises: Refused, and as `Desk.act`."""

        async def do(user_id: str, doing: Doing) -> str:
            by, why = doing.operator.name, doing.act.reason
            return await self._acts.force_reset(user_id, by=by, why=why, version=_version(doing))

        return await self._act(request, "account.force_reset", do)

    async def sign_out(self, request: Request) -> Response:
        """Every session ends. Raises: Refused, and as `Desk.act`."""

        async def do(user_id: str, doing: Doing) -> str:
            return await self._acts.sign_out(user_id, by=doing.operator.name, why=doing.act.reason)

        return await self._act(request, "account.sign_out", do)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        return (
            _form("user-verdict", "verdict", "Say what it was", self.verdict),
            _form("user-freeze", "freeze", "Freeze an account", self.freeze),
            _form("user-unfreeze", "unfreeze", "Open an account again", self.unfreeze),
            _form("user-force-reset", "force-reset", "Have a password renewed", self.force_reset),
            _form("user-sign-out", "sign-out", "Sign somebody out everywhere", self.sign_out),
        )

    async def _act(self, request: Request, action: str, do: Done, *, sensitive: bool = True) -> Response:
        user_id = refuse_unsafe_text(request.path_params["user_id"], "path.user_id")
        if len(user_id) > LONGEST_ID:
            raise unknown_user()

        async def effect(doing: Doing) -> str:
            return await do(user_id, doing)

        back = f"{PATH}/{path_part(user_id)}"
        return await self._desk.act(request, action, user_id, effect=effect, back=back, sensitive=sensitive)


def _form(name: str, last: str, title: str, endpoint: Endpoint) -> View:
    return View(name=name, path=f"{ONE}/{last}", title=title, endpoint=endpoint, role="analyst", kind="act")


def _version(doing: Doing) -> int | None:
    """Which state of the account the page showed, if it could show one."""
    text = doing.form.one("version", "") or ""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise Refused("invalid_change", "Say which version of the account you saw.", status=422)
    return int(text)
