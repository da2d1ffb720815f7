"""Proving that an end is what it should be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository, RetryPolicy
from hatcher.errors import InvalidArgumentError, NotConnectedError, NotFoundError
from hatcher.mirror.layout import KINDS
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_bundle,
    write_egg,
)

from .conftest import PLATFORM, fill, make_repository

SOME: dict[str, Any] = {"platforms": (PLATFORM, "win-x86_64"), "python_tags": ("cp311", "cp38")}
PLACE = "v1/acme/dev"
EGG = f"{PLATFORM}/eggs/cp311/MyEgg-1.0-1.egg"
BUNDLE = f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle"


@pytest.fixture(scope="module")
def server() -> Iterator[BroodServer]:
    with BroodServer() as server:
        yield server


@pytest.fixture(scope="module")
def client(server: BroodServer) -> BroodClient:
    return server.client()


@pytest.fixture(scope="module")
def repository(client: BroodClient, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Something of every kind; nothing of it is changed."""
    repository = make_repository(client)
    fill(repository, tmp_path_factory.mktemp("source") / "artefacts")
    return repository


@pytest.fixture
def folder(client: BroodClient, repository: Repository, tmp_path: Path) -> Path:
    """An export of all of it."""
    folder = tmp_path / "backup"
    mirror.export(client, folder, kinds=KINDS, repositories=["acme/dev"], **SOME)
    return folder


@pytest.fixture
def behind(server: BroodServer) -> Iterator[Callable[..., tuple[FaultyGateway, Repository]]]:
    """Makes a gateway that fails, and acme/dev as it is behind that."""
    opened: list[FaultyGateway] = []

    def make(*faults: RequestFault) -> tuple[FaultyGateway, Repository]:
        gateway = FaultyGateway(server.url, *faults)
        gateway.__enter__()
        opened.append(gateway)
        through = server.client(url=gateway.url, retries=RetryPolicy(0))
        return gateway, through.organization("acme").repository("dev")

    yield make
    for gateway in opened:
        gateway.__exit__(None, None, None)


def findings(result: mirror.Verification) -> list[tuple[str, str]]:
    return [(found.condition, found.path.removeprefix(f"{PLACE}/")) for found in result.findings]


def spoil(path: Path) -> None:
    """Change one byte, and nothing that a listing of the folder shows."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


# -- folders -------------------------------------------------------------------------------


def test_a_folder_that_is_as_it_was_left(folder: Path) -> None:
    told: list[tuple[int, int | None, str]] = []
    result = mirror.verify(folder, progress=lambda *now: told.append(now))
    size = sum(path.stat().st_size for path in (folder / "v1").rglob("*") if path.is_file())
    assert result
    assert (result.checked, result.bytes, result.findings) == (8, size, ())
    assert str(result) == f"8 artefacts checked, {size:,} bytes hashed: all right"
    assert told[-1] == (size, size, "hashing")
    assert result.document() == {
        "ok": True,
        "target": str(folder),
        "source": None,
        "checked": 8,
        "bytes": size,
        "findings": [],
        "problems": [],
    }


def test_what_can_be_wrong_with_a_folder(folder: Path, tmp_path: Path) -> None:
    here = folder / PLACE
    spoil(here / EGG)
    (here / BUNDLE).write_text((here / BUNDLE).read_text() + "\n")
    (here / f"{PLATFORM}/eggs/cp38/old-1.0-1.egg").unlink()
    unreadable = here / f"{PLATFORM}/eggs/None/pure-1.0-1.egg"
    unreadable.unlink()
    unreadable.mkdir()
    strange = f"{PLATFORM}/eggs/cp311/strange-1.0-1.egg"
    write_egg((here / strange).parent, "strange", "1.0", platform=PLATFORM, python_tag="cp311")
    left = f"{EGG}.0.hatcher-partial"
    (here / left).write_bytes(b"half of")
    (folder / "notes.txt").write_text("mine")
    result = mirror.verify(folder)
    assert not result
    assert sorted(findings(result)) == sorted(
        [
            ("damaged", EGG),
            ("damaged", BUNDLE),
            ("missing", f"{PLATFORM}/eggs/cp38/old-1.0-1.egg"),
            ("unreadable", f"{PLATFORM}/eggs/None/pure-1.0-1.egg"),
            ("extra", strange),
            ("extra", left),
            ("extra", "notes.txt"),
        ]
    )
    assert [found.path for found in result.findings] == sorted(
        found.path for found in result.findings
    )
    damaged = result.those("damaged")
    assert all("manifest.json says" in str(found) for found in damaged)
    assert "8 artefacts checked" in str(result).splitlines()[0]
    assert "2 damaged, 1 missing, 1 unreadable, 3 extra" in str(result).splitlines()[0]
    document = json.loads(json.dumps(result.document()))
    assert document["ok"] is False
    assert len(document["findings"]) == 7
    # What is not asked for is not looked at.
    assert findings(mirror.verify(folder, kinds=["runtimes"])) == []
    assert findings(mirror.verify(folder, names=["MyEgg", "strange"])) == [
        ("damaged", EGG),
        ("extra", strange),
    ]
    assert mirror.verify(folder, platforms=["win-x86_64"]).checked == 1
    assert not mirror.verify(mirror.Folder(folder, "acme/dev"), kinds=["eggs"])
    with pytest.raises(InvalidArgumentError, match="'v1/acme/other/'"):
        mirror.verify(mirror.Folder(folder, "acme/other"))


def test_a_manifest_that_is_of_no_use(folder: Path, repository: Repository) -> None:
    (folder / "manifest.json").write_text("[]")
    result = mirror.verify(folder)
    assert not result
    assert [problem.place for problem in result.problems] == [str(folder / "manifest.json")]
    (folder / "manifest.json").unlink()
    with pytest.raises(InvalidArgumentError, match=r"manifest\.json"):
        mirror.verify(folder)
    with pytest.raises(InvalidArgumentError, match="no folder"):
        mirror.verify(folder / "nothing")
    # An export of the existing client has none, and can be compared with the source all the same.
    assert mirror.verify(folder, repository, **SOME)
    spoil(folder / PLACE / EGG)
    assert findings(mirror.verify(folder, repository, **SOME)) == [("different", EGG)]


# -- compared with a source ----------------------------------------------------------------


def test_compared_with_the_source(
    folder: Path, repository: Repository, client: BroodClient, tmp_path: Path
) -> None:
    """A place, its manifest and an archive say the same."""
    mirror.pack(repository, tmp_path / "all.zip", **SOME)
    sources = [repository, mirror.manifest(repository, **SOME), tmp_path / "all.zip"]
    for source in sources:
        result = mirror.verify(folder, source, **SOME)
        assert result
        assert result.source == str(result.source)
        assert result.checked == 8
    here = folder / PLACE
    spoil(here / EGG)
    (here / BUNDLE).unlink()
    strange = f"{PLATFORM}/eggs/cp311/strange-1.0-1.egg"
    write_egg((here / strange).parent, "strange", "1.0", platform=PLATFORM, python_tag="cp311")
    for source in sources:
        assert findings(mirror.verify(folder, source, **SOME)) == [
            ("missing", BUNDLE),
            ("damaged", EGG),
            ("surplus", strange),
        ]
    # What the folder holds is right, and is not what the source has by now.
    newer = make_repository(client, "newer")
    mirror.plan(repository, newer, **SOME).apply().raise_for_failures()
    platform = newer.platform(PLATFORM)
    platform.upload_egg(write_egg(tmp_path, "fresh", platform=PLATFORM, python_tag="cp311"))
    newer.upload_bundle(write_bundle(tmp_path, mark="other"), overwrite=True)
    platform.delete_egg("cp38", "old", "1.0-1")
    expected = [
        ("different", BUNDLE),
        ("lacking", f"{PLATFORM}/eggs/cp311/fresh-1.0.0-1.egg"),
        ("surplus", f"{PLATFORM}/eggs/cp38/old-1.0-1.egg"),
    ]
    for target in (repository, tmp_path / "all.zip", mirror.manifest(repository, **SOME)):
        result = mirror.verify(target, newer, **SOME)
        assert findings(result) == expected
        assert str(newer) in str(result.source)
    with pytest.raises(NotFoundError):
        mirror.verify(folder, client.organization("acme").repository("nowhere"), **SOME)
    with pytest.raises(InvalidArgumentError, match="compared"):
        mirror.verify(repository, client.organization("acme"), **SOME)


def test_a_source_that_cannot_be_read_whole(
    repository: Repository, behind: Callable[..., Any], client: BroodClient
) -> None:
    """Nobody can say what would be surplus then, or lacking the other way round."""
    gone = Answer(404, body=b'{"error": "gone"}', headers={"Content-Type": "application/json"})
    _, through = behind(
        RequestFault("replace", path=f"*/indices/acme/dev/{PLATFORM}/*/eggs", answer=gone, times=99)
    )
    for target, source in [(repository, through), (through, repository)]:
        result = mirror.verify(target, source, **SOME)
        assert not result
        assert findings(result) == []
        assert [problem.place for problem in result.problems] == [f"acme/dev/{PLATFORM} eggs"]
        assert "problem: acme/dev" in str(result)


# -- what a server has, byte by byte -------------------------------------------------------


def test_downloaded_and_hashed(repository: Repository, behind: Callable[..., Any]) -> None:
    told: list[tuple[int, int | None, str]] = []
    result = mirror.verify(
        repository, download=True, progress=lambda *now: told.append(now), **SOME
    )
    assert result
    assert result.checked == 8
    assert result.bytes > 4000
    assert told[-1][2] == "downloading"
    refusal = Answer(404, body=b'{"error": "no"}', headers={"Content-Type": "application/json"})
    gateway, through = behind(
        RequestFault("flip", path="*/data/*/MyEgg/*", times=9),
        RequestFault("replace", path="*/data/*/old/*", answer=refusal, times=9),
        RequestFault("replace", path="*/data/*/pure/*", answer=Answer(500), times=9),
    )
    result = mirror.verify(through, repository, download=True, **SOME)
    assert dict(reversed(pair) for pair in findings(result)) == {
        EGG: "damaged",
        f"{PLATFORM}/eggs/cp38/old-1.0-1.egg": "unreadable",
        f"{PLATFORM}/eggs/None/pure-1.0-1.egg": "unreadable",
    }
    assert gateway.sent("GET", "*/data/*") >= 6
    with pytest.raises(InvalidArgumentError, match="compare"):
        mirror.verify(repository, **SOME)
    with pytest.raises(InvalidArgumentError, match="manifest"):
        mirror.verify(mirror.manifest(repository, **SOME), download=True)


def test_a_server_that_is_gone(server: BroodServer, repository: Repository) -> None:
    """It is given up, and said once of all that was not looked at."""
    fault = RequestFault("reset", at="request", path="*/data/*", times=999)
    with FaultyGateway(server.url, fault) as gateway:
        through = server.client(url=gateway.url, retries=RetryPolicy(0))
        place = through.organization("acme").repository("dev")
        result = mirror.verify(place, download=True, concurrency=1, **SOME)
        assert [found.condition for found in result.findings] == ["unreadable"] * 5
        assert [problem.place for problem in result.problems] == ["3 artefacts were not looked at"]
        assert gateway.sent("GET", "*/data/*") == 5
    with pytest.raises(NotConnectedError):
        mirror.verify(place, repository, **SOME)


def test_what_was_spoiled_in_a_folder_goes_nowhere(
    client: BroodClient, folder: Path, tmp_path: Path
) -> None:
    other = client.organization("acme").create_repository("unspoiled", "")
    spoiled = folder / PLACE / EGG
    content = bytearray(spoiled.read_bytes())
    content[len(content) // 2] ^= 1
    spoiled.write_bytes(content)
    plan = mirror.plan(mirror.Folder(folder, "acme/dev"), other, kinds=["eggs"], **SOME)
    (conflict,) = plan.those("conflict")
    assert conflict.path.endswith(f"/{spoiled.name}")
    assert "is not what manifest.json says" in str(conflict.reason)
    assert not plan.apply()
    assert set(other.platform(PLATFORM).egg_index("cp311")) == {"pure-1.0-1.egg"}
    # It is not packed either; and as a target it is put right.
    lacking = mirror.manifest(other, **SOME)
    packed = mirror.pack(
        mirror.Folder(folder, "acme/dev"), tmp_path / "delta.zip", lacking=lacking, **SOME
    )
    assert "is not what manifest.json says" in str(packed)
    dev = client.organization("acme").repository("dev")
    mirror.plan(dev, folder, kinds=["eggs"], **SOME).apply().raise_for_failures()
    assert mirror.verify(folder)
    # Somebody who means it takes the line out.
    (folder / "manifest.json").unlink()
    spoiled.write_bytes(content)
    plan = mirror.plan(mirror.Folder(folder, "acme/dev"), other, kinds=["eggs"], **SOME)
    assert [step.path for step in plan.those("copy")] == [conflict.path]
