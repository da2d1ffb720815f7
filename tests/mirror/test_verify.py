"""Proving that a side is what it should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatcher import mirror
from hatcher.api import RetryPolicy
from hatcher.errors import InvalidArgumentError, NotConnectedError, NotFoundError
from hatcher.mirror.layout import KINDS
from hatcher.sizes import human_size
from hatcher.testing import Answer, RequestFault, write_bundle, write_egg

from .conftest import BUNDLE, EGG, FILLED, OLD, PLATFORM, SOME, Lab, egg, places, refused

PLACE = "v1/acme/dev"
PURE = f"{PLATFORM}/eggs/None/pure-1.0-1.egg"


@pytest.fixture
def folder(lab: Lab, tmp_path: Path) -> Path:
    """An export of all of it."""
    folder = tmp_path / "backup"
    mirror.export(lab.client, folder, kinds=KINDS, repositories=["acme/dev"], **SOME)
    return folder


def findings(result: mirror.Verification) -> list[tuple[str, str]]:
    return [(found.condition, found.path.removeprefix(f"{PLACE}/")) for found in result.findings]


def spoil(path: Path) -> bytes:
    """Change one byte, and nothing that a listing of the folder shows."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return bytes(content)


# -- folders -------------------------------------------------------------------------------


def test_a_folder_that_is_as_it_was_left(folder):
    told: list[tuple[int, int | None, str]] = []
    result = mirror.verify(folder, progress=lambda *now: told.append(now))
    size = sum(path.stat().st_size for path in (folder / "v1").rglob("*") if path.is_file())
    assert result
    assert str(result) == f"8 artefacts checked, {human_size(size)} hashed: all right"
    assert told[-1] == (size, size, "hashing")
    assert result.document() == {
        "ok": True,
        "target": str(folder),
        "source": None,
        "checked": FILLED,
        "bytes": size,
        "findings": [],
        "problems": [],
    }


def test_what_can_be_wrong_with_a_folder(folder):
    here = folder / PLACE
    spoil(here / EGG)
    (here / BUNDLE).write_text((here / BUNDLE).read_text() + "\n")
    (here / OLD).unlink()
    (here / PURE).unlink()
    (here / PURE).mkdir()
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
            ("missing", OLD),
            ("unreadable", PURE),
            ("extra", strange),
            ("extra", left),
            ("extra", "notes.txt"),
        ]
    )
    paths = [found.path for found in result.findings]
    assert paths == sorted(paths)
    assert all("manifest.json says" in str(found) for found in result.those("damaged"))
    summary = str(result).splitlines()[0]
    assert "8 artefacts checked" in summary
    assert "2 damaged, 1 missing, 1 unreadable, 3 extra" in summary
    document = json.loads(json.dumps(result.document()))
    assert document["ok"] is False
    assert len(document["findings"]) == 7
    # What is not asked for is not looked at.
    assert findings(mirror.verify(folder, kinds=["runtimes"])) == []
    named = mirror.verify(folder, names=["MyEgg", "strange"])
    assert findings(named) == [("damaged", EGG), ("extra", strange)]
    assert mirror.verify(folder, platforms=["win-x86_64"]).checked == 1
    assert not mirror.verify(mirror.Folder(folder, "acme/dev"), kinds=["eggs"])
    with pytest.raises(InvalidArgumentError, match="'v1/acme/other/'"):
        mirror.verify(mirror.Folder(folder, "acme/other"))


def test_a_manifest_that_is_of_no_use(folder, lab):
    (folder / "manifest.json").write_text("[]")
    result = mirror.verify(folder)
    assert not result
    assert places(result) == [str(folder / "manifest.json")]
    (folder / "manifest.json").unlink()
    with pytest.raises(InvalidArgumentError, match=r"manifest\.json"):
        mirror.verify(folder)
    with pytest.raises(InvalidArgumentError, match="no folder"):
        mirror.verify(folder / "nothing")
    # An export of the existing client has none, and can be compared with the source all the same.
    assert mirror.verify(folder, lab.dev, **SOME)
    spoil(folder / PLACE / EGG)
    assert findings(mirror.verify(folder, lab.dev, **SOME)) == [("different", EGG)]


# -- compared with a source ----------------------------------------------------------------


def test_compared_with_the_source(folder, lab, tmp_path):
    """A place, its manifest and an archive say the same."""
    mirror.pack(lab.dev, tmp_path / "all.zip", **SOME)
    listed = mirror.manifest(lab.dev, **SOME)
    sources = [lab.dev, listed, tmp_path / "all.zip"]
    for source in sources:
        result = mirror.verify(folder, source, **SOME)
        assert result
        assert result.checked == FILLED
    here = folder / PLACE
    spoil(here / EGG)
    (here / BUNDLE).unlink()
    strange = f"{PLATFORM}/eggs/cp311/strange-1.0-1.egg"
    write_egg((here / strange).parent, "strange", "1.0", platform=PLATFORM, python_tag="cp311")
    for source in sources:
        found = findings(mirror.verify(folder, source, **SOME))
        assert found == [("missing", BUNDLE), ("damaged", EGG), ("surplus", strange)]
    # What the folder holds is right, and is not what the source has by now.
    newer = lab.new("newer")
    mirror.plan(lab.dev, newer, **SOME).apply().raise_for_failures()
    platform = newer.platform(PLATFORM)
    platform.upload_egg(egg(tmp_path, "fresh"))
    newer.upload_bundle(write_bundle(tmp_path, mark="other"), overwrite=True)
    platform.delete_egg("cp38", "old", "1.0-1")
    for target in (lab.dev, tmp_path / "all.zip", listed):
        result = mirror.verify(target, newer, **SOME)
        assert findings(result) == [
            ("different", BUNDLE),
            ("lacking", f"{PLATFORM}/eggs/cp311/fresh-1.0.0-1.egg"),
            ("surplus", OLD),
        ]
        assert str(newer) in str(result.source)
    with pytest.raises(NotFoundError):
        mirror.verify(folder, lab.acme.repository("nowhere"), **SOME)
    with pytest.raises(InvalidArgumentError, match="compared"):
        mirror.verify(lab.dev, lab.acme, **SOME)


# -- what a server has, byte by byte -------------------------------------------------------


def test_downloaded_and_hashed(lab):
    told: list[tuple[int, int | None, str]] = []
    result = mirror.verify(lab.dev, download=True, progress=lambda *now: told.append(now), **SOME)
    assert result
    assert result.checked == FILLED
    assert result.bytes > 4000
    assert told[-1][2] == "downloading"
    through = lab.behind(
        RequestFault("flip", path="*/data/*/MyEgg/*", times=9),
        refused("*/data/*/old/*"),
        RequestFault("replace", path="*/data/*/pure/*", answer=Answer(500), times=9),
        retries=RetryPolicy(0),
    )
    result = mirror.verify(through, lab.dev, download=True, **SOME)
    assert {path: condition for condition, path in findings(result)} == {
        EGG: "damaged",
        OLD: "unreadable",
        PURE: "unreadable",
    }
    assert lab.gateway.sent("GET", "*/data/*") >= 6
    with pytest.raises(InvalidArgumentError, match="compare"):
        mirror.verify(lab.dev, **SOME)
    with pytest.raises(InvalidArgumentError, match="manifest"):
        mirror.verify(mirror.manifest(lab.dev, **SOME), download=True)


def test_a_server_that_is_gone(lab):
    """It is given up, and said once of all that was not looked at."""
    fault = RequestFault("reset", at="request", path="*/data/*", times=999)
    place = lab.behind(fault, retries=RetryPolicy(0))
    result = mirror.verify(place, download=True, concurrency=1, **SOME)
    assert [found.condition for found in result.findings] == ["unreadable"] * 5
    assert places(result) == ["3 artefacts were not looked at"]
    assert lab.gateway.sent("GET", "*/data/*") == 5
    lab.gateway.__exit__(None, None, None)
    with pytest.raises(NotConnectedError):
        mirror.verify(place, lab.dev, **SOME)


def test_what_was_spoiled_in_a_folder_goes_nowhere(lab, folder, tmp_path):
    other, here = lab.new("unspoiled"), mirror.Folder(folder, "acme/dev")
    spoiled = folder / PLACE / EGG
    content = spoil(spoiled)
    plan = mirror.plan(here, other, kinds=["eggs"], **SOME)
    (conflict,) = plan.those("conflict")
    assert conflict.path == EGG
    assert "is not what manifest.json says" in str(conflict.reason)
    assert not plan.apply()
    assert set(other.platform(PLATFORM).egg_index("cp311")) == {"pure-1.0-1.egg"}
    # It is not packed either; and as a target it is put right.
    lacking = mirror.manifest(other, **SOME)
    packed = mirror.pack(here, tmp_path / "delta.zip", lacking=lacking, **SOME)
    assert "is not what manifest.json says" in str(packed)
    mirror.plan(lab.dev, folder, kinds=["eggs"], **SOME).apply().raise_for_failures()
    assert mirror.verify(folder)
    # Somebody who means it takes the line out.
    (folder / "manifest.json").unlink()
    spoiled.write_bytes(content)
    plan = mirror.plan(here, other, kinds=["eggs"], **SOME)
    assert [step.path for step in plan.those("copy")] == [EGG]
