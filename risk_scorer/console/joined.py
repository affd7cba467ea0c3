"""The console as a whole: its desk, and the views of every module here that has `views(parts)`.

A new view is a module of this package with that function, and nothing else to edit: modules are found by name, and the
menu orders them (`api/console/views.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import structlog
from fastapi import FastAPI

from plumbing.refusals import Refused
from risk_scorer import console
from risk_scorer.acting import Acting
from risk_scorer.adapters.console.act_rows import ActRows
from risk_scorer.adapters.console.gateway import GatewayClient, NoGateway
from risk_scorer.adapters.console.identity import GatewayIdentity
from risk_scorer.adapters.issuer_keys import IssuerKeys
from risk_scorer.api.access import Access
from risk_scorer.api.console.desk import Desk
from risk_scorer.api.console.entrance import Entrance, add_entrance, cookie_scope
from risk_scorer.api.console.serving import add_views
from risk_scorer.api.console.single_sign_on import CALLBACK, SingleSignOn, add_single_sign_on
from risk_scorer.api.console.views import View
from risk_scorer.api.live import LiveFeed
from risk_scorer.assembly import Scorer
from risk_scorer.console.parts import Parts
from risk_scorer.flows.activity.views import Views
from risk_scorer.flows.console.sign_in import SignIn
from risk_scorer.flows.narrate import Narrate
from webhooks.fetching import Fetcher

EARLY_SECONDS: Final = 1.0
"""After a process began: what its work waits for comes first."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Console:
    """Everything that people may open."""

    desk: Desk
    entrance: Entrance
    sign_on: SingleSignOn | None
    identity: GatewayIdentity | None
    gateway: GatewayClient | NoGateway
    views: tuple[View, ...]
    early: Sequence[Callable[[], Awaitable[None]]]

    async def read_early(self) -> None:
        """Read what first pages would wait for, once the process has begun its work."""
        await asyncio.sleep(EARLY_SECONDS)
        for read in self.early:
            try:
                await read()
            except Refused as refused:
                log.warning("not_read_early", reason=refused.code)

    async def close(self) -> None:
        """Let go of the connections."""
        if self.identity is not None:
            await self.identity.close()
        await self.gateway.close()


def console_of(
    scorer: Scorer, *, acting: Acting, access: Access, feed: LiveFeed, narrate: Narrate, abuse: Views
) -> Console:
    """The console of this scorer; nothing is asked yet."""
    views: list[View] = []
    scope = cookie_scope(scorer.settings.public_url)
    desk = Desk(
        access=access,
        acts=ActRows(scorer.database, clock=scorer.clock),
        clock=scorer.clock,
        randomness=scorer.randomness,
        views=views,
        cookie_scope=scope,
        facts=lambda: {"scorer_model": scorer.model_version(), "credits": scorer.lookups.credits},
    )
    gateway = gateway_of(scorer)
    parts = Parts(
        scorer=scorer,
        acting=acting,
        access=access,
        feed=feed,
        narrate=narrate,
        abuse=abuse,
        desk=desk,
        gateway=gateway,
        cookie_scope=scope,
    )
    views.extend(_found(parts))
    identity = identity_of(scorer)
    sign_on = None if identity is None else _sign_on(scorer, identity, scope)
    entrance = Entrance(
        operators=scorer.operators, cookie_scope=scope, contact=scorer.settings.console_contact, gateway=sign_on
    )
    return Console(
        desk=desk,
        entrance=entrance,
        sign_on=sign_on,
        identity=identity,
        gateway=gateway,
        views=tuple(views),
        early=parts.early,
    )


def add_console(app: FastAPI, built: Console) -> None:
    """Put everything under its path."""
    add_entrance(app, built.entrance)
    if built.sign_on is not None:
        add_single_sign_on(app, built.sign_on)
    add_views(app, built.desk, built.views)
    app.state.console = built


def identity_of(scorer: Scorer) -> GatewayIdentity | None:
    """The gateway as it vouches for people, where the console is its client."""
    settings, clock = scorer.settings, scorer.clock
    issuer, client_id, secret = settings.issuer_of_console, settings.console_client_id, settings.console_client_secret
    if issuer is None or client_id is None or secret is None:
        return None
    # The gateway is ours, and usually where nobody else comes.
    keys = IssuerKeys(Fetcher(allow_private=True), clock=clock, issuer=issuer)
    return GatewayIdentity(
        keys=keys,
        clock=clock,
        issuer=issuer,
        client_id=client_id,
        client_secret=secret.get_secret_value(),
        redirect_uri=settings.public_url + CALLBACK,
    )


def gateway_of(scorer: Scorer) -> GatewayClient | NoGateway:
    """The gateway as it does what people at the console decide."""
    settings = scorer.settings
    issuer, client_id, secret = settings.issuer_of_console, settings.console_client_id, settings.console_client_secret
    if issuer is None or client_id is None or secret is None:
        return NoGateway()
    return GatewayClient(
        issuer=issuer, client_id=client_id, client_secret=secret.get_secret_value(), clock=scorer.clock
    )


def _sign_on(scorer: Scorer, identity: GatewayIdentity, scope: dict[str, Any]) -> SingleSignOn:
    return SingleSignOn(
        sign_in=SignIn(identity=identity, consoles=scorer.operators, clock=scorer.clock),
        randomness=scorer.randomness,
        cookie_scope=scope,
        contact=scorer.settings.console_contact,
        public_url=scorer.settings.public_url,
    )


def _found(parts: Parts) -> Iterator[View]:
    for module in sorted(each.name for each in iter_modules(console.__path__)):
        joins = getattr(import_module(f"{console.__name__}.{module}"), "views", None)
        if joins is not None:
            yield from joins(parts)
