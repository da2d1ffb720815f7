"""Nothing is passed over: no server's list of platforms or python tags is complete."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.errors import InvalidJSONError, InvalidResponseError
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_egg,
)

from .conftest import PLATFORM, make_repository

HERE: dict[str, Any] = {"platforms": [PLATFORM], "kinds": ["eggs"]}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server() -> Iterator[BroodServer]:
    with BroodServer() as server:
        yield server


@pytest.fixture
def source(server: BroodServer) -> Iterator[Repository]:
    repository = make_repository(server.client())
    yield repository
    repository.delete(force=True)


@pytest.fixture
def target(server: BroodServer, source: Repository) -> Iterator[Repository]:
    repository = make_repository(server.client(), "copy")
    yield repository
    repository.delete(force=True)


@pytest.fixture
def upload(tmp_path: Path) -> Callable[..., str]:
    """Upload an egg; return its path below the repository."""
    folder = tmp_path / "eggs"
    folder.mkdir()

    def upload(
        repository: Repository, tag: str | None, name: str = "", platform: str = PLATFORM
    ) -> str:
        egg = write_egg(folder, name or f"for_{tag}", platform=platform, python_tag=tag)
        repository.platform(platform).upload_egg(egg)
        return f"{platform}/eggs/{tag}/{egg.name}"

    return upload


def told(what: str, *names: str, path: str | None = None) -> RequestFault:
    """A server that lists these, and no more."""
    body = json.dumps({what: names}).encode()
    answer = Answer(200, body=body, headers=JSON)
    where = path or f"*/metadata/{what.replace('_', '-')}*"
    return RequestFault("replace", path=where, answer=answer, times=999)


def refused(path: str, status: int = 400) -> RequestFault:
    answer = Answer(status, body=b'{"error": "no such thing"}', headers=JSON)
    return RequestFault("replace", path=path, answer=answer, times=999)


@pytest.fixture
def behind(server: BroodServer) -> Iterator[Callable[..., BroodClient]]:
    """Makes a client of the server as another one, whose lists are older or that refuses."""
    gateways: list[FaultyGateway] = []

    def make(*faults: RequestFault) -> BroodClient:
        gateways.append(FaultyGateway(server.url, *faults).__enter__())
        return server.client(url=gateways[-1].url, retries=0, cache=False)

    make.gateways = gateways  # type: ignore[attr-defined]
    yield make
    for gateway in gateways:
        gateway.__exit__(None, None, None)


def steps(plan: mirror.Plan) -> dict[str, str]:
    return {step.path: step.action for step in plan.steps}


@pytest.mark.parametrize("lists", [(), ("cp311", "pp38")])
def test_eggs_for_pythons_that_no_list_knows(
    lists: tuple[str, ...],
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
    tmp_path: Path,
) -> None:
    tags = ("cp311", "cp315", "pp312") if not lists else ("cp311", "cp315", "cp316", "pp312")
    paths = {upload(source, tag) for tag in tags}
    client = behind(told("python_tags", *lists)) if lists else behind()
    dev = client.organization("acme").repository("dev")
    plan = mirror.plan(dev, target, **HERE)
    assert steps(plan) == dict.fromkeys(paths, "copy")
    assert not plan.problems
    lacking = mirror.verify(target, dev, **HERE)
    assert {finding.path.removeprefix("v1/acme/copy/") for finding in lacking.findings} == paths
    report = mirror.export(client, tmp_path / "all", repositories=["acme/dev"], **HERE)
    report.raise_for_failures()
    assert {result.name.removeprefix("v1/acme/dev/") for result in report.results} == paths
    listed = mirror.manifest(dev, **HERE)
    assert len(listed.artefacts) == len(paths)
    assert mirror.read_manifest(_written(listed, tmp_path)) == listed
    assert len(mirror.pack(dev, tmp_path / "all.zip", **HERE).packed) == len(paths)
    plan.apply().raise_for_failures()
    assert mirror.verify(target, dev, **HERE)
    assert set(steps(mirror.plan(tmp_path / "all", dev, prune=True, **HERE)).values()) == {"skip"}


def _written(manifest: mirror.Manifest, folder: Path) -> Path:
    manifest.write(folder / "state.json")
    return folder / "state.json"


def test_what_the_other_one_has_is_asked_for(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
    tmp_path: Path,
) -> None:
    """Here nobody would ask for cp377, unless it is seen at the other end."""
    both = upload(source, "cp377", "both")
    upload(target, "cp377", "both")
    surplus = upload(target, "cp377", "surplus")
    acme = behind(told("python_tags", "cp311")).organization("acme")
    dev, copy = acme.repository("dev"), acme.repository("copy")
    assert steps(mirror.plan(dev, copy, **HERE)) == {}
    end = mirror.Folder(tmp_path / "folder", "acme/copy")
    some = {**HERE, "python_tags": ["cp377"]}
    mirror.plan(copy, end, **some).apply().raise_for_failures()
    for other in (end, mirror.manifest(copy, **some)):
        assert steps(mirror.plan(dev, other, prune=True, **HERE)) == {
            both: "skip",
            surplus: "delete",
        }
        assert [
            (found.condition, found.path.rpartition("/")[2])
            for found in mirror.verify(dev, other, **HERE).findings
        ] == [("lacking", "surplus-1.0.0-1.egg")]
    report = mirror.pack(dev, tmp_path / "delta.zip", lacking=end, **HERE)
    assert [result.outcome for result in report.results] == ["already there"]
    assert report
    # A plan that was kept knows it, too.
    plan = mirror.plan(end, copy, **HERE)
    copy.platform(PLATFORM).delete_egg("cp377", "surplus", "1.0.0-1")
    assert len(mirror.plan(end, copy, **HERE).apply().uploaded) == 1
    assert not plan


@pytest.mark.long
@pytest.mark.parametrize("status", [404, 500])
@pytest.mark.parametrize("which", ["python-tags", "python-tags/all", "platforms"])
def test_a_list_that_fails(
    which: str,
    status: int,
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
    tmp_path: Path,
) -> None:
    """Who could not be asked what there is has not said that something is gone."""
    upload(source, "cp311")
    upload(target, "cp311", "surplus")
    client = behind(refused(f"*/metadata/{which}", status))
    dev = client.organization("acme").repository("dev")
    some: dict[str, Any] = {"kinds": ["eggs"]}
    if which != "platforms":
        some["platforms"] = [PLATFORM]
    plan = mirror.plan(dev, target, prune=True, **some)
    assert plan
    assert [problem.place for problem in plan.problems] == [
        f"the {which.partition('/')[0].replace('-', ' ')} of {client.url}"
    ]
    assert not plan.those("delete")
    assert not mirror.verify(target, dev, **some)
    assert not mirror.verify(dev, target, **some)
    assert not mirror.export(client, tmp_path / "all", repositories=["acme/dev"], **some)
    assert mirror.manifest(dev, **some).problems
    assert not mirror.pack(dev, tmp_path / "all.zip", **some)
    # Where it is said what is meant, there is nothing to be listed.
    chosen: dict[str, Any] = {**HERE, "python_tags": ["cp311"]}
    assert len(mirror.plan(dev, target, prune=True, **chosen).those("delete")) == 1


@pytest.mark.long
@pytest.mark.parametrize("what", ["python_tags", "platforms"])
def test_a_list_of_something_else(
    what: str, source: Repository, target: Repository, behind: Callable[..., BroodClient]
) -> None:
    dev = behind(told(what, "cp311", 5)).organization("acme").repository("dev")  # type: ignore[arg-type]
    (problem,) = mirror.plan(dev, target, kinds=["eggs"]).problems
    assert isinstance(problem.error, InvalidJSONError)


def test_tags_that_a_server_refuses(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
) -> None:
    upload(target, "cp319")
    upload(target, "cp311", "surplus")
    list_ = told("python_tags", "cp311", "cp314")
    old = behind(list_, refused("*/indices/*/cp315/eggs"), refused("*/indices/*/cp316/eggs", 404))
    dev = old.organization("acme").repository("dev")
    # It knows none of the next Pythons, and so has nothing for them.
    plan = mirror.plan(dev, target, prune=True, **HERE)
    assert not plan.problems
    assert len(plan.those("delete")) == 2
    # But who knows what it has, where there are such eggs?
    dev = behind(list_, refused("*/indices/*/cp319/eggs")).organization("acme").repository("dev")
    for source_, target_ in [(dev, target), (target, dev)]:
        plan = mirror.plan(source_, target_, prune=True, **HERE)
        (problem,) = plan.problems
        assert problem.place.startswith("eggs for 'cp319'")
        assert isinstance(problem.error, InvalidResponseError)
        assert not plan.those("delete") or source_ is target
        assert not mirror.verify(source_, target_, **HERE)


def test_platforms_that_no_list_knows(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
    tmp_path: Path,
) -> None:
    win = upload(target, "cp311", platform="win-x86_64")
    old = behind(told("platforms", PLATFORM)).organization("acme")
    some: dict[str, Any] = {"kinds": ["eggs"], "python_tags": ["cp311"]}
    assert steps(mirror.plan(old.repository("dev"), target, prune=True, **some)) == {win: "delete"}
    assert steps(mirror.plan(target, old.repository("dev"), **some)) == {win: "copy"}
    # One that the server refuses.
    folder = tmp_path / "v1/acme/dev/rh99-x86_64/eggs/cp311"
    folder.mkdir(parents=True)
    write_egg(folder, "new", platform=None, python_tag="cp311")
    for ends in [(source, tmp_path), (tmp_path, source)]:
        plan = mirror.plan(*ends, prune=True, **some)
        assert [problem.place for problem in plan.problems] == ["acme/dev/rh99-x86_64 eggs"]
        assert not plan.those("delete")
    assert not mirror.verify(tmp_path, source, **some)


def test_eggs_of_one_name_do_not_hide_each_other(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
) -> None:
    """Every index shows one that suits its own Python better than the one for all."""
    tags = ("cp311", *(f"cp3{minor}" for minor in range(12, 17)))
    paths = {upload(source, tag, "same") for tag in (*tags, None)}
    client = behind(
        told("python_tags", "cp311", path="*/metadata/python-tags"),
        told("python_tags", "cp311", "py3", "py311", path="*/metadata/python-tags/all"),
    )
    dev = client.organization("acme").repository("dev")
    assert steps(mirror.plan(dev, target, **HERE)) == dict.fromkeys(paths, "copy")
    (gateway,) = behind.gateways  # type: ignore[attr-defined]
    assert gateway.sent("GET", "*/indices/*/none/eggs") == 1
    assert gateway.sent("GET", "*/indices/*/py3/eggs") == 1
    # Nobody asks in vain, where something is not hidden.
    source.platform(PLATFORM).delete_egg("cp314", "same", "1.0.0-1")
    paths.remove(f"{PLATFORM}/eggs/cp314/same-1.0.0-1.egg")
    assert steps(mirror.plan(dev, target, **HERE)) == dict.fromkeys(paths, "copy")
    assert gateway.sent("GET", "*/indices/*/none/eggs") == 1


def test_entries_that_cannot_be_understood(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
) -> None:
    """What the server says wrongly is said to be the server's fault, and is not passed over."""
    good = upload(source, "cp311", "good")
    entry = source.platform(PLATFORM).egg_index("cp311")["good-1.0.0-1.egg"]
    index = {
        "good-1.0.0-1.egg": entry,
        "short-1.0.0-1.egg": {**entry, "sha256": "00"},
        "noegg": entry,
        "tag-1.0.0-1.egg": {**entry, "python_tag": "../cp311"},
    }
    answer = Answer(200, body=json.dumps(index).encode(), headers=JSON)
    client = behind(
        RequestFault("replace", path="*/indices/acme/dev/*/cp311/eggs", answer=answer, times=9)
    )
    dev = client.organization("acme").repository("dev")
    some: dict[str, Any] = {**HERE, "python_tags": ["cp311"]}
    plan = mirror.plan(dev, target, **some)
    assert len(plan.steps) == 4
    assert [step.path for step in plan.those("copy")] == [good]
    assert len(plan.those("conflict")) == 3
    (short,) = [step for step in plan.those("conflict") if "short" in step.path]
    assert "administrators of the server" in str(short.reason)
    listed = mirror.manifest(dev, **some)
    errors = {problem.place.rpartition("/")[2]: problem.error for problem in listed.problems}
    assert isinstance(errors["short-1.0.0-1.egg"], InvalidResponseError)
    assert set(errors) == {"short-1.0.0-1.egg", "tag-1.0.0-1.egg", "noegg"}


@pytest.mark.parametrize("kind", ["runtimes", "apps", "bundles"])
def test_indices_that_cannot_be_understood(
    kind: str, source: Repository, target: Repository, behind: Callable[..., BroodClient]
) -> None:
    answer = Answer(200, body=b'{"cp311": {"name": 5}}', headers=JSON)
    path = f"*/indices/acme/dev/*/{kind}"
    dev = behind(RequestFault("replace", path=path, answer=answer, times=9))
    repository = dev.organization("acme").repository("dev")
    plan = mirror.plan(
        repository, target, kinds=["eggs", kind], platforms=[PLATFORM], python_tags=["cp311"]
    )
    (problem,) = plan.problems
    assert isinstance(problem.error, InvalidResponseError)


def test_a_manifest_that_was_made_too_early(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
) -> None:
    upload(source, "cp311")
    dev = behind(told("python_tags", "cp311")).organization("acme").repository("dev")
    listed = mirror.manifest(dev, **HERE)
    upload(target, "cp319")
    plan = mirror.plan(target, listed, **HERE)
    assert [problem.place for problem in plan.problems] == [f"the manifest of {listed.source}"]
    assert not mirror.verify(target, listed, **HERE)
    some: dict[str, Any] = {**HERE, "python_tags": ["cp311"]}
    assert not mirror.plan(target, listed, **some).problems


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
def test_files_that_are_not_called_as_artefacts(
    stray: Callable[[Path, Path], object], target: Repository, tmp_path: Path
) -> None:
    """An egg that somebody has put in the wrong place is not passed over."""
    folder = tmp_path / f"all/v1/acme/copy/{PLATFORM}/eggs"
    (folder / "cp311").mkdir(parents=True)
    (tmp_path / "eggs").mkdir()
    egg = write_egg(tmp_path / "eggs", "nose", python_tag="cp311")
    some: dict[str, Any] = {"kinds": ["eggs"], "platforms": [PLATFORM], "python_tags": ["cp311"]}
    source = mirror.Folder(tmp_path / "all", "acme/copy")
    # These are no files of the folder.
    (folder / "cp311/.hidden").write_bytes(b"")
    (folder / "cp311/nose-1.0.0-1.egg.0.hatcher-partial").write_bytes(b"")
    assert not mirror.plan(source, target, **some)
    stray(folder, egg)
    plan = mirror.plan(source, target, prune=True, **some)
    assert [problem.place for problem in plan.problems] == ["acme/copy"]
    assert mirror.manifest(source, **some).problems
    assert not mirror.pack(source, tmp_path / "all.zip", **some)
    # Who asks for one by its name has not asked for the others.
    assert not mirror.plan(source, target, names=["other"], **some).problems


def test_what_an_import_does_not_know(
    server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    folder = tmp_path / f"v1/acme/copy/{PLATFORM}/eggs/cp311"
    folder.mkdir(parents=True)
    write_egg(folder, "nose", python_tag="cp311")
    (folder / "other.EGG").write_bytes(b"")
    report = mirror.import_(server.client(), tmp_path)
    assert len(report.uploaded) == 1
    assert [problem.place for problem in report.problems] == ["acme/copy"]
    assert not report


def test_a_manifest_that_cannot_be_read(target: Repository, tmp_path: Path) -> None:
    """Nobody can say whether something in the folder was spoiled."""
    folder = tmp_path / f"v1/acme/copy/{PLATFORM}/eggs/cp311"
    folder.mkdir(parents=True)
    source = mirror.Folder(tmp_path, "acme/copy")
    for content in ("{", "[]"):
        (tmp_path / "manifest.json").write_text(content)
        plan = mirror.plan(source, target, **HERE)
        assert [problem.place for problem in plan.problems] == [str(tmp_path / "manifest.json")]


def test_a_place_that_cannot_be_read_is_one_problem(
    source: Repository,
    target: Repository,
    upload: Callable[..., str],
    behind: Callable[..., BroodClient],
) -> None:
    """And it says nothing about what other places have, as of the next Pythons."""
    upload(source, "cp311")
    expected = {upload(target, "cp315"), upload(target, "cp311")}
    lists = told("python_tags", "cp311")
    acme = behind(lists, refused("*/indices/acme/dev/*", 404)).organization("acme")
    some: dict[str, Any] = {"platforms": [PLATFORM, "win-x86_64"]}
    listed = mirror.manifest(acme, **some)
    assert [problem.place for problem in listed.problems] == ["acme/dev"]
    assert {path.removeprefix("v1/acme/copy/") for path in listed.artefacts} == expected
    acme = behind(lists, refused("*/indices/acme/dev/win*", 404)).organization("acme")
    listed = mirror.manifest(acme, **some)
    assert [problem.place for problem in listed.problems] == ["acme/dev/win-x86_64"]
    assert len(listed.artefacts) == 3
