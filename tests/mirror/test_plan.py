"""What would have to be done, so that one place has what another one has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import FileResult, Repository
from hatcher.artefacts.python_tags import preference, usable_tags
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
    UnsupportedAPIVersionError,
)
from hatcher.mirror.contents import digest
from hatcher.mirror.selection import select
from hatcher.sizes import human_size
from hatcher.testing import write_bundle

from .conftest import (
    BUNDLE,
    EGG,
    OLD,
    PLATFORM,
    RUNTIME,
    SOME,
    Lab,
    actions,
    egg,
    places,
    refused,
    renew,
)

KINDS: dict[str, Any] = {"kinds": ("eggs", "runtimes", "bundles"), **SOME}


@pytest.fixture
def expected(lab: Lab) -> dict[str, bytes]:
    """What acme/dev has, by the path below it."""
    return {path.removeprefix("v1/acme/dev/"): content for path, content in lab.expected.items()}


@pytest.fixture
def copy(lab: Lab, tmp_path: Path) -> Repository:
    """acme/copy, with the same as acme/dev but for apps; and an export of it."""
    copy, moving = lab.new(), tmp_path / "moving"
    mirror.export(lab.client, moving, repositories=["acme/dev"], **KINDS).raise_for_failures()
    (moving / "v1/acme/dev").rename(moving / "v1/acme/copy")
    mirror.import_(lab.client, moving).raise_for_failures()
    return copy


def test_an_empty_target_lacks_everything(lab, expected, tmp_path):
    empty = lab.new("empty")
    for target in (empty, tmp_path / "nothing"):
        plan = mirror.plan(lab.dev, target, **KINDS)
        assert plan
        assert actions(plan) == dict.fromkeys(sorted(expected), "copy")
        sizes = {step.path: step.size for step in plan.steps if "/eggs/" in step.path}
        assert sizes == {path: len(expected[path]) for path in sizes}
        assert str(plan).startswith(f"7 artefacts: 7 copy; {human_size(plan.bytes)} to move\n")
    assert not mirror.plan(empty, lab.dev, **KINDS)
    plan = mirror.plan(empty, lab.dev, prune=True, **KINDS)
    assert actions(plan) == dict.fromkeys(sorted(expected), "delete")


def test_equal_places(lab, copy, expected):
    for source, target in [(lab.dev, copy), (copy, lab.dev)]:
        plan = mirror.plan(source, target, prune=True, **KINDS)
        assert actions(plan) == dict.fromkeys(sorted(expected), "skip")
        assert not plan
        assert str(plan) == "7 artefacts: 7 skip"
    plan = mirror.plan(lab.acme, lab.acme, **KINDS)
    assert {path.split("/")[0] for path in actions(plan)} == {"copy", "dev"}
    assert not plan
    some = {name: KINDS[name] for name in ("kinds", "python_tags")}
    plan = mirror.plan(lab.dev.platform(PLATFORM), copy.platform(PLATFORM), **some)
    assert {f"{PLATFORM}/{path}" for path in actions(plan)} == {
        path for path in expected if path.startswith(PLATFORM)
    }


def test_a_folder_is_an_end_too(lab, copy, tmp_path, expected):
    """An export of acme/copy is compared with acme/copy, of acme/dev it has nothing."""
    folder = tmp_path / "moving"
    for source, target in [(copy, str(folder)), (folder, copy)]:
        plan = mirror.plan(source, target, prune=True, **KINDS)
        assert actions(plan) == dict.fromkeys(sorted(expected), "skip")
    assert set(actions(mirror.plan(lab.dev, folder, **KINDS)).values()) == {"copy"}
    here = folder / "v1/acme/copy"
    (here / EGG).write_bytes(b"other")
    (here / BUNDLE).unlink()
    changes = actions(mirror.plan(copy, folder, **KINDS))
    assert {path: action for path, action in changes.items() if action != "skip"} == {
        EGG: "update",
        BUNDLE: "copy",
    }
    # Two files that would be one.
    (here / EGG).parent.joinpath("deeper").mkdir()
    twin = (here / EGG).parent / "deeper/MyEgg-1.0-1.egg"
    twin.write_bytes(b"other")
    assert mirror.plan(folder, copy, **KINDS).those("update")
    twin.write_bytes(b"another")
    with pytest.raises(InvalidArgumentError, match="one artefact"):
        mirror.plan(folder, copy, **KINDS)


def test_eggs_for_several_pythons_are_in_a_folder_too(lab, tmp_path):
    """The index of one python tag shows them: they must not be deleted for want of them."""
    repository = lab.new()
    for tag in ("cp311", "cp310", "py38", "py311", None):
        repository.platform(PLATFORM).upload_egg(egg(tmp_path, f"for_{tag}", tag=tag))
    folder = tmp_path / "folder"
    some: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311"]}
    mirror.export(lab.client, folder, repositories=["acme/copy"], **some).raise_for_failures()
    for tag in ("cp310", "py312", "py2"):
        others = folder / "v1/acme/copy" / PLATFORM / "eggs" / tag
        others.mkdir()
        (others / "other-1.0.0-1.egg").write_bytes(b"of another Python")
    for source, target in [(folder, repository), (repository, folder)]:
        plan = mirror.plan(source, target, kinds=["eggs"], prune=True, **some)
        assert [step.action for step in plan.steps] == ["skip"] * 4


@pytest.mark.parametrize("asked", ["cp311", "cp38", "cp27", "pp27"])
def test_a_folder_shows_what_an_index_would(asked):
    selection = select(["eggs"], None, None, [asked])
    usable = usable_tags(asked)
    for tag in ("cp311", "cp38", "cp27", "py3", "py2", "py2.py3", "py38", "py312", "py27", "pp27"):
        assert selection.takes_egg(tag) == (preference(tag, usable) is not None), tag
    assert selection.takes_egg(None)


def test_every_difference(lab, copy, tmp_path):
    here = copy.platform(PLATFORM)
    renew(copy, tmp_path)
    here.delete_egg("cp38", "old", "1.0-1")
    here.upload_egg(egg(tmp_path, "extra", tag="cp38"))
    plan = mirror.plan(lab.dev, copy, prune=True, **KINDS)
    assert {path: action for path, action in actions(plan).items() if action != "skip"} == {
        EGG: "update",
        BUNDLE: "update",
        f"{PLATFORM}/eggs/cp38/extra-1.0.0-1.egg": "delete",
        OLD: "copy",
        RUNTIME: "update",
    }
    assert not mirror.plan(lab.dev, copy, **KINDS).those("delete")
    document = json.loads(json.dumps(plan.document()))
    new = json.loads(write_bundle(tmp_path).read_text())
    assert document["steps"][0] == {
        "action": "update",
        "path": BUNDLE,
        "size": len(json.dumps(new, indent=2)),
        "sha256": digest(new),
        "replaces": digest({**new, "mark": "other"}),
        "reason": None,
    }
    assert document["source"].startswith("acme/dev on http://127.0.0.1:")
    assert mirror.Plan.from_document(document, lab.dev, copy) == plan


def test_nothing_is_deleted_when_the_source_could_not_be_read_whole(lab, copy, tmp_path):
    """Nobody can say what would be surplus then, or lacking the other way round."""
    copy.platform(PLATFORM).upload_egg(egg(tmp_path, "extra"))
    source = lab.behind(refused(f"*/indices/acme/dev/{PLATFORM}/*/eggs"))
    problem, archive = [f"acme/dev/{PLATFORM} eggs"], tmp_path / "partial.zip"
    report = mirror.pack(source, archive, **KINDS)
    assert not report and places(report) == problem
    for side in (source, archive):
        plan = mirror.plan(side, copy, prune=True, **KINDS)
        assert plan and places(plan) == problem
        assert not plan.those("delete")
    for sides in [(lab.dev, source), (source, lab.dev)]:
        result = mirror.verify(*sides, **SOME)
        assert not result and result.findings == ()
        assert places(result) == problem and "problem: acme/dev" in str(result)


def test_no_question_for_what_the_indices_say(lab, copy):
    dev = lab.behind()
    copy = lab.client.at("acme/copy")
    some = {**KINDS, "kinds": ["eggs", "runtimes"]}
    assert not mirror.plan(dev, copy, **some)
    asked = [passage.path for passage in lab.gateway.requests if "/auth/" not in passage.path]
    # Two platforms: the eggs of two tags, and the runtimes.
    assert len(asked) == len(set(asked)) == 2 * 3
    assert all("/indices/" in path for path in asked)


def test_what_cannot_be_compared(lab, tmp_path):
    for source, target in [
        (tmp_path, tmp_path),
        (lab.dev, lab.dev.platform(PLATFORM)),
        (lab.acme, lab.dev),
    ]:
        with pytest.raises(InvalidArgumentError, match="compared"):
            mirror.plan(source, target)
    with pytest.raises(UnsupportedAPIVersionError):
        mirror.plan(lab.dev, mirror.Folder(tmp_path, api_version=0), kinds=["runtimes"])
    with pytest.raises(NotFoundError):
        mirror.plan(lab.acme.repository("nowhere"), lab.dev, **KINDS)
    with pytest.raises(InvalidArgumentError, match="'v1/acme/dev/'"):
        mirror.plan(tmp_path, lab.dev, **KINDS)


def test_what_is_said_of_much_is_short():
    """What somebody has to look into comes first; of all else there are the first ones, and a number."""
    steps = [mirror.Step("copy", f"p/eggs/None/e{number:02}-1-1.egg", 1000) for number in range(30)]
    steps += [
        mirror.Step("skip", "p/eggs/None/f-1-1.egg"),
        mirror.Step("conflict", "z", reason="?"),
    ]
    wrong = mirror.Problem("acme/dev", HatcherException("No."))
    asked = select(["eggs"], None, None)
    plan = mirror.Plan("here", "there", tuple(steps), (wrong,) * 30, asked, True, 10)
    summary, limit, first, *lines = str(plan).splitlines()
    assert summary == "32 artefacts: 30 copy, 1 conflict, 1 skip; 30.0 kB to move"
    assert (limit, first) == ("at most 10 may be deleted", "conflict z: ?")
    assert lines[0] == "copy p/eggs/None/e00-1-1.egg (1.00 kB)"
    assert lines[18:21] == [str(steps[18]), "and 11 more", "problem: acme/dev: No."]
    assert lines[40:] == ["and 10 more"]
    assert repr(plan) == f"<Plan from here to there: {summary}>"
    assert "<td>conflict</td><td>z</td>" in plan._repr_html_()
    result = FileResult("x", Path("x"), "failed", 1, HatcherException("No."))
    report = mirror.MirrorReport((result,) * 30, (wrong,))
    assert len(str(report).splitlines()) == 1 + 20 + 1 + 1
    assert repr(report) == "<MirrorReport: 30 files: 30 failed>"
    finding = mirror.Finding("missing", "x")
    proof = mirror.Verification("there", None, 1, 10**9, (finding,) * 30)
    assert repr(proof) == "<Verification: 1 artefact checked, 1.00 GB hashed: 30 missing>"
    assert len(str(proof).splitlines()) == 1 + 20 + 1
    entry = mirror.BundleEntry("missing", "eggs", "n", "1-1", "acme/dev")
    check = mirror.BundleCheck("b", (entry,) * 30)
    assert repr(check) == "<BundleCheck: b: 30 artefacts: 30 missing>"
    assert len(str(check).splitlines()) == 1 + 20 + 1
