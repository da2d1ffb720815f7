"""What an end has, written down."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.mirror import Entry
from hatcher.mirror.folder import record
from hatcher.mirror.layout import KINDS
from hatcher.mirror.selection import Selection

from . import conftest
from .conftest import FILLED, PLATFORM, SOME, Lab, egg, places

EGG, APP = (f"v1/acme/dev/{path}" for path in (conftest.EGG, conftest.APP))
EVERYTHING = Selection(KINDS, None, None)
SHA256 = "0" * 64
SELECTION = {"platforms": None, "python_tags": None, "names": None}


@pytest.fixture
def manifest(lab: Lab) -> mirror.Manifest:
    return mirror.manifest(lab.dev, **SOME)


def of(artefacts: dict[str, Entry], place: tuple[str, ...] = ("acme", "dev")) -> mirror.Manifest:
    return mirror.Manifest("somewhere", place, 1, EVERYTHING, artefacts)


def test_what_it_says(manifest, lab, tmp_path):
    assert set(manifest.artefacts) == {*lab.expected, APP}
    sha256 = lab.dev.platform(PLATFORM).egg_metadata("cp311", "MyEgg", "1.0-1")["sha256"]
    assert manifest.artefacts[EGG] == Entry("eggs", sha256, len(lab.expected[EGG]))
    manifest.write(tmp_path / "state.json")
    text = (tmp_path / "state.json").read_text()
    document = json.loads(text)
    assert document == manifest.document()
    assert (document["format"], document["version"]) == ("hatcher manifest", 1)
    assert (document["place"], document["api_version"]) == (["acme", "dev"], 1)
    assert document["selection"]["platforms"] == [PLATFORM, "win-x86_64"]
    assert document["source"].startswith("acme/dev on http://127.0.0.1:")
    assert list(document["artefacts"]) == sorted(document["artefacts"])
    # A line for each, for those who compare two of them by eye.
    assert sum(line.startswith('  "v1/') for line in text.splitlines()) == FILLED
    again = mirror.read_manifest(tmp_path / "state.json")
    assert again == manifest
    assert again.document() == document
    assert str(again).startswith(document["source"] + ": 8 artefacts, ")
    assert repr(again) == f"<Manifest of {document['source']}: 8 artefacts>"


def test_of_a_place_and_of_its_folder(manifest, lab, tmp_path):
    """They are equal; and what the folder has written down itself has the hashes of its files."""

    def export() -> tuple[int, int]:
        mirror.export(lab.client, tmp_path, kinds=KINDS, repositories=["acme/dev"], **SOME)
        status = (tmp_path / "manifest.json").stat()
        return status.st_ino, status.st_mtime_ns

    before = export()
    folder = mirror.manifest(mirror.Folder(tmp_path, "acme/dev"))
    assert folder == manifest
    assert not folder.difference(manifest)
    whole = mirror.manifest(tmp_path)
    recorded = mirror.read_manifest(tmp_path / "manifest.json")
    assert whole == recorded
    assert (whole.place, whole.api_version) == ((), None)
    assert recorded.artefacts == whole.artefacts == folder.artefacts
    # It is of several places, of which the one is meant that the other side is of.
    assert not mirror.plan(lab.dev, tmp_path / "manifest.json", prune=True, **SOME)
    bundle = next(path for path in lab.expected if "/bundles/" in path)
    entry = recorded.artefacts[bundle]
    assert entry.size == len(lab.expected[bundle])
    assert entry.bytes_sha256 == entry.file_sha256 != entry.sha256 is not None
    assert export() == before, "Nothing is new: it is not written again."
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["manifest.json"]


def test_it_stands_for_a_side_that_cannot_be_reached(manifest, lab, tmp_path):
    manifest.write(tmp_path / "state.json")
    assert not mirror.plan(lab.dev, str(tmp_path / "state.json"), prune=True, **SOME)
    plan = mirror.plan(lab.dev, manifest, prune=True, **SOME)
    assert not plan
    assert len(plan.those("skip")) == FILLED
    less = of({path: entry for path, entry in manifest.artefacts.items() if path != EGG})
    plan = mirror.plan(lab.dev, less, **SOME)
    assert [step.path for step in plan.those("copy")] == [conftest.EGG]
    # Another place, and a manifest that is all about eggs: the rest is not its business.
    eggs = mirror.manifest(lab.dev, kinds=["eggs"], **SOME)
    assert len(eggs.artefacts) == 4
    empty = lab.new("empty")
    plan = mirror.plan(empty, eggs, prune=True, **SOME)
    assert {step.action for step in plan.steps} == {"delete"}
    plan = mirror.plan(eggs, lab.dev, prune=True, **SOME)
    assert {(step.action, step.path.split("/")[1]) for step in plan.steps} == {("skip", "eggs")}
    for asked in ({"kinds": ["runtimes"]}, {"platforms": ["osx-arm64"]}, {"python_tags": ["cp27"]}):
        with pytest.raises(errors.InvalidArgumentError, match="others"):
            mirror.plan(eggs, empty, **{**SOME, **asked})
    named = mirror.manifest(lab.dev, names=["my*"], **SOME)
    assert list(named.artefacts) == [EGG]
    assert len(mirror.plan(named, empty, names=["myegg"], **SOME).steps) == 1
    with pytest.raises(errors.InvalidArgumentError, match="names my"):
        mirror.plan(named, empty, names=["m*"], **SOME)


def test_a_difference():
    one, other = Entry("eggs", SHA256, 1), Entry("eggs", "1" * 64, 1)
    place = f"{PLATFORM}/eggs/cp311"
    here = of({f"v1/acme/dev/{place}/{name}-1-1.egg": one for name in "abc"})
    entries = {"a": one, "b": other, "d": one}
    there = of(
        {f"v1/corp/main/{place}/{name}-1-1.egg": entry for name, entry in entries.items()},
        ("corp", "main"),
    )
    difference = here.difference(there)
    assert difference == mirror.Difference(
        (f"{place}/d-1-1.egg",), (f"{place}/b-1-1.egg",), (f"{place}/c-1-1.egg",)
    )
    assert difference
    assert str(difference).splitlines()[0] == "1 lacking, 1 different, 1 surplus"
    assert not here.difference(here)
    assert str(here.difference(here)) == "no difference"
    assert here != there
    for place, version in (("acme",), 1), ((), None):
        with pytest.raises(errors.InvalidArgumentError, match="compared"):
            here.difference(mirror.Manifest("elsewhere", place, version, EVERYTHING, {}))


def test_what_cannot_be_written_down(lab, tmp_path):
    with pytest.raises(errors.NotFoundError):
        mirror.manifest(lab.acme.repository("nowhere"), **SOME)
    with pytest.raises(errors.InvalidArgumentError, match="'wheels'"):
        mirror.manifest(tmp_path, kinds=["wheels"])
    old = lab.server.client(api_version=0)
    with pytest.raises(errors.UnsupportedAPIVersionError):
        mirror.manifest(old.organization("acme").repository("dev"), kinds=["bundles"])


def changed(**fields: Any) -> dict[str, Any]:
    return {**of({EGG: Entry("eggs", SHA256, 1)}).document(), **fields}


def entry(path: str = EGG, **fields: Any) -> dict[str, Any]:
    said = {"kind": "eggs", "sha256": SHA256, "size": 1, **fields}
    return changed(artefacts={path: said})


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ([], "is no manifest of hatcher"),
        ({"name": "a web application"}, "is no manifest of hatcher"),
        (changed(version=2), "version 2, and this hatcher knows version 1"),
        (changed(selection={**SELECTION, "kinds": ["wheels"]}), "There is no kind 'wheels'"),
        ({key: value for key, value in changed().items() if key != "place"}, "lacks 'place'"),
        (changed(place="acme"), "is no list"),
        (changed(api_version=7), "no version of the API"),
        (changed(artefacts=[EGG]), "is damaged"),
        (entry(sha256="abc"), "no sha256"),
        (entry(sha256=None), "is no text"),
        (entry(file_sha256=1), "is damaged"),
        (entry(size=-1), "has -1 bytes"),
        (entry(size=True), "has True bytes"),
        (entry(kind="runtimes"), "kind 'runtimes'"),
        (entry("v1/acme/dev/../dev/eggs/cp311/a-1-1.egg"), "not to be trusted"),
        (entry(f"v1/acme/dev/{PLATFORM}/eggs/cp311/.."), "not to be trusted"),
        (entry(f"v1/acme/dev/{PLATFORM}/eggs/../../a-1-1.egg"), "not to be trusted"),
        (entry(f"v1/acme/dev/{PLATFORM}/eggs/cp311/.hidden.egg"), "be hidden"),
        (entry(f"v1/acme/dev/{PLATFORM}/eggs/cp311/a\\b.egg"), "not to be trusted"),
        (entry("/etc/passwd"), "not to be trusted"),
        (entry(""), "not to be trusted"),
    ],
)
def test_what_is_not_believed(document, complaint, tmp_path):
    path = tmp_path / "state.json"
    path.write_text(json.dumps(document))
    with pytest.raises(errors.ArtefactError, match=complaint):
        mirror.read_manifest(path)


def test_what_is_no_json(tmp_path):
    path = tmp_path / "state.json"
    for content in (b"", b"\xff", b"PK\3\4", b"[" * 100_000):
        path.write_bytes(content)
        with pytest.raises(errors.ArtefactError, match="no manifest"):
            mirror.read_manifest(path)
    with pytest.raises(errors.ArtefactError, match="cannot be read"):
        mirror.read_manifest(tmp_path / "nothing.json")


# -- of a folder -------------------------------------------------------------------------


def test_it_follows_what_is_put_there_and_deleted(lab, tmp_path):
    source, folder = lab.new("moving"), tmp_path / "folder"
    for name in ("one", "two"):
        source.platform(PLATFORM).upload_egg(egg(tmp_path, name))
    mirror.plan(source, folder, **SOME).apply().raise_for_failures()
    mirror.export(lab.client, folder, repositories=["acme/dev"], **SOME).raise_for_failures()
    listed = set(mirror.read_manifest(folder / "manifest.json").artefacts)
    assert len(listed) == 2 + 6
    source.platform(PLATFORM).delete_egg("cp311", "one", "1.0.0-1")
    mirror.plan(source, folder, prune=True, **SOME).apply().raise_for_failures()
    gone = f"v1/acme/moving/{PLATFORM}/eggs/cp311/one-1.0.0-1.egg"
    assert set(mirror.read_manifest(folder / "manifest.json").artefacts) == listed - {gone}
    assert mirror.verify(folder)


def test_what_somebody_else_has_called_so_is_left_alone(lab, tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web application"}')
    report = mirror.export(lab.client, tmp_path, repositories=["acme/dev"], **SOME)
    assert len(report.downloaded) == 6
    assert not report
    assert places(report) == ["manifest.json"]
    assert "no manifest of hatcher" in str(report.problems[0].error)
    assert (tmp_path / "manifest.json").read_text() == '{"name": "a web application"}'


def test_nothing_goes_into_it_that_could_not_be_read_again(tmp_path):
    with pytest.raises(errors.InvalidNameError):
        record(tmp_path, {"v1/a/b/c/eggs/../../d.egg": Entry("eggs", SHA256, 1)})
    assert list(tmp_path.iterdir()) == []


PROCESS = """
import sys
from pathlib import Path
from hatcher.mirror.manifests import Entry
from hatcher.mirror.folder import record

root, name = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(60):
    path = f"v1/acme/dev/rh8-x86_64/eggs/cp311/{name}-{number}-1.egg"
    before = f"v1/acme/dev/rh8-x86_64/eggs/cp311/{name}-{number - 1}-1.egg"
    # Of each pair of neighbours only the one with an even number is to stay.
    record(root, {path: Entry("eggs", "0" * 64, number)}, [before] if number % 2 == 0 else [])
"""


def test_several_processes_write_into_one(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two", "three")
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    listed = mirror.read_manifest(tmp_path / "manifest.json").artefacts
    stay = [*range(0, 60, 2), 59]
    assert {path.rpartition("/")[2] for path in listed} == {
        f"{name}-{number}-1.egg" for name in ("one", "two", "three") for number in stay
    }
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


def test_a_large_one(tmp_path):
    """It is written without making one text of it, and read in no time."""
    folder = f"v1/acme/dev/{PLATFORM}/eggs/cp311"
    large = of({f"{folder}/egg{n}-1.0-1.egg": Entry("eggs", f"{n:064x}", n) for n in range(50_000)})
    assert max(map(len, large.chunks())) < 1_000_000
    large.write(tmp_path / "large.json")
    assert mirror.read_manifest(tmp_path / "large.json") == large
