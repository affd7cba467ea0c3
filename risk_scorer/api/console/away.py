"""What people see while not even the frame of a page can be made, for its database is away: a page, and never JSON."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from plumbing.refusals import Refused
from risk_scorer.api.console.views import Endpoint
from risk_scorer.api.pages import local_path, notice
from risk_scorer.core.console.way_back import HOME

TEXT = (
    "The scorer's database does not answer, so nobody can be recognised and nothing can be shown. Nothing was done: "
    "what cannot be written down is not. Try again in a moment; whoever runs the scorer finds the cause at its /ready "
    "and in its log."
)


def away(request: Request, refused: Refused) -> Response:
    """The page that says so, with the stable code and when to come again."""
    again = local_path(request) if request.method == "GET" else HOME
    title = "The console cannot work now"
    text = TEXT if refused.code == "storage_unavailable" else refused.message
    answer = notice(title, text, status=refused.status, code=refused.code, link=(again, "Try again"))
    answer.headers.update(refused.headers)
    if refused.retry_after_seconds is not None:
        answer.headers["retry-after"] = str(max(1, round(refused.retry_after_seconds)))
    return answer


def shown_away(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with that page where it is refused by what it stands on."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            if refused.status < 500:
                raise
            return away(request, refused)

    return answer
