"""What several of these tests need."""

from __future__ import annotations

from pathlib import Path

import pytest

from .proxying import cleared
from .wires import EITHER, WIRES, Wire, authority


@pytest.fixture(params=EITHER)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Either way to speak."""
    return WIRES[request.param]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The environment, without proxies and authorities."""
    return cleared(monkeypatch)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    """The authority of all servers with TLS, in a file of its own."""
    path = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(path)
    return path
