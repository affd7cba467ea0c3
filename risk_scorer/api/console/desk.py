"""What every view of the console stands on: who is there, the page around it, and acts that are written down.

operator = desk.require(request, "analyst")
return await desk.page("console/users.html", request, rows=rows)
return await desk.act(request, "account.freeze", user_id, effect=freeze, back="/dashboard/users", sensitive=True)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from plumbing.clock import Clock
from plumbing.randomness import Randomness
from plumbing.refusals import Refused
from risk_scorer.api.access import Access
from risk_scorer.api.console.flash import flashed, leave, wipe
from risk_scorer.api.console.forms import Form, read_form
from risk_scorer.api.console.onward import onward
from risk_scorer.api.console.posted import TYPED, posted
from risk_scorer.api.console.typed import Typed, TypedReasons, forget, keep, kept
from risk_scorer.api.console.views import View, menu
from risk_scorer.api.pages import local_path, page
from risk_scorer.core.console.moments import Moment, moment
from risk_scorer.core.console.operator import Operator, Role
from risk_scorer.core.console.veil import Veil
from risk_scorer.core.console.visible import visible
from risk_scorer.flows.console.acting import carry_out, reason_of
from risk_scorer.flows.console.ports import Act, ActLog

BASE: Final = "console/base.html"
FRAGMENT: Final = "console/fragment.html"
THEME_COOKIE: Final = "riskgate_theme"
THEMES: Final = ("light", "dark")
LONGEST_SUBJECT: Final = 256

log = structlog.get_logger(__name__)


class StepUpNeeded(Exception):
    """The act needs a proof of who it is that is younger or stronger; `back` is where the person goes on afterwards,
    and `typed` the reason that they gave, where nobody else keeps it."""

    def __init__(self, operator: Operator, back: str, typed: Typed | None = None) -> None:
        super().__init__(back)
        self.operator = operator
        self.back = back
        self.typed = typed


@dataclass(frozen=True, slots=True)
class Doing:
    """What an effect is given: the act as it was written down, who does it, and the whole form."""

    act: Act
    operator: Operator
    form: Form


Effect = Callable[[Doing], Awaitable[str]]
"""Does it, and says in one line what was done. Raises: Refused, which the page then says."""


class Desk:
    """One desk for all views."""

    def __init__(
        self,
        *,
        access: Access,
        acts: ActLog,
        clock: Clock,
        randomness: Randomness,
        views: Sequence[View],
        cookie_scope: dict[str, Any],
        facts: Callable[[], dict[str, Any]],
    ) -> None:
        """`views` may still grow until the first request; `facts` are what every page says of this scorer."""
        self._access = access
        self._acts = acts
        self._clock = clock
        self._randomness = randomness
        self._views = views
        self._cookie_scope = cookie_scope
        self._facts = facts

    def require(self, request: Request, role: Role = "reader") -> Operator:
        """Who is signed in. Raises: NotSignedIn; NoRole."""
        known: Operator | None = getattr(request.state, "operator", None)
        if known is not None and known.may(role):
            return known
        request.state.operator = self._access.operator(request, role)
        return self.require(request, role)

    def is_signed_in(self, request: Request) -> bool:
        """Whether they still are; for feeds, which go on for long."""
        return self._access.is_signed_in(request)

    def veil(self, request: Request) -> Veil:
        """What this session shows of addresses: every address on a page, in a file or in a fragment goes through it."""
        return Veil(self.require(request).is_masked)

    def moment(self, epoch: float) -> Moment:
        """The words for an epoch second, as of now."""
        return moment(epoch, now=self._clock.now())

    async def page(self, template: str, request: Request, *, status: int = 200, **values: Any) -> Response:
        """The template within the console's frame, or alone where it is asked for with `?fragment=1`. In it are,
        besides the values: `operator`, `veil`, `moment`, `visible`, `form_token`, and what the frame needs."""
        operator = self.require(request)
        is_fragment = request.query_params.get("fragment") == "1"
        shown = {} if is_fragment else await self._frame(request, operator)
        typed = self.typed(request)
        answer = page(
            template,
            status=status,
            layout=FRAGMENT if is_fragment else BASE,
            operator=operator,
            form_token=operator.form_token,
            veil=self.veil(request),
            moment=self.moment,
            visible=visible,
            typed_reason=typed,
            **shown,
            **values,
        )
        if not is_fragment and shown["flash"] is not None:
            wipe(answer, self._cookie_scope)
        if typed.was_shown:
            forget(answer, self._cookie_scope)
        return answer

    def typed(self, request: Request) -> TypedReasons:
        """What forms show of a reason that a step-up came between."""
        return TypedReasons(kept(request, self.require(request).name))

    async def form(self, request: Request) -> Form:
        """The form that was posted, checked to be of this very session. Raises: Refused, as `read_form` does."""
        known: Form | None = getattr(request.state, "form", None)
        if known is None:
            known = request.state.form = await read_form(request, self.require(request))
        return known

    async def act(
        self,
        request: Request,
        action: str,
        subject: str | Sequence[str],
        *,
        effect: Effect,
        back: str,
        role: Role = "analyst",
        sensitive: bool = False,
    ) -> Response:
        """Have the effect done, for the reason that the form gives, written down first; then `back`, with its line.

        Several subjects are a row of the audit each. A sensitive act needs a second factor at most 15 minutes old.

        Raises: NotSignedIn, NoRole; StepUpNeeded; Refused `cross_site_form`, `invalid_form_token` (403),
            `reason_required` (422), and as the effect does.
        """
        operator = self.require(request, role)
        form = await self.form(request)
        reason = reason_of(form.one("reason"))
        if sensitive and not operator.is_fresh(self._clock.now()):
            raise StepUpNeeded(operator, back, Typed(operator.name, request.scope["path"], reason))
        subjects = (subject,) if isinstance(subject, str) else tuple(subject)
        act = Act(
            operator=operator.name,
            role=operator.role or role,
            action=action,
            subjects=tuple(each[:LONGEST_SUBJECT] for each in subjects),
            reason=reason,
            request_id=self._randomness.event_id("act"),
        )
        told = await carry_out(self._acts, act, lambda act: effect(Doing(act, operator, form)))
        return self.back(back, told)

    def back(self, to: str, told: str = "", *, is_good: bool = True) -> Response:
        """Away from a form, to a page that shows this line once."""
        answer = RedirectResponse(to, status_code=303)
        if told:
            leave(answer, told, tone="good" if is_good else "bad", scope=self._cookie_scope)
        return answer

    async def refusal(self, request: Request, refused: Refused) -> Response:
        """The page that says why not, with the stable code."""
        answer = await self.page(
            "console/refusal.html",
            request,
            status=refused.status,
            code=refused.code,
            message=refused.message,
            onward=onward(request, refused.status, self._views),
            posted=_not_kept(request),
            typed_words=TYPED,
        )
        if typed := posted(request).get("reason"):
            keep(answer, Typed(self.require(request).name, request.scope["path"], typed), self._cookie_scope)
        answer.headers.update(refused.headers)
        if refused.retry_after_seconds is not None:
            answer.headers["retry-after"] = str(max(1, round(refused.retry_after_seconds)))
        return answer

    async def _frame(self, request: Request, operator: Operator) -> dict[str, Any]:
        theme = request.cookies.get(THEME_COOKIE)
        return {
            **self._facts(),
            "menu": await menu(self._views, operator.role, request.scope["path"], self._counted),
            "flash": flashed(request),
            "theme": theme if theme in THEMES else "",
            "here": local_path(request),
        }

    async def _counted(self, view: View) -> int:
        """0 while it cannot be counted: a page is worth more than its menu's numbers."""
        if view.count is None:
            return 0
        try:
            return await view.count()
        except Refused as refused:
            log.warning("menu_not_counted", view=view.name, reason=refused.code)
            return 0


def _not_kept(request: Request) -> dict[str, str]:
    """What a refusal shows of the form: a reason stands in its form again, unless the form was another session's."""
    typed = posted(request)
    return {name: typed[name] for name in typed if name != "reason" or not hasattr(request.state, "form")}
