"""What the tests of connections have in common."""

from __future__ import annotations

import pytest

from .wires import EITHER, WIRES, Wire


@pytest.fixture(params=EITHER)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Both ways to speak."""
    return WIRES[request.param]
