"""Which of the provider's answers pages of other origins may read. No rules of their own."""

from fastapi import FastAPI

from auth_gateway.flows.provider.page_origins import PageOrigins
from auth_gateway.service import Service
from auth_gateway.wiring.sign_in import DISCOVERY_PATHS
from plumbing.cross_origin import CrossOrigin

PUBLIC = dict.fromkeys((*DISCOVERY_PATHS, "/.well-known/jwks.json"), ("GET",))
"""The same for everybody, whoever asks."""
SHARED = {
    "/token": ("POST",),
    "/userinfo": ("GET", "POST"),
    "/revoke": ("POST",),
    "/par": ("POST",),
    "/device_authorization": ("POST",),
}
"""What a page calls for itself, with nothing that its browser adds. Where people are, and what cookies open (the
authorization endpoint, the sign-in pages, logout), is visited and never read; passwords and introspection are for
applications that have proven themselves, which a page cannot."""


def add(app: FastAPI, service: Service) -> None:
    """Share them with the pages of registered applications; to be added outside of what refuses and crashes."""
    gateway = service.gateway
    origins = PageOrigins(gateway.database, gateway.clients, gateway.clock.monotonic)
    app.add_middleware(CrossOrigin, public=PUBLIC, shared=SHARED, allows=origins.allow)
