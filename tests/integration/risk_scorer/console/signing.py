"""Somebody at the console: signed in by a link or by an issuer, reading pages and sending forms as a browser does."""

import re
from html import unescape
from typing import Any

import httpx2

from risk_scorer.core.console.operator import Role
from tests.integration.risk_scorer.console.lying_issuer import Issuer
from tests.integration.risk_scorer.service import Running

ONWARD = re.compile(r'http-equiv="refresh" content="0;url=([^"]*)"')
FORM_TOKEN = re.compile(r'name="form_token" value="(\w+)"')
CODE = re.compile(r"<code>(\w+)</code>")


async def by_link(service: Running, role: Role = "reader", name: str = "jane") -> httpx2.Response:
    """In by a fresh link; the service's client holds the session afterwards."""
    token = service.scorer.operators.new_link_token(role, name)
    return await service.client.post("/operator/sign-in", params={"token": token})


async def by_issuer(
    service: Running, issuer: Issuer, *, to: str = "/dashboard", fresh: bool = False, **changed: Any
) -> httpx2.Response:
    """The way by the issuer; what the callback answers. `changed` is put over what the issuer's redirect says."""
    page = await service.client.get("/operator/begin", params={"to": to, **({"fresh": "1"} if fresh else {})})
    asked = issuer.heard(onward(page))
    said = {"code": "c-1", "state": asked["state"], "iss": issuer.url, **changed}
    given = {name: value for name, value in said.items() if value is not None}
    return await service.client.get("/operator/callback", params=given)


def onward(page: httpx2.Response) -> str:
    """Where a page goes on to by itself."""
    found = ONWARD.search(page.text)
    assert found, page.text
    return unescape(found[1])


def code_of(page: httpx2.Response) -> str:
    """The stable code that a page of a refusal says."""
    found = CODE.findall(page.text)
    assert found, page.text
    return found[-1]


async def form_token(service: Running, path: str = "/dashboard") -> str:
    """What the forms of this session bring back."""
    page = await service.client.get(path)
    found = FORM_TOKEN.search(page.text)
    assert found, page.text
    return found[1]


async def post(service: Running, path: str, *, reason: str | None = "because", **fields: str) -> httpx2.Response:
    """Send a form of the console as its own page does."""
    given = {"form_token": await form_token(service), **fields}
    return await service.client.post(path, data=given if reason is None else {**given, "reason": reason})
