"""What the tests of hatcher.aio share: both event loops that it runs on."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loop of tests that are marked ``anyio``, of which there are two."""
    backend: str = request.param
    return backend
