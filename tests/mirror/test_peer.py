"""Exports of the existing client are imported by ours, and ours by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.testing import BroodServer

from ..interop.conftest import CommandLine
from ..interop.environments import NEWEST, Commands
from .conftest import PLATFORM, files, fill

pytestmark = pytest.mark.long

#: No python tags: of several, the existing client takes the last one for runtimes.
SOME = ["-p", PLATFORM, "-p", "win-x86_64"]


@pytest.fixture(scope="module")
def commands() -> Iterator[Commands]:
    """What runs the existing client's command line."""
    running = Commands(NEWEST)
    yield running
    running.close()


@pytest.fixture
def peer(commands: Commands, brood_server: BroodServer, tmp_path: Path) -> CommandLine:
    return CommandLine(commands, brood_server, 1, tmp_path)


@pytest.fixture
def expected(repository: Repository, tmp_path: Path) -> dict[str, bytes]:
    """What both are to export."""
    everything = fill(repository, tmp_path / "artefacts")
    return {path: content for path, content in everything.items() if "/bundles/" not in path}


def export(client: BroodClient, out: Path, repository: str) -> dict[str, bytes]:
    mirror.export(
        client,
        out,
        repositories=[repository],
        platforms=[PLATFORM, "win-x86_64"],
    ).raise_for_failures()
    return files(out)


def state(repository: Repository) -> list[object]:
    """All that the indices say, but for times."""
    indices = []
    for name in (PLATFORM, "win-x86_64"):
        platform = repository.platform(name)
        eggs = [platform.egg_index(tag) for tag in ("cp311", "cp38")]
        for entry in (entry for index in eggs for entry in index.values()):
            entry.pop("mtime")
        indices.append([eggs, platform.runtime_index()])
    return json.loads(json.dumps(indices))


def test_both_export_the_same_files(client, peer, expected, tmp_path):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    assert peer("export", "-r", "acme/dev", *SOME, "theirs").returncode == 0
    assert files(theirs) == export(client, ours, "acme/dev") == expected
    # Each goes on with the export of the other.
    report = mirror.export(client, theirs, platforms=[PLATFORM, "win-x86_64"])
    assert len(report.already_there) == len(report.results) == len(expected)
    assert peer("export", "-r", "acme/dev", *SOME, "ours").returncode == 0
    assert files(ours) == expected


@pytest.mark.parametrize("exporter", ["theirs", "ours"])
@pytest.mark.parametrize("importer", ["theirs", "ours"])
def test_what_either_exports_either_imports(
    client, repository, peer, expected, tmp_path, exporter, importer
):
    out = tmp_path / "out"
    if exporter == "theirs":
        done = peer("export", "-r", "acme/dev", *SOME, out)
        assert done.returncode == 0, done
    else:
        export(client, out, "acme/dev")
        # Nobody is disturbed by it.
        assert (out / "manifest.json").is_file()
    (out / "v1" / "acme" / "dev").rename(out / "v1" / "acme" / "copy")
    if importer == "theirs":
        done = peer("import", "--create-missing", out)
        assert done.returncode == 0, done
    else:
        mirror.import_(client, out, create_missing=True).raise_for_failures()
    copy = client.organization("acme").repository("copy")
    assert state(copy) == state(repository)
    assert export(client, tmp_path / "again", "acme/copy") == {
        path.replace("/dev/", "/copy/"): content for path, content in expected.items()
    }


def test_the_export_of_version_0_is_the_same_too(brood_server, commands, expected, tmp_path):
    peer = CommandLine(commands, brood_server, 0, tmp_path)
    assert peer("export", "-r", "acme/dev", *SOME, "theirs").returncode == 0
    ours = export(brood_server.client(api_version=0), tmp_path / "ours", "acme/dev")
    assert files(tmp_path / "theirs") == ours
    assert len(ours) == 4
