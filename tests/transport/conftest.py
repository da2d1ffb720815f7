"""What several of these tests need."""

from __future__ import annotations

import pytest
import trustme

from .proxying import cleared
from .wires import EITHER, WIRES, Wire


@pytest.fixture(params=EITHER)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Either way to speak."""
    return WIRES[request.param]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, without proxies and authorities."""
    return cleared(monkeypatch)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()
