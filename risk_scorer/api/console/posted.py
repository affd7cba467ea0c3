"""What somebody typed into a form that is not taken: shown to them again, so that nothing is lost. Nothing is kept."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

from plumbing.refusals import Refused
from risk_scorer.api.console.forms import Form, posted_form

TYPED: Final = {"reason": "Your reason", "document": "Your text"}
"""Fields that people write themselves, and how a page calls them."""


def posted(request: Request) -> dict[str, str]:
    """What was typed into the form of this request, by field, as far as it was read; nothing of another site's."""
    form: Form | None = getattr(request.state, "posted", None)
    return {} if form is None else {name: found[0] for name in TYPED if (found := form.all(name)) and found[0].strip()}


async def read_posted(request: Request) -> dict[str, str]:
    """The same of a form that nobody has read yet, and that may be anything."""
    try:
        await posted_form(request)
    except Refused:
        return {}
    return posted(request)
