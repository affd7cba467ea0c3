"""Userinfo; the token endpoint itself is the service's own. No rules."""

from fastapi import FastAPI

from auth_gateway.service import Service


def add(app: FastAPI, service: Service) -> None:
    """Serve and document them."""
