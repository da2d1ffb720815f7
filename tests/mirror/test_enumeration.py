"""Nothing is passed over: no server's list of platforms or python tags is complete."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.errors import InvalidJSONError, InvalidResponseError
from hatcher.testing import RequestFault, write_egg

from .conftest import PLATFORM, Lab, actions, answered, places, refused

HERE: dict[str, Any] = {"platforms": [PLATFORM], "kinds": ["eggs"]}
TAG: dict[str, Any] = {**HERE, "python_tags": ["cp311"]}


class Places:
    """An empty repository, and acme/copy as another one, on servers that say less."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self._folder = lab, folder
        self.source, self.target = lab.new("source"), lab.new()

    def behind(self, *faults: RequestFault) -> Repository:
        """The source on another server, whose lists are older or that refuses."""
        return self.lab.behind(*faults, of=self.source, retries=0, cache=False)

    def upload(self, to: Repository, tag: str | None, name: str = "", platform: str = PLATFORM):
        """Upload an egg; return its path below the repository."""
        made = write_egg(self._folder, name or f"for_{tag}", platform=platform, python_tag=tag)
        to.platform(platform).upload_egg(made)
        return f"{platform}/eggs/{tag}/{made.name}"


@pytest.fixture
def here(lab: Lab, tmp_path: Path) -> Places:
    (tmp_path / "eggs").mkdir()
    return Places(lab, tmp_path / "eggs")


def told(what: str, *names: object, path: str | None = None) -> RequestFault:
    """A server that lists these, and no more."""
    return answered(path or f"*/metadata/{what.replace('_', '-')}*", {what: names})


@pytest.mark.parametrize("lists", [(), ("cp311", "pp38")])
def test_eggs_for_pythons_that_no_list_knows(lists, here, tmp_path):
    tags = ("cp311", "cp315", "pp312") if not lists else ("cp311", "cp315", "cp316", "pp312")
    paths = {here.upload(here.source, tag) for tag in tags}
    dev = here.behind(*([told("python_tags", *lists)] if lists else []))
    plan = mirror.plan(dev, here.target, **HERE)
    assert actions(plan) == dict.fromkeys(paths, "copy")
    assert not plan.problems
    lacking = mirror.verify(here.target, dev, **HERE)
    assert {finding.path.removeprefix("v1/acme/copy/") for finding in lacking.findings} == paths
    client = BroodClient(dev._session)
    report = mirror.export(client, tmp_path / "all", repositories=["acme/source"], **HERE)
    report.raise_for_failures()
    assert {result.name.removeprefix("v1/acme/source/") for result in report.results} == paths
    listed = mirror.manifest(dev, **HERE)
    assert len(listed.artefacts) == len(paths)
    listed.write(tmp_path / "state.json")
    assert mirror.read_manifest(tmp_path / "state.json") == listed
    assert len(mirror.pack(dev, tmp_path / "all.zip", **HERE).packed) == len(paths)
    plan.apply().raise_for_failures()
    assert mirror.verify(here.target, dev, **HERE)
    plan = mirror.plan(tmp_path / "all", dev, prune=True, **HERE)
    assert set(actions(plan).values()) == {"skip"}


def test_what_the_other_one_has_is_asked_for(here, tmp_path):
    """Here nobody would ask for cp377, unless it is seen at the other side."""
    both = here.upload(here.source, "cp377", "both")
    here.upload(here.target, "cp377", "both")
    surplus = here.upload(here.target, "cp377", "surplus")
    dev = here.behind(told("python_tags", "cp311"))
    copy = BroodClient(dev._session).organization("acme").repository("copy")
    assert actions(mirror.plan(dev, copy, **HERE)) == {}
    folder, some = (
        mirror.Folder(tmp_path / "folder", "acme/copy"),
        {**HERE, "python_tags": ["cp377"]},
    )
    mirror.plan(copy, folder, **some).apply().raise_for_failures()
    for other in (folder, mirror.manifest(copy, **some)):
        plan = mirror.plan(dev, other, prune=True, **HERE)
        assert actions(plan) == {both: "skip", surplus: "delete"}
        (found,) = mirror.verify(dev, other, **HERE).findings
        assert (found.condition, found.path) == ("lacking", f"v1/acme/source/{surplus}")
    report = mirror.pack(dev, tmp_path / "delta.zip", lacking=folder, **HERE)
    assert [result.outcome for result in report.results] == ["already there"]
    assert report
    # A plan that was kept knows it, too.
    plan = mirror.plan(folder, copy, **HERE)
    copy.platform(PLATFORM).delete_egg("cp377", "surplus", "1.0.0-1")
    assert len(mirror.plan(folder, copy, **HERE).apply().uploaded) == 1
    assert not plan


@pytest.mark.long
@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("which", ["python-tags", "python-tags/all", "platforms"])
def test_a_list_that_fails(which, status, here, tmp_path):
    """Who could not be asked what there is has not said that something is gone."""
    here.upload(here.source, "cp311")
    here.upload(here.target, "cp311", "surplus")
    dev, target = here.behind(refused(f"*/metadata/{which}", status)), here.target
    client = BroodClient(dev._session)
    some: dict[str, Any] = {"kinds": ["eggs"]} if which == "platforms" else HERE
    plan = mirror.plan(dev, target, prune=True, **some)
    assert plan
    assert places(plan) == [f"the {which.partition('/')[0].replace('-', ' ')} of {client.url}"]
    assert not plan.those("delete")
    assert not mirror.verify(target, dev, **some)
    assert not mirror.verify(dev, target, **some)
    assert not mirror.export(client, tmp_path / "all", repositories=["acme/source"], **some)
    assert mirror.manifest(dev, **some).problems
    assert not mirror.pack(dev, tmp_path / "all.zip", **some)
    # Where it is said what is meant, there is nothing to be listed.
    assert len(mirror.plan(dev, target, prune=True, **TAG).those("delete")) == 1


@pytest.mark.long
@pytest.mark.parametrize("what", ["python_tags", "platforms"])
def test_a_list_of_something_else(what, here):
    dev = here.behind(told(what, "cp311", 5))
    (problem,) = mirror.plan(dev, here.target, kinds=["eggs"]).problems
    assert isinstance(problem.error, InvalidJSONError)


def test_tags_that_a_server_refuses(here):
    here.upload(here.target, "cp319")
    here.upload(here.target, "cp311", "surplus")
    lists = told("python_tags", "cp311", "cp314")
    dev = here.behind(
        lists, refused("*/indices/*/cp315/eggs", 400), refused("*/indices/*/cp316/eggs")
    )
    # It knows none of the next Pythons, and so has nothing for them.
    plan = mirror.plan(dev, here.target, prune=True, **HERE)
    assert not plan.problems
    assert len(plan.those("delete")) == 2
    # But who knows what it has, where there are such eggs?
    dev = here.behind(lists, refused("*/indices/*/cp319/eggs", 400))
    for source, target in [(dev, here.target), (here.target, dev)]:
        plan = mirror.plan(source, target, prune=True, **HERE)
        (problem,) = plan.problems
        assert problem.place.startswith("eggs for 'cp319'")
        assert isinstance(problem.error, InvalidResponseError)
        assert not plan.those("delete") or source is here.target
        assert not mirror.verify(source, target, **HERE)


def test_platforms_that_no_list_knows(here, tmp_path):
    win = here.upload(here.target, "cp311", platform="win-x86_64")
    old = here.behind(told("platforms", PLATFORM))
    some: dict[str, Any] = {"kinds": ["eggs"], "python_tags": ["cp311"]}
    assert actions(mirror.plan(old, here.target, prune=True, **some)) == {win: "delete"}
    assert actions(mirror.plan(here.target, old, **some)) == {win: "copy"}
    # One that the server refuses.
    folder = tmp_path / "v1/acme/source/rh99-x86_64/eggs/cp311"
    folder.mkdir(parents=True)
    write_egg(folder, "new", platform=None, python_tag="cp311")
    for sides in [(here.source, tmp_path), (tmp_path, here.source)]:
        plan = mirror.plan(*sides, prune=True, **some)
        assert places(plan) == ["acme/source/rh99-x86_64 eggs"]
        assert not plan.those("delete")
    assert not mirror.verify(tmp_path, here.source, **some)


def test_eggs_of_one_name_do_not_hide_each_other(here):
    """Every index shows one that suits its own Python better than the one for all."""
    tags = ("cp311", *(f"cp3{minor}" for minor in range(12, 17)))
    paths = {here.upload(here.source, tag, "same") for tag in (*tags, None)}
    dev = here.behind(
        told("python_tags", "cp311", path="*/metadata/python-tags"),
        told("python_tags", "cp311", "py3", "py311", path="*/metadata/python-tags/all"),
    )
    assert actions(mirror.plan(dev, here.target, **HERE)) == dict.fromkeys(paths, "copy")
    assert here.lab.gateway.sent("GET", "*/indices/*/none/eggs") == 1
    assert here.lab.gateway.sent("GET", "*/indices/*/py3/eggs") == 1
    # Nobody asks in vain, where something is not hidden.
    here.source.platform(PLATFORM).delete_egg("cp314", "same", "1.0.0-1")
    paths.remove(f"{PLATFORM}/eggs/cp314/same-1.0.0-1.egg")
    assert actions(mirror.plan(dev, here.target, **HERE)) == dict.fromkeys(paths, "copy")
    assert here.lab.gateway.sent("GET", "*/indices/*/none/eggs") == 1


def test_entries_that_cannot_be_understood(here):
    """What the server says wrongly is said to be the server's fault, and is not passed over."""
    good = here.upload(here.source, "cp311", "good")
    entry = here.source.platform(PLATFORM).egg_index("cp311")["good-1.0.0-1.egg"]
    index = {
        "good-1.0.0-1.egg": entry,
        "short-1.0.0-1.egg": {**entry, "sha256": "00"},
        "noegg": entry,
        "tag-1.0.0-1.egg": {**entry, "python_tag": "../cp311"},
    }
    dev = here.behind(answered("*/indices/acme/source/*/cp311/eggs", index))
    plan = mirror.plan(dev, here.target, **TAG)
    assert len(plan.steps) == 4
    assert [step.path for step in plan.those("copy")] == [good]
    assert len(plan.those("conflict")) == 3
    (short,) = [step for step in plan.those("conflict") if "short" in step.path]
    assert "administrators of the server" in str(short.reason)
    listed = mirror.manifest(dev, **TAG)
    errors = {problem.place.rpartition("/")[2]: problem.error for problem in listed.problems}
    assert isinstance(errors["short-1.0.0-1.egg"], InvalidResponseError)
    assert set(errors) == {"short-1.0.0-1.egg", "tag-1.0.0-1.egg", "noegg"}


@pytest.mark.parametrize("kind", ["runtimes", "apps", "bundles"])
def test_indices_that_cannot_be_understood(kind, here):
    dev = here.behind(answered(f"*/indices/acme/source/*/{kind}", {"cp311": {"name": 5}}))
    (problem,) = mirror.plan(dev, here.target, **{**TAG, "kinds": ["eggs", kind]}).problems
    assert isinstance(problem.error, InvalidResponseError)


def test_a_manifest_that_was_made_too_early(here):
    here.upload(here.source, "cp311")
    listed = mirror.manifest(here.behind(told("python_tags", "cp311")), **HERE)
    here.upload(here.target, "cp319")
    plan = mirror.plan(here.target, listed, **HERE)
    assert places(plan) == [f"the manifest of {listed.source}"]
    assert not mirror.verify(here.target, listed, **HERE)
    assert not mirror.plan(here.target, listed, **TAG).problems


def test_a_place_that_cannot_be_read_is_one_problem(here):
    """And it says nothing about what other places have, as of the next Pythons."""
    here.upload(here.source, "cp311")
    expected = {here.upload(here.target, "cp315"), here.upload(here.target, "cp311")}
    some: dict[str, Any] = {"platforms": [PLATFORM, "win-x86_64"], "kinds": ["eggs", "runtimes"]}
    for where, problem in (("source/*", "acme/source"), ("source/win*", "acme/source/win-x86_64")):
        faults = told("python_tags", "cp311"), refused(f"*/indices/acme/{where}")
        client = BroodClient(here.behind(*faults)._session)
        listed = mirror.manifest(client.organization("acme"), names=["for_*"], **some)
        assert places(listed) == [problem]
        found = {path for path in listed.artefacts if path.startswith("v1/acme/copy/")}
        assert {path.removeprefix("v1/acme/copy/") for path in found} == expected
        assert len(listed.artefacts) - len(found) == (where != "source/*")


# -- folders -------------------------------------------------------------------------------


def _symlinked(folder: Path, egg: Path) -> None:
    (folder / "cp39").symlink_to(egg.parent, target_is_directory=True)


@pytest.mark.parametrize(
    "stray",
    [
        lambda folder, egg: (folder / "cp311" / "nose-1.0.0-1.EGG").write_bytes(egg.read_bytes()),
        lambda folder, egg: (folder / "nose.whl").write_bytes(b""),
        lambda folder, egg: (folder / "cp311" / "gone-1.0.0-1.egg").symlink_to("nowhere"),
        lambda folder, egg: (folder.parent / "nose-1.0.0-1.egg").write_bytes(egg.read_bytes()),
        _symlinked,
    ],
)
def test_files_that_are_not_called_as_artefacts(stray, here, tmp_path):
    """An egg that somebody has put in the wrong place is not passed over."""
    folder = tmp_path / f"all/v1/acme/copy/{PLATFORM}/eggs"
    (folder / "cp311").mkdir(parents=True)
    made = write_egg(tmp_path / "eggs", "nose", python_tag="cp311")
    source = mirror.Folder(tmp_path / "all", "acme/copy")
    # These are no files of the folder.
    (folder / "cp311/.hidden").write_bytes(b"")
    (folder / "cp311/nose-1.0.0-1.egg.0.hatcher-partial").write_bytes(b"")
    assert not mirror.plan(source, here.target, **TAG)
    stray(folder, made)
    assert places(mirror.plan(source, here.target, prune=True, **TAG)) == ["acme/copy"]
    assert mirror.manifest(source, **TAG).problems
    assert not mirror.pack(source, tmp_path / "all.zip", **TAG)
    # Who asks for one by its name has not asked for the others.
    assert not mirror.plan(source, here.target, names=["other"], **TAG).problems


def test_what_an_import_does_not_know(here, tmp_path):
    folder = tmp_path / f"v1/acme/copy/{PLATFORM}/eggs/cp311"
    folder.mkdir(parents=True)
    write_egg(folder, "nose", python_tag="cp311")
    (folder / "other.EGG").write_bytes(b"")
    report = mirror.import_(here.lab.client, tmp_path)
    assert len(report.uploaded) == 1
    assert places(report) == ["acme/copy"]
    assert not report


def test_a_manifest_that_cannot_be_read(here, tmp_path):
    """Nobody can say whether something in the folder was spoiled."""
    (tmp_path / f"v1/acme/copy/{PLATFORM}/eggs/cp311").mkdir(parents=True)
    for content in ("{", "[]"):
        (tmp_path / "manifest.json").write_text(content)
        plan = mirror.plan(mirror.Folder(tmp_path, "acme/copy"), here.target, **HERE)
        assert places(plan) == [str(tmp_path / "manifest.json")]
