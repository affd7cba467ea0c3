"""`/dashboard/policy`: rules and what each did, another document tried on the past, saved, and brought back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.desk import Desk, Doing, StepUpNeeded
from risk_scorer.api.console.forms import Form
from risk_scorer.api.console.views import View
from risk_scorer.core.console.addresses import address, path_part
from risk_scorer.core.console.kept_drafts import KeptDraft
from risk_scorer.core.console.policy import Draft, Problem, Trial
from risk_scorer.core.console.policy_form import MOST_SWITCHES, SPANS, document_in, edits_in, version_in
from risk_scorer.core.console.visible import written_out
from risk_scorer.flows.console.policy import PolicyAtGateway
from risk_scorer.flows.console.ports import Drafts

PATH: Final = "/dashboard/policy"
EMPTY_NOTE: Final = "# No rules: the built-in tables decide.\n"
"""What the box has in it where nothing was saved."""


class Typed(Struct, kw_only=True):
    """What somebody has typed, and what is known of it; `problem` is why it was not taken."""

    document: str
    version: int
    reason: str = ""
    span: str = "week"
    draft: Draft | None = None
    trial: Trial | None = None
    problem: Refused | None = None

    @property
    def faults(self) -> list[Problem]:
        """What is wrong with the text, line by line."""
        found = [] if self.problem is None else self.problem.evidence.get("problems", [])
        return found if isinstance(found, list) else []


class PolicyViews:
    """The policy, and what admins change in it."""

    def __init__(self, *, desk: Desk, policy: PolicyAtGateway, drafts: Drafts, now: Callable[[], float]) -> None:
        self._desk = desk
        self._policy = policy
        self._now = now
        self._drafts = drafts

    async def page(self, request: Request) -> Response:
        """What is in force; once beside what the same person typed and could not save. Raises: Refused."""
        text = request.query_params.get("before", "")
        before = version_in(text) if text else None
        kept = await self._drafts.take(self._desk.require(request).name, self._now())
        if kept is None:
            return await self._shown(request, None, before=before)
        typed = Typed(document=kept.document, version=kept.version, reason=kept.reason)
        async with self._keeping(request, typed):
            await self._look(typed, {})
            return await self._shown(request, typed, before=before)

    async def draft(self, request: Request) -> Response:
        """What a text would change, and on request what it would have decided. Nothing is saved.

        Raises: Refused `addresses_veiled` (409), `document_required`, `invalid_change` (422).
        """
        form = await self._form(request)
        typed = Typed(
            document=document_in(form.one("document")),
            version=version_in(form.one("version")),
            reason=form.one("reason"),
            span=form.one("span", "week"),
        )
        async with self._keeping(request, typed):
            try:
                await self._look(typed, edits_in(form.one, form.all("had"), form.all("report")))
            except Refused as refused:
                _raise_unless_said(refused)
                typed.problem = refused
            if typed.draft is not None and form.one("does") == "try":
                await self._try(typed)
            return await self._shown(request, typed)

    async def save(self, request: Request) -> Response:
        """This text from now on; refused, it comes back with why. Raises: Refused, and as `Desk.act`."""
        form = await self._form(request)
        document, version = document_in(form.one("document")), version_in(form.one("version"))

        async def do(doing: Doing) -> str:
            saved = await self._policy.save(document, version=version, by=doing.operator.name, why=doing.act.reason)
            return f"Version {saved.version} is in force: every gateway has it within seconds."

        typed = Typed(document=document, version=version, reason=form.one("reason"))
        async with self._keeping(request, typed):
            try:
                return await self._desk.act(
                    request, "policy.save", f"version {version + 1}", effect=do, back=PATH, role="admin", sensitive=True
                )
            except Refused as refused:
                if refused.code not in ("reason_required", "policy_changed", "invalid_policy", "invalid_words"):
                    raise
                await self._look(typed, {})
                typed.problem = refused
                return await self._shown(request, typed, status=refused.status)

    async def restore(self, request: Request) -> Response:
        """An earlier text again. Raises: Refused, and as `Desk.act`."""
        form = await self._form(request)
        number, version = version_in(form.one("number")), version_in(form.one("version"))

        async def do(doing: Doing) -> str:
            name, why = doing.operator.name, doing.act.reason
            saved = await self._policy.restore(number, version=version, by=name, why=why)
            return f"Version {number} is back, as version {saved.version}."

        return await self._desk.act(
            request,
            "policy.restore",
            f"version {number}",
            effect=do,
            back=f"{PATH}/{number}",
            role="admin",
            sensitive=True,
        )

    async def version(self, request: Request) -> Response:
        """A saved version, and how it differs. Raises: Refused `unknown_version` (404)."""
        text = str(request.path_params["number"])
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise Refused("unknown_version", "No policy document of this number was saved.", status=404)
        found, earlier, later, policy = await self._policy.version(int(text))
        return await self._desk.page(
            "console/policy_version.html",
            request,
            found=found.saved,
            document=found.document,
            earlier=earlier.lines,
            later=later.lines,
            policy=policy,
            written_out=written_out,
        )

    async def _form(self, request: Request) -> Form:
        """The form; not while addresses are veiled, for what is veiled on a page would be saved so."""
        form = await self._desk.form(request)
        if self._desk.veil(request).is_on:
            raise Refused("addresses_veiled", "Show addresses first: a veiled text cannot be saved.", status=409)
        return form

    @asynccontextmanager
    async def _keeping(self, request: Request, typed: Typed) -> AsyncIterator[None]:
        """Whatever comes between a text and its being saved, its author finds it again at the policy's page."""
        try:
            yield
        except (Refused, StepUpNeeded):
            kept = KeptDraft(document=typed.document, reason=typed.reason, version=typed.version, at=self._now())
            await self._drafts.keep(self._desk.require(request).name, kept)
            raise

    async def _look(self, typed: Typed, edits: dict[str, object]) -> None:
        try:
            typed.draft = await self._policy.draft(typed.document, edits)
            typed.document = typed.draft.document
        except Refused as refused:
            _raise_unless_said(refused)
            typed.problem = refused

    async def _try(self, typed: Typed) -> None:
        span = typed.span if typed.span in SPANS else "week"
        try:
            typed.trial = await self._policy.tried(typed.document, SPANS[span][1])
        except Refused as refused:
            typed.problem = refused

    async def _shown(
        self, request: Request, typed: Typed | None, *, before: int | None = None, status: int = 200
    ) -> Response:
        book, operator = await self._policy.book(before), self._desk.require(request)
        policy, veil = book.policy, self._desk.veil(request)
        meaning = policy if typed is None or typed.draft is None else typed.draft
        may_try = operator.may("analyst") and not veil.is_on
        values: dict[str, Any] = {
            "policy": policy,
            "meaning": meaning,
            "document": (policy.document or EMPTY_NOTE) if typed is None else typed.document,
            "counts": None if book.counted is None else book.counted.counts,
            "counted_at": None if book.counted is None else book.counted.at,
            "history": book.history,
            "typed": typed,
            "has_switches": may_try and len(meaning.rules) <= MOST_SWITCHES and len(meaning.marks) <= MOST_SWITCHES,
            "may_try": may_try,
            "may_save": may_try and operator.may("admin") and policy.source != "file",
            "is_fresh": operator.is_fresh(self._now()),
            "spans": {name: words for name, (words, _) in SPANS.items()},
            "older": "" if book.history.next is None else address(PATH, before=book.history.next),
            "written_out": written_out,
            "quote": path_part,
        }
        return await self._desk.page("console/policy.html", request, status=status, **values)

    def views(self) -> tuple[View, ...]:
        """Where they are."""
        acts = (
            ("policy-draft", "draft", "Try a policy", self.draft),
            ("policy-save", "save", "Save a policy", self.save),
            ("policy-restore", "restore", "Bring a policy back", self.restore),
        )
        return (
            View(name="policy", path=PATH, title="Policy", endpoint=self.page, in_menu=True),
            *(
                View(
                    name=name,
                    path=f"{PATH}/{last}",
                    title=title,
                    endpoint=endpoint,
                    role="analyst" if last == "draft" else "admin",
                    kind="act",
                )
                for name, last, title, endpoint in acts
            ),
            View(name="policy-version", path=f"{PATH}/{{number}}", title="A saved policy", endpoint=self.version),
        )


def _raise_unless_said(refused: Refused) -> None:
    """What is wrong with a text is said beside it; that the gateway is away is a page of its own."""
    if refused.code not in ("invalid_policy", "cannot_edit", "invalid_request", "invalid_mark"):
        raise refused
