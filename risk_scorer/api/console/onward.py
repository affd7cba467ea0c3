"""Where people go on from a page that says no: never around in a circle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from starlette.requests import Request

from risk_scorer.api.console.forms import Form
from risk_scorer.api.console.views import View, is_within
from risk_scorer.api.pages import local_path, own_path
from risk_scorer.core.console.way_back import HOME, way_back


class Onward(NamedTuple):
    """An address, and the words of the link to it."""

    address: str
    words: str


def onward(request: Request, status: int, views: Sequence[View]) -> Onward:
    """From an act to its page; from what is away to itself; from what is not there to the view that lists it."""
    if request.method != "GET":
        return Onward(act_page(request), "Back")
    if status >= 500:
        return Onward(local_path(request), "Try again")
    path = request.scope["path"]
    if request.url.query and status != 404:
        return Onward(own_path(request), "Back")
    lists = (view.path for view in views if view.kind == "page" and "{" not in view.path and view.path != path)
    return Onward(max((each for each in lists if is_within(path, each)), key=len, default=HOME), "Back")


def act_page(request: Request) -> str:
    """The page that the act of this request is a form of, as far as its form says with its filter; the console's first
    one for what is no address."""
    form: Form | None = getattr(request.state, "posted", None)
    said = form.all("back") if form is not None else ()
    return way_back(said[0] if len(said) == 1 else own_path(request).rpartition("/")[0])
