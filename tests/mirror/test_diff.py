"""How two places, folders, archives and manifests differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.errors import (
    ArtefactError,
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import write_egg

from .conftest import (
    APP,
    BUNDLE,
    EGG,
    OLD,
    PLATFORM,
    RUNTIME,
    SOME,
    Lab,
    egg,
    places,
    refused,
    renew,
)

EGGS: dict[str, Any] = {**SOME, "kinds": ("eggs",)}


def told(found: mirror.Diff) -> dict[str, str]:
    return {change.path: change.change for change in found.changes}


def swapped(told: dict[str, str]) -> dict[str, str]:
    return {path: {"added": "removed", "removed": "added"}.get(of, of) for path, of in told.items()}


@pytest.fixture
def copy(lab: Lab, tmp_path: Path) -> Repository:
    """acme/copy: as acme/dev, but four are others, one is missing, and one more is there."""
    copy = lab.new()
    mirror.plan(lab.dev, copy, **SOME).apply().raise_for_failures()
    renewed = tmp_path / "renewed"
    renewed.mkdir()
    renew(copy, renewed)
    copy.platform(PLATFORM).egg("cp38", "old", "1.0-1").delete()
    copy.platform(PLATFORM).upload_egg(egg(tmp_path, "new"))
    return copy


NEW = f"{PLATFORM}/eggs/cp311/new-1.0.0-1.egg"
EXPECTED = {
    NEW: "added",
    OLD: "removed",
    **dict.fromkeys((EGG, RUNTIME, APP, BUNDLE), "changed"),
}


def test_any_two_sides(lab, copy, tmp_path):
    """Places, folders, archives and manifests say the same, whichever is which."""
    sides: dict[str, list[Any]] = {"dev": [lab.dev], "copy": [copy]}
    for name, side in (("dev", lab.dev), ("copy", copy)):
        mirror.manifest(side, **SOME).write(tmp_path / f"{name}.json")
        mirror.pack(side, tmp_path / f"{name}.zip", **SOME).raise_for_failures()
        sides[name] += [mirror.read_manifest(tmp_path / f"{name}.json")]
        sides[name] += [tmp_path / f"{name}.json", str(tmp_path / f"{name}.zip")]
    for a in sides["dev"]:
        for b in sides["copy"]:
            found = mirror.diff(a, b, **SOME)
            assert found
            assert (told(found), found.same, found.problems) == (EXPECTED, 3, ())
            back = mirror.diff(b, a, **SOME)
            assert (told(back), back.same) == (swapped(EXPECTED), 3)
            assert not mirror.diff(a, a, **SOME)
    assert {change.path for change in found.added} == {NEW}
    assert {change.path for change in found.removed} == {OLD}
    assert len(found.changed) == 4
    assert found.unknown == ()


def test_a_folder_and_a_place(lab, copy, tmp_path):
    """What a folder has no folder of, it lacks; damage is a difference like any other."""
    mirror.plan(lab.dev, tmp_path / "all", **EGGS).apply().raise_for_failures()
    folder = mirror.Folder(tmp_path / "all", "acme/dev")
    expected = {path: what for path, what in EXPECTED.items() if "/eggs/" in path}
    assert told(mirror.diff(folder, copy, **EGGS)) == expected
    assert not mirror.diff(tmp_path / "all", lab.dev, **EGGS)
    win = "win-x86_64/eggs/cp311/win-1.0-1.egg"
    shutil.rmtree(tmp_path / "all/v1/acme/dev/win-x86_64")
    assert told(mirror.diff(folder, lab.dev, **EGGS)) == {win: "added"}
    assert told(mirror.diff(lab.dev, folder, **EGGS)) == {win: "removed"}
    (tmp_path / "all/v1/acme/dev" / EGG).write_bytes(b"damaged")
    for pair in ((folder, lab.dev), (lab.dev, folder)):
        assert told(mirror.diff(*pair, **EGGS))[EGG] == "changed"
    stray = tmp_path / "all/v1/acme/dev" / PLATFORM / "eggs/notes.txt"
    stray.write_text("What is it?")
    found = mirror.diff(folder, lab.dev, **EGGS)
    assert told(found)[win] == "unknown", "It may be there, under another name."
    assert places(found) == ["acme/dev"]


def test_what_a_row_says(lab, copy):
    found = mirror.diff(lab.dev, copy, **SOME, names=["MYEGG", "cpython"])
    rows = {row["path"]: row for row in found.rows()}
    assert rows.keys() == {EGG, RUNTIME}
    there = {
        side: side.platform(PLATFORM).egg("cp311", "MyEgg", "1.0-1") for side in (lab.dev, copy)
    }
    assert rows[EGG] == {
        "change": "changed",
        "path": EGG,
        "kind": "eggs",
        "platform": PLATFORM,
        "python_tag": "cp311",
        "name": "MyEgg",
        "version": "1.0-1",
        "a_size": there[lab.dev].metadata()["size"],
        "b_size": there[copy].metadata()["size"],
        "a_sha256": there[lab.dev].sha256(),
        "b_sha256": there[copy].sha256(),
        "reason": None,
    }
    runtime = rows[RUNTIME]
    assert (runtime["name"], runtime["version"]) == ("cpython", "3.8.17+1")
    assert runtime["python_tag"] is None
    document = json.loads(json.dumps(found.document()))
    assert document == {
        "a": f"acme/dev on {lab.server.url}",
        "b": f"acme/copy on {lab.server.url}",
        "same": found.same,
        "changes": found.rows(),
        "problems": [],
    }


# -- versions side by side, and how it looks --------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two exports of acme/dev with the same egg of 30 names, of which 29 have a newer version in B."""
    made = (tmp_path / "a", tmp_path / "b")
    for folder in made:
        below = folder / "v1/acme/dev" / PLATFORM / "eggs/cp311"
        below.mkdir(parents=True)
        for number in range(30):
            write_egg(below, f"n{number:02}", "1.9.0", 2, platform=PLATFORM, python_tag="cp311")
            if number and folder.name == "b":
                (below / f"n{number:02}-1.9.0-2.egg").rename(below / f"n{number:02}-1.10.0-10.egg")
    return made


def test_versions_side_by_side(folders):
    a, b = folders
    below = b / "v1/acme/dev" / PLATFORM / "eggs/cp311"
    for version in ("1.9.0-10", "1.10.0-1", "1.10.0-2"):
        (below / f"n01-{version}.egg").write_bytes(b"new")
    (below / "n00-1.9.0-2.egg").write_bytes(b"other")
    found = mirror.diff(a, b)
    assert (found.a, found.b) == (str(a), str(b))
    one, two, *_ = found.by_name()
    where = f"v1/acme/dev/{PLATFORM}/eggs/cp311"
    empty = {"added": [], "removed": [], "changed": [], "unknown": []}
    assert one == {"where": where, "name": "n00", **empty, "changed": ["1.9.0-2"]}
    added = ["1.9.0-10", "1.10.0-1", "1.10.0-2", "1.10.0-10"]
    assert two == {"where": where, "name": "n01", **empty, "removed": ["1.9.0-2"], "added": added}
    said = str(found).splitlines()
    assert said[0] == "32 added, 29 removed, 1 changed, 0 the same"
    assert said[2] == f"{where} n01: added {', '.join(added)}; removed 1.9.0-2"
    assert (len(said), said[-1]) == (22, "and 10 more")
    assert repr(found) == f"<Diff of {a} and {b}: {said[0]}>"
    html = found._repr_html_()
    assert html.count("<tr>") == 31 and "1.9.0-10, 1.10.0-1, 1.10.0-2, 1.10.0-10" in html
    assert "<table>" not in mirror.diff(a, a)._repr_html_()
    change = mirror.Change("added", "<b>", "eggs", "p", None, "<b>", "&", reason="<i>")
    assert "<b>" not in mirror.Diff("<b>", "<b>", (change,))._repr_html_()


def test_whole_folders(folders, tmp_path):
    """Without a place, all organizations in them are compared; one may be missing in one of them."""
    a, b = folders
    shutil.copytree(a / "v1/acme", a / "v1/corp")
    (b / "v0/old/dev/win-x86_64/eggs/None").mkdir(parents=True)
    only_b = "v0/old/dev/win-x86_64/eggs/None/x-1.0-1.egg"
    (b / only_b).write_bytes(b"x")
    found = mirror.diff(a, b)
    assert (len(found.added), len(found.removed), found.same) == (30, 59, 1)
    assert told(found)[only_b] == "added"
    assert {change.path.split("/")[1] for change in found.removed} == {"acme", "corp"}
    mirror.manifest(a).write(tmp_path / "a.json")
    assert told(mirror.diff(b, tmp_path / "a.json")) == swapped(told(found))
    assert told(mirror.diff(mirror.Folder(a, "corp/dev"), mirror.Folder(a, "acme/dev"))) == {}
    corp = mirror.diff(mirror.Folder(a, "corp"), mirror.Folder(b, "acme"), names=["n0[0-3]"])
    assert (len(corp.added), len(corp.removed), corp.same) == (3, 3, 1)
    stray = a / "v1/acme/dev" / PLATFORM / "eggs/what.txt"
    stray.touch()
    found = mirror.diff(a, b)
    assert {change.path.split("/")[1] for change in found.unknown} == {"acme"}
    assert places(found) == ["acme/dev"]


# -- what could not be read -------------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, 500])
def test_what_cannot_be_read_is_neither_added_nor_removed(status, lab, copy):
    path = f"*/indices/*{PLATFORM}/cp38/eggs*"
    half = lab.behind(refused(path, status), retries=0, cache=False)
    # What is in no index that could be read is not known of at all.
    expected = {**EXPECTED, NEW: "unknown"}
    del expected[OLD]
    for found in (mirror.diff(half, copy, **SOME), mirror.diff(copy, half, **SOME)):
        assert found
        assert told(found) == expected
        assert f"{half}/{PLATFORM} eggs" in places(found)
        assert str(status) in found.unknown[0].reason
        assert "problem: " in str(found) and "problem: " in found._repr_html_()
    bundles = lab.behind(refused("*/bundles*", status), retries=0, cache=False)
    found = mirror.diff(copy, bundles, **SOME)
    assert told(found) == {**swapped(EXPECTED), BUNDLE: "unknown"}
    everything = lab.behind(refused("*/indices/*", status), retries=0, cache=False)
    with pytest.raises(HatcherException):
        mirror.diff(copy, everything, **EGGS)


def test_a_hash_that_nobody_says(lab, copy):
    """An app that is there, and cannot be asked for, differs in a way that nobody knows."""
    dev = lab.behind(refused("*/cp38/apps/*", 500), retries=0, cache=False)
    for found in (mirror.diff(dev, copy, **SOME), mirror.diff(copy, dev, **SOME)):
        assert told(found)[APP] == "unknown"
        assert APP in places(found)


def test_repositories_that_one_organization_lacks(lab, tmp_path):
    """They are only there where the list is whole; who is no administrator sees only some."""
    lab.new("more").platform(PLATFORM).upload_egg(egg(tmp_path, "own"))
    mirror.plan(lab.dev, tmp_path / "all", **EGGS).apply().raise_for_failures()
    folder = mirror.Folder(tmp_path / "all", "acme")
    own = f"more/{PLATFORM}/eggs/cp311/own-1.0.0-1.egg"
    assert told(mirror.diff(folder, lab.acme, **EGGS)) == {own: "added"}
    lab.corp.create_repository("dev", "")
    mirror.plan(lab.dev, lab.corp.repository("dev"), **EGGS).apply().raise_for_failures()
    assert told(mirror.diff(lab.corp, lab.acme, **EGGS)) == {own: "added"}
    some = lab.behind(
        refused("*/admin/organizations/corp/repositories", 403),
        of=lab.corp.repository("dev"),
        retries=0,
        cache=False,
    )
    found = mirror.diff(lab.acme, BroodClient(some._session).organization("corp"), **EGGS)
    assert told(found) == {own: "unknown"}
    assert places(found) == [f"corp/more on {lab.gateway.url}"]


def test_what_a_manifest_does_not_speak_of(lab, copy):
    said = mirror.manifest(lab.dev, platforms=[PLATFORM], python_tags=["cp311"], kinds=["eggs"])
    found = mirror.diff(said, copy, **{**SOME, "kinds": ("eggs", "bundles")})
    assert told(found)[BUNDLE] == "unknown"
    assert told(found)[EGG] == "changed"
    assert told(found)[NEW] == "added"
    assert any(
        "does not say whether there are bundles for cp38" in str(one) for one in found.problems
    )
    assert not mirror.diff(
        said, lab.dev, platforms=[PLATFORM], python_tags=["cp311"], kinds=["eggs"]
    )


# -- many -------------------------------------------------------------------------------------------


def test_what_sets_say(dice, tmp_path):
    """Of any two folders it says what their sets of paths and contents say."""
    for number in range(3):
        sides: list[dict[str, bytes]] = []
        for name in ("a", "b"):
            side = {}
            for _ in range(60):
                place = dice.choice(("acme/dev", "acme/old", "corp/dev"))
                tag, platform = (
                    dice.choice(("None", "cp38", "cp311")),
                    dice.choice((PLATFORM, "win-x86_64")),
                )
                egg = f"{dice.choice('xyz')}-1.{dice.randrange(3)}-1.egg"
                side[f"v1/{place}/{platform}/eggs/{tag}/{egg}"] = dice.choice((b"1", b"2"))
            for path, content in side.items():
                file = tmp_path / f"{name}{number}" / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            sides.append(side)
        a, b = sides
        expected = dict.fromkeys(a.keys() - b.keys(), "removed")
        expected |= dict.fromkeys(b.keys() - a.keys(), "added")
        common = a.keys() & b.keys()
        expected |= {path: "changed" for path in common if a[path] != b[path]}
        found = mirror.diff(tmp_path / f"a{number}", tmp_path / f"b{number}")
        assert told(found) == expected
        assert found.same == sum(a[path] == b[path] for path in common)


def test_version_0(lab, copy, tmp_path):
    """It gives away eggs alone, and so nothing else is compared."""
    old = lab.server.client(api_version=0).at("acme/dev")
    found = mirror.diff(old, copy, **SOME)
    assert told(found) == {path: what for path, what in EXPECTED.items() if "/eggs/" in path}
    with pytest.raises(UnsupportedAPIVersionError):
        mirror.diff(old, copy, kinds=["bundles"])


# -- bad input ----------------------------------------------------------------------------------------


def test_what_cannot_be_compared(lab, folders, tmp_path):
    a, _ = folders
    for one, other, said in (
        (lab.dev, lab.acme, "Give two organizations, two repositories or two platforms"),
        (lab.dev, lab.client, "is no side of a mirror"),
        (lab.dev, None, "is no side of a mirror"),
        (3, lab.dev, "is no side of a mirror"),
        (lab.dev, tmp_path / "nothing", "There is no folder 'v1/acme/dev/'"),
        (a, tmp_path / "nothing", "There is no export in"),
        (mirror.Folder(a, "acme/nothing"), lab.dev, "There is no folder 'v1/acme/nothing/'"),
        (a, "", "There is no export in"),
        (a, "x\ud800", "There is no export in"),
        (a, "x" * 5000, "There is no export in"),
        (a, "x\0", "There is no export in"),
        (lab.dev, "x" * 5000, "There is no folder 'v1/acme/dev/'"),
        (lab.dev, "x\0", "There is no folder 'v1/acme/dev/'"),
    ):
        for pair in ((one, other), (other, one)):
            with pytest.raises(InvalidArgumentError, match=said.replace("(", r"\(")):
                mirror.diff(*pair, **EGGS)
    for options, said in (
        ({"kinds": ["wheels"]}, "wheels"),
        ({"kinds": "eggs"}, "takes a list"),
        ({"python_tags": ["3.11"]}, "no python tag"),
        ({"names": [""]}, "One of the names is empty"),
        ({"concurrency": 0}, "concurrency"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            mirror.diff(a, a, **options)
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "broken.zip").write_text("PK")
    for name in ("broken.json", "broken.zip"):
        with pytest.raises(ArtefactError):
            mirror.diff(lab.dev, tmp_path / name)
    with pytest.raises(NotFoundError):
        mirror.diff(lab.dev, lab.acme.repository("nothing"), **EGGS)
    with pytest.raises(NotFoundError):
        mirror.diff(lab.acme.repository("nothing"), lab.dev, **EGGS)
