"""What holds in every test: an embedded Brood answers nothing but what is described."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette

from hatcher.server import runner

from .described import Notes, Observer

NOTES = pytest.StashKey[Notes]()


def pytest_configure(config: pytest.Config) -> None:
    """Let every server that runs in this process be observed."""
    notes = config.stash[NOTES] = Notes()
    create_app = runner.create_app

    def create_observed_app(*args: Any, **options: Any) -> Starlette:
        app = create_app(*args, **options)
        app.add_middleware(Observer, notes=notes)
        return app

    runner.create_app = create_observed_app


@pytest.fixture(autouse=True)
def wire_notes(request: pytest.FixtureRequest) -> Iterator[Notes]:
    """What the servers have answered; a test fails when something is not as described."""
    notes = request.config.stash[NOTES]
    notes.clear()
    yield notes
    assert not notes.faults, "\n".join(notes.faults)
