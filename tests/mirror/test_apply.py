"""Doing what a plan says, as far as it still holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import Organization, Repository
from hatcher.errors import (
    BatchError,
    BatchInterrupted,
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
)
from hatcher.mirror.selection import select
from hatcher.mirror.server import Server
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_app,
    write_bundle,
    write_egg,
    write_runtime,
)

from .conftest import PLATFORM, files, fill, make_repository

SOME: dict[str, Any] = {"platforms": (PLATFORM, "win-x86_64"), "python_tags": ("cp311", "cp38")}
EGG = f"{PLATFORM}/eggs/cp311/MyEgg-1.0-1.egg"
APP = f"{PLATFORM}/apps/cp38/com.example.viewer-1.10-2.yaml"

#: What `fill` makes: four eggs, two runtimes, a bundle and an app.
FILLED = 8


@pytest.fixture(scope="module")
def source_server() -> Iterator[BroodServer]:
    with BroodServer() as server:
        yield server


@pytest.fixture(scope="module")
def target_server() -> Iterator[BroodServer]:
    with BroodServer() as server:
        server.client().create_organization("corp", "")
        yield server


@pytest.fixture(scope="module")
def source(source_server: BroodServer, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Something of every kind; nothing of it is changed."""
    repository = make_repository(source_server.client())
    fill(repository, tmp_path_factory.mktemp("source") / "artefacts")
    return repository


@pytest.fixture
def corp(target_server: BroodServer) -> Iterator[Organization]:
    """An organization on another server, without repositories."""
    organization = target_server.client().organization("corp")
    yield organization
    for name in organization.list_repositories():
        organization.repository(name).delete(force=True)


@pytest.fixture
def target(corp: Organization) -> Repository:
    return corp.create_repository("main", "")


def shown(repository: Repository) -> dict[str, tuple[int | None, str | None]]:
    """What a repository shows, by the paths below it, with sizes and hashes."""
    end = Server(repository)
    state = end.state(select(("eggs", "runtimes", "apps", "bundles"), None, **SOME))
    assert state.problems == []
    for path, held in state.held.items():
        end.identify(path, held)
    return {path: (held.size, held.sha256) for path, held in state.held.items()}


def outcomes(report: mirror.MirrorReport) -> dict[str, str]:
    return {result.name: result.outcome for result in report.results}


def indices(repository: Repository) -> Any:
    """All that the indices say, but for times, and for the files of what is a document."""
    found: list[Any] = []
    for name in SOME["platforms"]:
        platform = repository.platform(name)
        found.append([platform.egg_index(tag) for tag in SOME["python_tags"]])
        found += [platform.runtime_index(), platform.app_index(), platform.bundle_index()]
    return json.loads(
        json.dumps(found),
        object_hook=lambda entry: {
            key: value
            for key, value in entry.items()
            if key != "mtime" and not ("id" in entry and key in ("sha256", "filename"))
        },
    )


def test_from_a_server_to_another(source: Repository, target: Repository, tmp_path: Path) -> None:
    plan = mirror.plan(source, target, **SOME)
    assert {step.action for step in plan.steps} == {"copy"}
    # Of runtimes, the index says no size.
    assert plan.bytes == sum(size or 0 for size, _ in shown(source).values())
    assert f"<td>{EGG}</td>" in plan._repr_html_()
    dry = plan.apply(dry_run=True)
    assert set(outcomes(dry).values()) == {"would upload"}
    assert shown(target) == {}
    told: list[tuple[int, int | None, str]] = []
    report = plan.apply(progress=lambda *now: told.append(now))
    report.raise_for_failures()
    assert len(report.uploaded) == len(report.results) == FILLED
    assert shown(target) == shown(source)
    assert indices(target) == indices(source)
    assert {phase for _, _, phase in told} == {"uploading", "indexing"}
    hidden = target.platform(PLATFORM).egg("cp311", "hidden", "1.0.0-1")
    assert not hidden.exists()
    assert not mirror.plan(source, target, prune=True, **SOME)
    # The plan once more: all is there.
    again = plan.apply()
    assert len(again.already_there) == FILLED


def test_by_a_folder_to_another(source: Repository, target: Repository, tmp_path: Path) -> None:
    folder = tmp_path / "moving"
    mirror.plan(source, folder, **SOME).apply().raise_for_failures()
    assert not mirror.plan(source, folder, prune=True, **SOME)
    written = files(folder)
    assert f"v1/acme/dev/{APP}" in written
    moved = mirror.Folder(folder, "acme/dev")
    mirror.plan(moved, target, **SOME).apply().raise_for_failures()
    assert indices(target) == indices(source)
    assert not mirror.plan(moved, target, prune=True, **SOME)
    assert not mirror.plan(source, target, prune=True, **SOME)
    # Back into another folder, and from folder to folder.
    back = mirror.Folder(tmp_path / "back", "acme/dev")
    assert set(outcomes(mirror.plan(target, back, **SOME).apply()).values()) == {"downloaded"}
    third = mirror.Folder(tmp_path / "third", "acme/dev")
    mirror.plan(back, third, **SOME).apply().raise_for_failures()
    for other in ("back", "third"):
        assert files(tmp_path / other) == written


def test_updates_and_deletes(source: Repository, target: Repository, tmp_path: Path) -> None:
    mirror.plan(source, target, **SOME).apply().raise_for_failures()
    here = target.platform(PLATFORM)
    other = write_egg(
        tmp_path, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", payload_bytes=1
    )
    here.upload_egg(other, overwrite=True)
    target.upload_runtime(write_runtime(tmp_path, build_revision="2.2.2"), overwrite=True)
    target.upload_app(write_app(tmp_path, name="Viewer"), overwrite=True)
    target.upload_bundle(write_bundle(tmp_path, mark="other"), overwrite=True)
    here.upload_egg(write_egg(tmp_path, "extra", platform=PLATFORM, python_tag=None))
    target.upload_bundle(write_bundle(tmp_path, "extra"))
    target.upload_runtime(write_runtime(tmp_path, version="3.8.18+1"))
    outside = write_egg(tmp_path, "outside", platform="osx-arm64", python_tag="cp311")
    target.platform("osx-arm64").upload_egg(outside)
    kept = mirror.plan(source, target, **SOME).apply()
    assert sorted(outcomes(kept).values()) == ["uploaded"] * 4
    assert len(shown(target)) == FILLED + 3
    here.upload_egg(other, overwrite=True)
    plan = mirror.plan(source, target, prune=True, **SOME)
    assert sorted(step.action for step in plan.steps if step.action != "skip") == [
        "delete",
        "delete",
        "delete",
        "update",
    ]
    assert "at most 10 may be deleted" in str(plan)
    document = json.loads(json.dumps(plan.document()))
    read = mirror.Plan.from_document(document, source, target)
    assert read == plan
    assert set(outcomes(read.apply(dry_run=True)).values()) == {"would upload", "would delete"}
    report = read.apply()
    report.raise_for_failures()
    assert len(report.deleted) == 3
    assert shown(target) == shown(source)
    assert target.platform("osx-arm64").list_eggs("cp311") != []


def test_no_more_is_deleted_than_may_be(
    source: Repository, target: Repository, tmp_path: Path
) -> None:
    here = target.platform(PLATFORM)
    for number in range(11):
        here.upload_egg(write_egg(tmp_path, f"extra{number}", platform=PLATFORM, python_tag=None))
    some: dict[str, Any] = {"kinds": ["eggs"], "prune": True, **SOME}
    plan = mirror.plan(source, target, **some)
    assert plan.max_deletes == plan.document()["max_deletes"] == 10
    assert "11 artefacts would be deleted, and at most 10 may be" in str(plan)
    report = plan.apply()
    assert len(report.not_tried) == 11
    assert "11 artefacts would be deleted" in str(report)
    with pytest.raises(BatchError):
        report.raise_for_failures()
    assert len(here.list_eggs("cp311")) == 13
    report = mirror.plan(source, target, max_deletes=11, **some).apply()
    assert len(report.deleted) == 11
    with pytest.raises(InvalidArgumentError, match="max_deletes"):
        mirror.plan(source, target, max_deletes=-1, **some)


def test_what_has_changed_since_is_left_alone(
    source_server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    def egg(name: str, content: int = 0) -> Path:
        folder = tmp_path / str(content)
        folder.mkdir(exist_ok=True)
        return write_egg(folder, name, platform=PLATFORM, python_tag="cp311", payload_bytes=content)

    source = make_repository(source_server.client(), "moving")
    try:
        here, there = source.platform(PLATFORM), target.platform(PLATFORM)
        for name in ("newer", "taken", "gone", "same", "updated", "removed"):
            here.upload_egg(egg(name))
        for name in ("updated", "removed"):
            there.upload_egg(egg(name, 1))
        for name in ("surplus", "replaced", "wanted"):
            there.upload_egg(egg(name))
        plan = mirror.plan(source, target, prune=True, **SOME)
        here.upload_egg(egg("newer", 2), overwrite=True)
        here.upload_egg(egg("wanted", 3))
        here.delete_egg("cp311", "gone", "1.0.0-1")
        there.upload_egg(egg("taken", 4))
        there.upload_egg(egg("same"))
        there.upload_egg(egg("updated", 5), overwrite=True)
        there.upload_egg(egg("replaced", 6), overwrite=True)
        there.delete_egg("cp311", "removed", "1.0.0-1")
        report = plan.apply()
        names = {path.split("/")[-1].split("-")[0]: path for path in outcomes(report)}
        assert {name: outcomes(report)[path] for name, path in names.items()} == {
            "newer": "uploaded",
            "taken": "failed",
            "gone": "failed",
            "same": "already there",
            "updated": "failed",
            "removed": "uploaded",
            "surplus": "not tried",
            "replaced": "failed",
            "wanted": "failed",
        }
        assert "has changed since the plan was made, so it was left as it is" in str(report)
        index = there.egg_index("cp311")
        for name, content in [("newer", 2), ("taken", 4), ("updated", 5), ("replaced", 6)]:
            size = egg(name, content).stat().st_size
            assert index[f"{name}-1.0.0-1.egg"]["size"] == size
        # A new plan does the rest.
        mirror.plan(source, target, prune=True, **SOME).apply().raise_for_failures()
        assert shown(target) == shown(source)
    finally:
        source.delete(force=True)


def test_disabled_eggs(
    source_server: BroodServer, target_server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    """What the source shows is shown by the target, whatever it has disabled."""
    large = make_repository(source_server.client(), "large")
    try:
        here, there = large.platform(PLATFORM), target.platform(PLATFORM)

        def egg(name: str, size: int, seed: int = 0) -> Path:
            return write_egg(
                tmp_path, name, platform=PLATFORM, python_tag="cp311", payload_bytes=size, seed=seed
            )

        for name, size in (("large", 1_000_000), ("small", 10)):
            here.upload_egg(egg(name, size))
            there.upload_egg(egg(name, size), enabled=False)
        here.upload_egg(egg("other", 10))
        there.upload_egg(egg("other", 10, 1), enabled=False)
        here.upload_egg(egg("off", 10), enabled=False)
        there.upload_egg(egg("kept", 10), enabled=False)
        with FaultyGateway(target_server.url) as gateway:
            through = target_server.client(url=gateway.url).organization("corp").repository("main")
            report = mirror.plan(large, through, prune=True, **SOME).apply()
            report.raise_for_failures()
            assert outcomes(report)[f"{PLATFORM}/eggs/cp311/large-1.0.0-1.egg"] == "already there"
            # The other one twice: the first time it was refused.
            assert gateway.sent("POST", "*/eggs/upload") == 2
            assert gateway.sent("POST", "*/eggs/re-index") == 1
        assert shown(target) == shown(large)
        assert there.egg("cp311", "kept", "1.0.0-1").metadata()["enabled"] is False
    finally:
        large.delete(force=True)


def test_missing_repositories(
    source_server: BroodServer, source: Repository, corp: Organization
) -> None:
    nowhere = corp.repository("nowhere")
    plan = mirror.plan(source, nowhere, **SOME)
    assert [problem.place for problem in plan.problems] == ["corp/nowhere"]
    report = plan.apply()
    assert len(report.not_tried) == FILLED
    assert [problem.place for problem in report.problems] == ["corp/nowhere"]
    assert corp.list_repositories() == []
    plan.apply(create_missing=True).raise_for_failures()
    assert shown(nowhere) == shown(source)
    # A whole organization.
    organization = source_server.client().organization("acme")
    plan = mirror.plan(organization, corp, prune=True, **SOME)
    assert [problem.place for problem in plan.problems] == ["corp/dev"]
    assert plan.those("delete") == ()
    plan.apply(create_missing=True).raise_for_failures()
    assert sorted(corp.list_repositories()) == ["dev", "nowhere"]
    assert shown(corp.repository("dev")) == shown(source)
    assert not mirror.plan(organization, corp, prune=True, **SOME)


def test_a_part_of_it(source: Repository, target: Repository, tmp_path: Path) -> None:
    def paths(**some: Any) -> set[str]:
        return {step.path.split("/")[-1] for step in mirror.plan(source, target, **some).steps}

    assert paths(names=["myegg"], **SOME) == {"MyEgg-1.0-1.egg"}
    assert paths(names=["*EGG", "o?d", "nothing"], **SOME) == {"MyEgg-1.0-1.egg", "old-1.0-1.egg"}
    assert paths(names=["cpython", "tools", "com.example.*"], **SOME) == {
        "cpython-3.8.17+1-rh8_x86_64-gnu.runtime",
        "cpython-3.11.9+2-rh8_x86_64-gnu.runtime",
        "tools-1.0.0-1.bundle",
        "com.example.viewer-1.10-2.yaml",
    }
    mirror.plan(source, tmp_path, names=["pure", "tools"], **SOME).apply().raise_for_failures()
    assert {path.rpartition("/")[2] for path in files(tmp_path)} == {
        "pure-1.0-1.egg",
        "tools-1.0.0-1.bundle",
    }
    for given in ("nose", [""]):
        with pytest.raises(InvalidArgumentError, match="names"):
            mirror.plan(source, target, names=given)
    # Deleting keeps to the part, too.
    mirror.plan(source, target, **SOME).apply().raise_for_failures()
    empty = tmp_path / "empty"
    (empty / "v1/corp/main").mkdir(parents=True)
    plan = mirror.plan(empty, target, names=["old"], prune=True, **SOME)
    assert [step.path for step in plan.steps] == [f"{PLATFORM}/eggs/cp38/old-1.0-1.egg"]
    plan.apply().raise_for_failures()
    assert len(shown(target)) == FILLED - 1
    # A folder of one platform says nothing of others, unless they are asked for.
    (empty / "v1/corp/main" / PLATFORM).mkdir()
    some = {"python_tags": SOME["python_tags"], "prune": True, "kinds": ["eggs"]}
    deletes = mirror.plan(empty, target, **some).those("delete")
    assert {step.path.split("/")[0] for step in deletes} == {PLATFORM}
    assert len(mirror.plan(empty, target, platforms=["win-x86_64"], **some).those("delete")) == 1


def test_the_same_bytes_are_fetched_once(
    source_server: BroodServer, corp: Organization, tmp_path: Path
) -> None:
    organization = source_server.client().create_organization("twins", "")
    egg = write_egg(tmp_path, "twin", platform=PLATFORM, python_tag="cp311")
    for name in ("one", "two"):
        organization.create_repository(name, "").platform(PLATFORM).upload_egg(egg)
    try:
        with FaultyGateway(source_server.url) as gateway:
            through = source_server.client(url=gateway.url).organization("twins")
            some: dict[str, Any] = {"kinds": ["eggs"], **SOME}
            plan = mirror.plan(through, corp, **some)
            plan.apply(create_missing=True).raise_for_failures()
            assert gateway.sent("GET", "*/data/*") == 1
            mirror.plan(through, tmp_path / "out", **some).apply().raise_for_failures()
            assert gateway.sent("GET", "*/data/*") == 2
            cache = mirror.Cache(tmp_path / "cache")
            for folder in ("cached", "again"):
                plan = mirror.plan(through, tmp_path / folder, **some)
                plan.apply(cache=cache).raise_for_failures()
            assert gateway.sent("GET", "*/data/*") == 3
        assert files(tmp_path / "cached") == files(tmp_path / "again")
        assert not mirror.plan(organization, corp, **some)
    finally:
        for name in ("one", "two"):
            organization.repository(name).delete(force=True)


def test_an_app_without_its_document(
    source_server: BroodServer, source: Repository, target: Repository
) -> None:
    metadata = dict(source.platform(PLATFORM).app_metadata("cp38", "com.example.viewer", "1.10-2"))
    del metadata["data"]
    answer = Answer(
        200, body=json.dumps(metadata).encode(), headers={"Content-Type": "application/json"}
    )
    fault = RequestFault("replace", path="*/metadata/*/apps/*", answer=answer, times=99)
    with FaultyGateway(source_server.url, fault) as gateway:
        old = source_server.client(url=gateway.url).organization("acme").repository("dev")
        plan = mirror.plan(old, target, **SOME)
        assert [step.path for step in plan.those("conflict")] == [APP]
        assert "no way to download apps" in str(plan)
        report = plan.apply()
    assert [result.name for result in report.failed] == [APP]
    assert len(report.uploaded) == FILLED - 1


def test_ends_that_cannot_be(source: Repository, target: Repository, tmp_path: Path) -> None:
    plan = mirror.plan(source, target, kinds=["eggs"], **SOME)
    document = plan.document()
    for change, wrong in [
        ({"format": "other"}, "no plan of hatcher"),
        ({"version": 2}, "of version 2"),
        ({"source": "elsewhere"}, "The source of the plan is elsewhere"),
        ({"steps": [{"action": "copy"}]}, "The plan is damaged"),
        ({"selection": {"kinds": ["wheels"]}}, "The plan is damaged"),
        ({"prune": "yes"}, "The plan is damaged"),
    ]:
        with pytest.raises(InvalidArgumentError, match=wrong):
            mirror.Plan.from_document({**document, **change}, source, target)
    with pytest.raises(InvalidArgumentError, match="target"):
        mirror.Plan.from_document(document, source, tmp_path)
    values = [getattr(plan, name) for name in mirror.Plan.__match_args__[:-1]]
    with pytest.raises(InvalidArgumentError, match="its source and target"):
        mirror.Plan(*values).apply()
    with pytest.raises(InvalidArgumentError, match="concurrency"):
        plan.apply(concurrency=0)
    for place in ("", "a//b", "a/b/c/d"):
        with pytest.raises(InvalidArgumentError, match="no place"):
            mirror.Folder(tmp_path, place)
    listed = mirror.manifest(target, kinds=["eggs"], **SOME)
    only_told = mirror.plan(source, listed, kinds=["eggs"], **SOME)
    assert only_told.steps == plan.steps
    with pytest.raises(InvalidArgumentError, match="manifest of"):
        only_told.apply()
    nothing = 3
    with pytest.raises(InvalidArgumentError, match="no side"):
        mirror.plan(source, nothing)  # type: ignore[arg-type]


def test_a_source_that_breaks_off(
    source_server: BroodServer, source: Repository, target: Repository, tmp_path: Path
) -> None:
    """What cannot be had fails, the others go on, and nothing is deleted there."""
    extra = write_egg(tmp_path, "extra", platform=PLATFORM, python_tag="cp311")
    target.platform(PLATFORM).upload_egg(extra)
    gone = Answer(404, body=b'{"error": "gone"}', headers={"Content-Type": "application/json"})
    fault = RequestFault("replace", path="*/data/*/old/1.0-1", answer=gone, times=99)
    with FaultyGateway(source_server.url, fault) as gateway:
        broken = source_server.client(url=gateway.url).organization("acme").repository("dev")
        report = mirror.plan(broken, target, prune=True, **SOME).apply()
    old = f"{PLATFORM}/eggs/cp38/old-1.0-1.egg"
    assert [result.name for result in report.failed] == [old]
    assert isinstance(report.failed[0].error, HatcherException)
    assert not isinstance(report.failed[0].error, NotFoundError)
    assert [result.name.split("/")[-1] for result in report.not_tried] == ["extra-1.0.0-1.egg"]
    assert len(report.uploaded) == FILLED - 1
    mirror.plan(source, target, prune=True, **SOME).apply().raise_for_failures()
    assert shown(target) == shown(source)


def test_other_names_for_the_same(
    source_server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    """Capital letters, and the ABI of a runtime, make no other artefact on a server."""
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    source = make_repository(source_server.client(), "named")
    try:
        for repository, folder, egg, abi in (
            (source, tmp_path / "here", "Spam", "gnu"),
            (target, tmp_path / "there", "spam", "musl"),
        ):
            made = write_egg(folder, egg, platform=PLATFORM, python_tag="cp311")
            repository.platform(PLATFORM).upload_egg(made)
            repository.upload_runtime(write_runtime(folder, abi=abi))
        folder = mirror.Folder(tmp_path / "folder", "acme/named")
        mirror.plan(target, folder, prune=True, **SOME).apply().raise_for_failures()
        for end in (target, folder):
            plan = mirror.plan(source, end, prune=True, **SOME)
            assert {step.action for step in plan.steps} == {"update"}
            plan.apply().raise_for_failures()
            assert not mirror.plan(source, end, prune=True, **SOME)
        assert sorted(path.rpartition("/")[2] for path in files(tmp_path / "folder")) == [
            "Spam-1.0.0-1.egg",
            "cpython-3.8.17+1-rh8_x86_64-gnu.runtime",
        ]
        assert mirror.verify(tmp_path / "folder")
    finally:
        source.delete(force=True)


def test_apps_keep_what_they_say(
    source_server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    """Though only their documents can be had: 1.10 is not the number 1.1."""
    source = make_repository(source_server.client(), "apps")
    try:
        for text in (
            "id: plain\nversion: 1.10\nbuild: 3\nplatform: rh8_x86_64\nmade: 2024-05-01\n",
            "id: 7\nversion: '1.20-4'\nplatform: rh8_x86_64\npython_tag: cp311\n",
            "id: on\nversion: 012\nplatform: rh8_x86_64\nwords: ['yes', \"ü\\n\", ~, 1e3]\n",
        ):
            app = tmp_path / "app.yaml"
            app.write_text(text, encoding="utf-8")
            source.upload_app(app)
        some = {**SOME, "kinds": ["apps"]}
        mirror.plan(source, target, **some).apply().raise_for_failures()
        apps = source.platform(PLATFORM).list_apps()
        assert len(apps) == 3
        assert target.platform(PLATFORM).list_apps() == apps
        assert indices(target) == indices(source)
        assert not mirror.plan(source, target, **some)
        # An export writes them too, where they are asked for.
        report = mirror.export(
            source_server.client(), tmp_path / "out", repositories=["acme/apps"], **some
        )
        report.raise_for_failures()
        assert not mirror.plan(source, tmp_path / "out", **some)
        again = mirror.export(
            source_server.client(), tmp_path / "out", repositories=["acme/apps"], **some
        )
        assert len(again.already_there) == 3
    finally:
        source.delete(force=True)


def test_nothing_is_deleted_when_the_source_cannot_be_read_any_more(
    source_server: BroodServer, source: Repository, target: Repository, tmp_path: Path
) -> None:
    extra = write_egg(tmp_path, "extra", platform=PLATFORM, python_tag="cp311")
    target.platform(PLATFORM).upload_egg(extra)
    with FaultyGateway(source_server.url) as gateway:
        through = source_server.client(url=gateway.url).organization("acme").repository("dev")
        plan = mirror.plan(through, target, prune=True, **SOME)
        assert len(plan.those("delete")) == 1
        broken = Answer(404, body=b'{"error": "?"}', headers={"Content-Type": "application/json"})
        gateway.add(RequestFault("replace", path="*/bundles", answer=broken, times=99))
        report = plan.apply()
    assert not report
    assert [problem.place for problem in report.problems] == [
        f"acme/dev/{name} bundles" for name in SOME["platforms"]
    ]
    assert [result.name.split("/")[-1] for result in report.not_tried] == ["extra-1.0.0-1.egg"]
    assert "the source could not be read whole" in str(report)
    assert target.platform(PLATFORM).egg("cp311", "extra", "1.0.0-1").exists()
    assert len(report.uploaded) == FILLED - 1


def test_eggs_by_the_older_api(
    source_server: BroodServer,
    target_server: BroodServer,
    source: Repository,
    target: Repository,
    tmp_path: Path,
) -> None:
    acme = source_server.client(api_version=0).organization("acme")
    corp = target_server.client(api_version=0).organization("corp")
    plan = mirror.plan(acme.repository("dev"), corp.repository("main"), **SOME)
    assert len(plan.those("copy")) == len(plan.steps) == 4
    plan.apply(journal=tmp_path / "journal").raise_for_failures()
    assert not mirror.plan(source, target, kinds=["eggs"], prune=True, **SOME)
    folder = tmp_path / "folder"
    mirror.plan(acme.repository("dev"), folder, **SOME).apply().raise_for_failures()
    assert {path.split("/")[0] for path in files(folder)} == {"v0"}
    assert not mirror.plan(acme.repository("dev"), folder, prune=True, **SOME)
    # A whole organization, in a folder of the newer one.
    organization = source_server.client().organization("acme")
    mirror.plan(organization, tmp_path / "all", **SOME).apply().raise_for_failures()
    assert not mirror.plan(mirror.Folder(tmp_path / "all", "acme"), organization, **SOME)


def test_who_may_not_write(
    target_server: BroodServer, source: Repository, corp: Organization, target: Repository
) -> None:
    """The first refusal is the last request: all others would be refused too."""
    email, password = target_server.admin_email, "wrong"
    with pytest.raises(HatcherException):
        stranger = target_server.client(auth=(email, password)).organization("corp")
        mirror.plan(source, stranger.repository("main"), **SOME)
    gone = Answer(403, body=b'{"error": "no"}', headers={"Content-Type": "application/json"})
    fault = RequestFault("replace", path="*/upload", answer=gone, times=99)
    with FaultyGateway(target_server.url, fault) as gateway:
        through = target_server.client(url=gateway.url).organization("corp").repository("main")
        report = mirror.plan(source, through, **SOME).apply(concurrency=1)
        assert gateway.sent("POST", "*/upload") == 1
    assert len(report.failed) == 1
    assert len(report.not_tried) == FILLED - 1
    mirror.plan(source, target, **SOME).apply().raise_for_failures()


def test_the_newer_one_goes_whenever_it_came(
    source_server: BroodServer, target: Repository, tmp_path: Path
) -> None:
    """Even when it came after the indices were read for the last time."""
    source = make_repository(source_server.client(), "newer")
    try:
        for size in (1, 2):
            (tmp_path / str(size)).mkdir()
        old, new = (
            write_egg(
                tmp_path / str(size), "egg", platform=PLATFORM, python_tag=None, payload_bytes=size
            )
            for size in (1, 2)
        )
        source.platform(PLATFORM).upload_egg(old)
        phases: list[str] = []

        def replace(done: int, total: int | None, phase: str) -> None:
            if phase not in phases:
                phases.append(phase)
                source.platform(PLATFORM).upload_egg(new, overwrite=True)

        plan = mirror.plan(source, target, **SOME)
        plan.apply(progress=replace).raise_for_failures()
        assert phases == ["uploading", "indexing"]
        assert shown(target) == shown(source)
        index = target.platform(PLATFORM).egg_index("cp38")
        assert index["egg-1.0.0-1.egg"]["size"] == new.stat().st_size
    finally:
        source.delete(force=True)


def test_what_was_stored_and_not_shown_is_not_sent_again(
    target_server: BroodServer, source: Repository, target: Repository, tmp_path: Path
) -> None:
    def interrupt(done: int, total: int | None, phase: str) -> None:
        if phase == "indexing":
            raise KeyboardInterrupt

    with FaultyGateway(target_server.url) as gateway:
        through = target_server.client(url=gateway.url).organization("corp").repository("main")
        plan = mirror.plan(source, through, **SOME)
        with pytest.raises(BatchInterrupted) as stopped:
            plan.apply(progress=interrupt)
        assert len(stopped.value.report.uploaded) == 6
        assert len(stopped.value.report.not_tried) == 2
        assert not any("/eggs/" in path for path in shown(target))
        assert gateway.sent("POST", "*/eggs/upload") == 4
        report = plan.apply()
        report.raise_for_failures()
        assert gateway.sent("POST", "*/eggs/upload") == 4
        assert len(report.already_there) == 6
    assert shown(target) == shown(source)
