"""A disk that takes no more, on either end: an error that says so, and nothing half done.

Where none can be mounted, a limit on the size of files stands in for a full disk: the kernel
refuses the write that passes it, as it does when there is no room.
"""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient
from hatcher.errors import InvalidDestinationError, NoSpaceError, ServerError
from hatcher.testing import (
    Answer,
    ScriptedServer,
    write_bundle,
    write_egg,
)

from ..disks import mounted
from .conftest import ARGUMENTS, stock

if sys.platform != "linux":
    pytest.skip("another process's limits can be set on Linux only", allow_module_level=True)

import resource


@contextmanager
def largest_file(size: int, pid: int = 0) -> Iterator[None]:
    """Let a process (this one by default) write no file beyond that many bytes."""
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def test_the_client_has_no_room(brood_process, egg, destination):
    node = stock(brood_process, egg.path)

    with largest_file(500_000), pytest.raises(NoSpaceError, match="File too large") as caught:
        node.download_egg(*ARGUMENTS, destination)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.EFBIG
    assert list(destination.iterdir()) == []

    node.download_egg(*ARGUMENTS, destination)
    assert (destination / egg.path.name).read_bytes() == egg.content


def test_the_server_has_no_room(brood_process, egg, destination, tmp_path):
    other = write_egg(tmp_path, "Eggs", "1.0", platform="rh8-x86_64", python_tag="cp311")
    node = stock(brood_process, other)

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


@pytest.mark.programs
class TestSmallDisk:
    """A file system of 4 MB."""

    SIZE = 4 << 20

    @pytest.fixture
    def disk(self, tmp_path: Path) -> Iterator[Path]:
        with mounted(tmp_path / "disk", self.SIZE) as done:
            if not done:
                pytest.skip("no file system can be mounted")
            yield tmp_path / "disk"

    @staticmethod
    def answer(body: int | bytes, *, chunked: bool = False) -> Answer:
        headers = {"Content-Disposition": 'attachment; filename="Spam-1.0-1.egg"'}
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        return Answer(200, headers, b"x" * body if isinstance(body, int) else body)

    @staticmethod
    def download(server: ScriptedServer, destination: Path) -> None:
        node: Any = BroodClient.from_url(server.url, api_version=1).at("acme/dev/rh8-x86_64")
        node.download_egg(*ARGUMENTS, destination, expected_sha256="ab" * 32)

    def test_there_is_no_room_from_the_beginning(self, disk):
        size = 5_000_000
        with ScriptedServer(self.answer(size)) as server, pytest.raises(NoSpaceError) as caught:
            self.download(server, disk)
        error = caught.value
        assert (error.needed, error.free, error.errno) == (size, self.SIZE, errno.ENOSPC)
        assert f"{size:,}" in str(error) and f"{self.SIZE:,}" in str(error)
        assert list(disk.iterdir()) == []

    def test_it_fills_up_meanwhile(self, disk):
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (5_000_000, b"x" * 5_000_000)
        full = pytest.raises(NoSpaceError, match="No space left")
        with ScriptedServer(self.answer(body, chunked=True)) as server, full as caught:
            self.download(server, disk)
        assert isinstance(caught.value.__cause__, OSError)
        assert list(disk.iterdir()) == []
        assert shutil.disk_usage(disk).free == self.SIZE

    def test_a_bundle(self, disk, brood_server, tmp_path):
        (disk / "ballast").write_bytes(b"x" * self.SIZE)
        node = stock(brood_server)
        node.upload_bundles([write_bundle(tmp_path, "tools", "1.0.0")])
        (saved,) = node.bundles
        with pytest.raises(NoSpaceError):
            saved.save(disk)
        assert [path.name for path in disk.iterdir()] == ["ballast"]

    @pytest.mark.parametrize(
        ("before", "says"), [(True, "written"), (False, "Read-only file system")]
    )
    def test_it_is_or_becomes_read_only(self, disk, before, says):
        def remount() -> None:
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        def answer(_: object) -> Answer:
            remount()
            return self.answer(10)

        if before:
            remount()
        refused = pytest.raises(InvalidDestinationError, match=says)
        with ScriptedServer(answer) as server, refused:
            self.download(server, disk)
        assert len(server.requests) == (not before)
        assert list(disk.iterdir()) == []


@pytest.mark.parametrize("steps", [0, 1])
def test_the_destination_vanishes(steps, brood_server, egg, destination):
    node = stock(brood_server, egg.path)
    _, chunks = node.iter_download_egg(*ARGUMENTS, destination)
    for _ in range(steps):
        next(chunks)
    shutil.rmtree(destination)
    with pytest.raises(InvalidDestinationError, match="gone"):
        list(chunks)
    assert not destination.exists()


def test_the_destination_is_replaced(brood_server, egg, destination):
    node = stock(brood_server, egg.path)
    _, chunks = node.iter_download_egg(*ARGUMENTS, destination)
    moved = destination.rename(destination.with_name("moved"))
    destination.mkdir()
    with pytest.raises(InvalidDestinationError, match="removed"):
        list(chunks)
    assert list(destination.iterdir()) == []
    assert list(moved.glob("*.egg")) == []
