"""A disk that takes no more, on either end: an error that says so, and nothing half done.

A limit on the size of files stands in for a full disk: the kernel refuses the write that passes
it, as it does when there is no room.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hatcher.api import SinglePlatformRepository
from hatcher.errors import ServerError
from hatcher.testing import BroodProcess, BroodServer, write_egg

from .conftest import Egg

if sys.platform != "linux":
    pytest.skip("another process's limits can be set on Linux only", allow_module_level=True)

import resource

ARGUMENTS = ("cp311", "Spam", "1.0-1")


@contextmanager
def largest_file(size: int, pid: int = 0) -> Iterator[None]:
    """Let a process (this one by default) write no file beyond that many bytes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def platform(brood: BroodServer | BroodProcess) -> SinglePlatformRepository:
    client = brood.client()
    client.create_organization("acme", "").create_repository("dev", "")
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def test_the_client_has_no_room(brood_process: BroodProcess, egg: Egg, destination: Path) -> None:
    node = platform(brood_process)
    node.upload_egg(egg.path)

    with largest_file(500_000), pytest.raises(OSError, match="File too large"):
        node.download_egg(*ARGUMENTS, destination)
    assert list(destination.iterdir()) == []

    node.download_egg(*ARGUMENTS, destination)
    assert (destination / egg.path.name).read_bytes() == egg.content


def test_the_server_has_no_room(
    brood_process: BroodProcess, egg: Egg, destination: Path, tmp_path: Path
) -> None:
    node = platform(brood_process)
    other = write_egg(tmp_path, "Eggs", "1.0", platform="rh8-x86_64", python_tag="cp311")
    node.upload_egg(other)

    with largest_file(500_000, brood_process.pid):
        with pytest.raises(ServerError) as caught:
            node.upload_egg(egg.path)
        assert caught.value.error
        assert egg.path.name not in caught.value.error or "/" not in caught.value.error
        # What needs no room still works.
        assert list(node.egg_index("cp311")) == [other.name]
    assert list((brood_process.data / "incoming").iterdir()) == []

    node.upload_egg(egg.path)
    node.download_egg(*ARGUMENTS, destination)
    assert (destination / egg.path.name).read_bytes() == egg.content
