"""Two clients, and a server that writes down what each of them asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.transport.http_channel import HTTPChannel

from ..interop.environments import Driver, Release
from .files import write_files
from .observing import Observer


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ours asks at the same time, a file and its metadata, comes in an order here."""
    monkeypatch.setattr(HTTPChannel, "begin", lambda *_: None)


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files that are uploaded."""
    folder = tmp_path_factory.mktemp("artefacts")
    write_files(folder)
    return folder


@pytest.fixture(scope="session")
def observers(
    artefacts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Release, Observer]]:
    """For each release, what drives it and ours; made when it is first asked for."""

    class Observers(dict[Release, Observer]):
        def __missing__(self, release: Release) -> Observer:
            destination = tmp_path_factory.mktemp("destination")
            observer = Observer(Driver(release), artefacts, destination)
            return self.setdefault(release, observer)

    made = Observers()
    yield made
    for observer in made.values():
        observer.close()
