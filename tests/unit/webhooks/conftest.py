"""Async tests here run on asyncio, the loop that the services use."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The event loop under a test marked `anyio`."""
    return "asyncio"
