"""All of the OpenID provider's parts. No rules."""

from fastapi import FastAPI

from auth_gateway.service import Service
from auth_gateway.wiring import (
    account,
    accounts,
    deliveries,
    device,
    ending,
    links,
    pages,
    policy,
    policy_trial,
    risk,
    sign_in,
    ssf,
    tokens,
    webhooks,
)


def add_provider(app: FastAPI, service: Service) -> None:
    """Serve and document the provider's addresses; the issuer is an address."""
    pages.add(app, service)
    sign_in.add(app, service)
    tokens.add(app, service)
    ending.add(app, service)
    device.add(app, service)
    links.add(app, service)
    account.add(app, service)
    risk.add(app, service)
    accounts.add(app, service)
    policy_trial.add(app, service)
    policy.add(app, service)
    webhooks.add(app, service)
    deliveries.add(app, service)
    ssf.add(app, service)
