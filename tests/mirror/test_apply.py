"""Doing what a plan says, as far as it still holds."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.api import BroodClient, Repository
from hatcher.mirror.layout import KINDS
from hatcher.mirror.selection import select
from hatcher.mirror.server import Server
from hatcher.testing import write_bundle, write_egg, write_runtime

from .conftest import (
    APP,
    BUNDLE,
    EGG,
    FILLED,
    OLD,
    PLATFORM,
    SOME,
    answered,
    egg,
    files,
    fill,
    interrupt,
    once,
    outcomes,
    places,
    refused,
    renew,
)

UPLOAD = ("POST", "*/eggs/upload")


def shown(repository: Repository) -> dict[str, tuple[int | None, str | None]]:
    """What a repository shows, by the paths below it, with sizes and hashes."""
    side = Server(repository)
    state = side.state(select(KINDS, None, **SOME))
    assert state.problems == []
    for path, held in state.held.items():
        side.identify(path, held)
    return {path: (held.size, held.sha256) for path, held in state.held.items()}


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


def test_from_a_server_to_another(lab, target):
    plan = mirror.plan(lab.dev, target, **SOME)
    assert {step.action for step in plan.steps} == {"copy"}
    # Of runtimes, the index says no size.
    assert plan.bytes == sum(size or 0 for size, _ in shown(lab.dev).values())
    assert f"<td>{EGG}</td>" in plan._repr_html_()
    assert set(outcomes(plan.apply(dry_run=True)).values()) == {"would upload"}
    assert shown(target) == {}
    told: list[tuple[int, int | None, str]] = []
    report = plan.apply(progress=lambda *now: told.append(now))
    report.raise_for_failures()
    assert len(report.uploaded) == len(report.results) == FILLED
    assert shown(target) == shown(lab.dev)
    assert indices(target) == indices(lab.dev)
    assert {phase for _, _, phase in told} == {"uploading", "indexing"}
    assert not target.platform(PLATFORM).egg("cp311", "hidden", "1.0.0-1").exists()
    assert not mirror.plan(lab.dev, target, prune=True, **SOME)
    # The plan once more: all is there.
    assert len(plan.apply().already_there) == FILLED


def test_by_a_folder_to_another(lab, target, tmp_path):
    folder = tmp_path / "moving"
    mirror.plan(lab.dev, folder, **SOME).apply().raise_for_failures()
    assert not mirror.plan(lab.dev, folder, prune=True, **SOME)
    written = files(folder)
    assert f"v1/acme/dev/{APP}" in written
    moved = mirror.Folder(folder, "acme/dev")
    mirror.plan(moved, target, **SOME).apply().raise_for_failures()
    assert indices(target) == indices(lab.dev)
    for source in (moved, lab.dev):
        assert not mirror.plan(source, target, prune=True, **SOME)
    # Back into another folder, and from folder to folder.
    back, third = (mirror.Folder(tmp_path / name, "acme/dev") for name in ("back", "third"))
    assert set(outcomes(mirror.plan(target, back, **SOME).apply()).values()) == {"downloaded"}
    mirror.plan(back, third, **SOME).apply().raise_for_failures()
    for other in ("back", "third"):
        assert files(tmp_path / other) == written


def test_updates_and_deletes(lab, target, tmp_path):
    mirror.plan(lab.dev, target, **SOME).apply().raise_for_failures()
    here = target.platform(PLATFORM)
    other = renew(target, tmp_path)
    here.upload_egg(egg(tmp_path, "extra", tag=None))
    target.upload_bundle(write_bundle(tmp_path, "extra"))
    target.upload_runtime(write_runtime(tmp_path, version="3.8.18+1"))
    outside = write_egg(tmp_path, "outside", platform="osx-arm64", python_tag="cp311")
    target.platform("osx-arm64").upload_egg(outside)
    kept = mirror.plan(lab.dev, target, **SOME).apply()
    assert sorted(outcomes(kept).values()) == ["uploaded"] * 4
    assert len(shown(target)) == FILLED + 3
    here.upload_egg(other, overwrite=True)
    plan = mirror.plan(lab.dev, target, prune=True, **SOME)
    assert Counter(step.action for step in plan.steps if step.action != "skip") == {
        "delete": 3,
        "update": 1,
    }
    assert "at most 10 may be deleted" in str(plan)
    read = mirror.Plan.from_document(json.loads(json.dumps(plan.document())), lab.dev, target)
    assert read == plan
    assert set(outcomes(read.apply(dry_run=True)).values()) == {"would upload", "would delete"}
    report = read.apply()
    report.raise_for_failures()
    assert len(report.deleted) == 3
    assert shown(target) == shown(lab.dev)
    assert target.platform("osx-arm64").list_eggs("cp311") != []


def test_no_more_is_deleted_than_may_be(lab, target, tmp_path):
    here = target.platform(PLATFORM)
    for number in range(11):
        here.upload_egg(egg(tmp_path, f"extra{number}", tag=None))
    some: dict[str, Any] = {"kinds": ["eggs"], "prune": True, **SOME}
    plan = mirror.plan(lab.dev, target, **some)
    assert plan.max_deletes == plan.document()["max_deletes"] == 10
    assert "11 artefacts would be deleted, and at most 10 may be" in str(plan)
    report = plan.apply()
    assert len(report.not_tried) == 11
    assert "11 artefacts would be deleted" in str(report)
    with pytest.raises(errors.BatchError):
        report.raise_for_failures()
    assert len(here.list_eggs("cp311")) == 13
    report = mirror.plan(lab.dev, target, max_deletes=11, **some).apply()
    assert len(report.deleted) == 11
    with pytest.raises(errors.InvalidArgumentError, match="max_deletes"):
        mirror.plan(lab.dev, target, max_deletes=-1, **some)


def test_what_has_changed_since_is_left_alone(lab, target, tmp_path):
    source = lab.new("moving")
    here, there = source.platform(PLATFORM), target.platform(PLATFORM)
    for name in ("newer", "taken", "gone", "same", "updated", "removed"):
        here.upload_egg(egg(tmp_path, name))
    for name in ("updated", "removed"):
        there.upload_egg(egg(tmp_path, name, 1))
    for name in ("surplus", "replaced", "wanted"):
        there.upload_egg(egg(tmp_path, name))
    plan = mirror.plan(source, target, prune=True, **SOME)
    here.upload_egg(egg(tmp_path, "newer", 2), overwrite=True)
    here.upload_egg(egg(tmp_path, "wanted", 3))
    here.delete_egg("cp311", "gone", "1.0.0-1")
    there.upload_egg(egg(tmp_path, "taken", 4))
    there.upload_egg(egg(tmp_path, "same"))
    there.upload_egg(egg(tmp_path, "updated", 5), overwrite=True)
    there.upload_egg(egg(tmp_path, "replaced", 6), overwrite=True)
    there.delete_egg("cp311", "removed", "1.0.0-1")
    report = plan.apply()
    said = {path.split("/")[-1].split("-")[0]: done for path, done in outcomes(report).items()}
    assert said == {
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
        size = egg(tmp_path, name, content).stat().st_size
        assert index[f"{name}-1.0.0-1.egg"]["size"] == size
    # A new plan does the rest.
    mirror.plan(source, target, prune=True, **SOME).apply().raise_for_failures()
    assert shown(target) == shown(source)


def test_disabled_eggs(lab, target, tmp_path):
    """What the source shows is shown by the target, whatever it has disabled."""
    large = lab.new("large")
    here, there = large.platform(PLATFORM), target.platform(PLATFORM)
    for name, size in (("large", 1_000_000), ("small", 10)):
        here.upload_egg(egg(tmp_path, name, size))
        there.upload_egg(egg(tmp_path, name, size), enabled=False)
    here.upload_egg(egg(tmp_path, "other", 10))
    there.upload_egg(egg(tmp_path, "other", 11), enabled=False)
    here.upload_egg(egg(tmp_path, "off"), enabled=False)
    there.upload_egg(egg(tmp_path, "kept"), enabled=False)
    report = mirror.plan(large, lab.behind(of=target), prune=True, **SOME).apply()
    report.raise_for_failures()
    assert outcomes(report)[f"{PLATFORM}/eggs/cp311/large-1.0.0-1.egg"] == "already there"
    # The other one twice: the first time it was refused.
    assert lab.gateway.sent(*UPLOAD) == 2
    assert lab.gateway.sent("POST", "*/eggs/re-index") == 1
    assert shown(target) == shown(large)
    assert there.egg("cp311", "kept", "1.0.0-1").metadata()["enabled"] is False


def test_missing_repositories(lab):
    nowhere = lab.corp.repository("nowhere")
    plan = mirror.plan(lab.dev, nowhere, **SOME)
    assert places(plan) == ["corp/nowhere"]
    report = plan.apply()
    assert len(report.not_tried) == FILLED
    assert places(report) == ["corp/nowhere"]
    assert lab.corp.list_repositories() == []
    plan.apply(create_missing=True).raise_for_failures()
    assert shown(nowhere) == shown(lab.dev)
    # A whole organization.
    plan = mirror.plan(lab.acme, lab.corp, prune=True, **SOME)
    assert places(plan) == ["corp/dev"]
    assert plan.those("delete") == ()
    plan.apply(create_missing=True).raise_for_failures()
    assert sorted(lab.corp.list_repositories()) == ["dev", "nowhere"]
    assert shown(lab.corp.repository("dev")) == shown(lab.dev)
    assert not mirror.plan(lab.acme, lab.corp, prune=True, **SOME)


def test_a_part_of_it(lab, target, tmp_path):
    for names, found in [
        (["myegg"], {EGG}),
        (["*EGG", "o?d", "nothing"], {EGG, OLD}),
        (["tools", "com.example.*"], {BUNDLE, APP}),
    ]:
        plan = mirror.plan(lab.dev, target, names=names, **SOME)
        assert {step.path for step in plan.steps} == found
    assert len(mirror.plan(lab.dev, target, names=["cpython"], **SOME).steps) == 2
    mirror.plan(lab.dev, tmp_path, names=["old", "tools"], **SOME).apply().raise_for_failures()
    assert set(files(tmp_path)) == {f"v1/acme/dev/{path}" for path in (OLD, BUNDLE)}
    for given in ("nose", [""]):
        with pytest.raises(errors.InvalidArgumentError, match="names"):
            mirror.plan(lab.dev, target, names=given)
    # Deleting keeps to the part, too.
    mirror.plan(lab.dev, target, **SOME).apply().raise_for_failures()
    empty = tmp_path / "empty"
    (empty / "v1/corp/main").mkdir(parents=True)
    plan = mirror.plan(empty, target, names=["old"], prune=True, **SOME)
    assert [step.path for step in plan.steps] == [OLD]
    plan.apply().raise_for_failures()
    assert len(shown(target)) == FILLED - 1
    # A folder of one platform says nothing of others, unless they are asked for.
    (empty / "v1/corp/main" / PLATFORM).mkdir()
    some = {"python_tags": SOME["python_tags"], "prune": True, "kinds": ["eggs"]}
    deletes = mirror.plan(empty, target, **some).those("delete")
    assert {step.path.split("/")[0] for step in deletes} == {PLATFORM}
    assert len(mirror.plan(empty, target, platforms=["win-x86_64"], **some).those("delete")) == 1


def test_the_same_bytes_are_fetched_once(lab, tmp_path):
    twin = egg(tmp_path, "twin")
    for name in ("one", "two"):
        lab.new(name).platform(PLATFORM).upload_egg(twin)
    through = lab.behind()._session
    acme = type(lab.acme)(through, organization="acme")
    some: dict[str, Any] = {"kinds": ["eggs"], "names": ["twin"], **SOME}
    cache = mirror.Cache(tmp_path / "cache")
    for number, (place, kept) in enumerate(
        [(lab.corp, None), (tmp_path / "out", None), (tmp_path / "cached", cache)], 1
    ):
        plan = mirror.plan(acme, place, **some)
        plan.apply(create_missing=True, cache=kept).raise_for_failures()
        assert lab.gateway.sent("GET", "*/data/*") == number
    mirror.plan(acme, tmp_path / "again", **some).apply(cache=cache).raise_for_failures()
    assert lab.gateway.sent("GET", "*/data/*") == 3
    assert files(tmp_path / "cached") == files(tmp_path / "again")
    assert not mirror.plan(lab.acme, lab.corp, **some)


def test_an_app_without_its_document(lab, target):
    metadata = dict(lab.dev.platform(PLATFORM).app_metadata("cp38", "com.example.viewer", "1.10-2"))
    del metadata["data"]
    plan = mirror.plan(lab.behind(answered("*/metadata/*/apps/*", metadata)), target, **SOME)
    assert [step.path for step in plan.those("conflict")] == [APP]
    assert "no way to download apps" in str(plan)
    report = plan.apply()
    assert [result.name for result in report.failed] == [APP]
    assert len(report.uploaded) == FILLED - 1


def test_sides_that_cannot_be(lab, target, tmp_path):
    plan = mirror.plan(lab.dev, target, kinds=["eggs"], **SOME)
    document = plan.document()
    for change, wrong in [
        ({"format": "other"}, "no plan of hatcher"),
        ({"version": 2}, "of version 2"),
        ({"source": "elsewhere"}, "The source of the plan is elsewhere"),
        ({"steps": [{"action": "copy"}]}, "The plan is damaged"),
        ({"selection": {"kinds": ["wheels"]}}, "The plan is damaged"),
        ({"prune": "yes"}, "The plan is damaged"),
    ]:
        with pytest.raises(errors.InvalidArgumentError, match=wrong):
            mirror.Plan.from_document({**document, **change}, lab.dev, target)
    with pytest.raises(errors.InvalidArgumentError, match="target"):
        mirror.Plan.from_document(document, lab.dev, tmp_path)
    values = [getattr(plan, name) for name in mirror.Plan.__match_args__[:-1]]
    with pytest.raises(errors.InvalidArgumentError, match="its source and target"):
        mirror.Plan(*values).apply()
    with pytest.raises(errors.InvalidArgumentError, match="concurrency"):
        plan.apply(concurrency=0)
    for place in ("", "a//b", "a/b/c/d"):
        with pytest.raises(errors.InvalidArgumentError, match="no place"):
            mirror.Folder(tmp_path, place)
    listed = mirror.manifest(target, kinds=["eggs"], **SOME)
    only_told = mirror.plan(lab.dev, listed, kinds=["eggs"], **SOME)
    assert only_told.steps == plan.steps
    with pytest.raises(errors.InvalidArgumentError, match="manifest of"):
        only_told.apply()
    nothing: Any = 3
    with pytest.raises(errors.InvalidArgumentError, match="no side"):
        mirror.plan(lab.dev, nothing)


def test_a_source_that_breaks_off(lab, target, tmp_path):
    """What cannot be had fails, the others go on, and nothing is deleted there."""
    target.platform(PLATFORM).upload_egg(egg(tmp_path, "extra"))
    broken = lab.behind(refused("*/data/*/old/1.0-1"))
    report = mirror.plan(broken, target, prune=True, **SOME).apply()
    assert [result.name for result in report.failed] == [OLD]
    assert isinstance(report.failed[0].error, errors.HatcherException)
    assert not isinstance(report.failed[0].error, errors.NotFoundError)
    assert [result.name.split("/")[-1] for result in report.not_tried] == ["extra-1.0.0-1.egg"]
    assert len(report.uploaded) == FILLED - 1
    mirror.plan(lab.dev, target, prune=True, **SOME).apply().raise_for_failures()
    assert shown(target) == shown(lab.dev)


def test_other_names_for_the_same(lab, target, tmp_path):
    """Capital letters, and the ABI of a runtime, make no other artefact on a server."""
    source = lab.new("named")
    for repository, number, name, abi in ((source, 0, "Spam", "gnu"), (target, 1, "spam", "musl")):
        made = egg(tmp_path, name, number)
        repository.platform(PLATFORM).upload_egg(made)
        repository.upload_runtime(write_runtime(made.parent, abi=abi))
    folder = mirror.Folder(tmp_path / "folder", "acme/named")
    mirror.plan(target, folder, prune=True, **SOME).apply().raise_for_failures()
    for side in (target, folder):
        plan = mirror.plan(source, side, prune=True, **SOME)
        assert {step.action for step in plan.steps} == {"update"}
        plan.apply().raise_for_failures()
        assert not mirror.plan(source, side, prune=True, **SOME)
    assert sorted(path.rpartition("/")[2] for path in files(tmp_path / "folder")) == [
        "Spam-1.0.0-1.egg",
        "cpython-3.8.17+1-rh8_x86_64-gnu.runtime",
    ]
    assert mirror.verify(tmp_path / "folder")


def test_apps_keep_what_they_say(lab, target, tmp_path):
    """Though only their documents can be had: 1.10 is not the number 1.1."""
    source, app = lab.new("apps"), tmp_path / "app.yaml"
    for text in (
        "id: plain\nversion: 1.10\nbuild: 3\nplatform: rh8_x86_64\nmade: 2024-05-01\n",
        "id: 7\nversion: '1.20-4'\nplatform: rh8_x86_64\npython_tag: cp311\n",
        "id: on\nversion: 012\nplatform: rh8_x86_64\nwords: ['yes', \"ü\\n\", ~, 1e3]\n",
    ):
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
    for outcome in ("downloaded", "already there"):
        report = mirror.export(lab.client, tmp_path / "out", repositories=["acme/apps"], **some)
        assert list(outcomes(report).values()) == [outcome] * 3
        assert not mirror.plan(source, tmp_path / "out", **some)


def test_nothing_is_deleted_when_the_source_cannot_be_read_any_more(lab, target, tmp_path):
    target.platform(PLATFORM).upload_egg(egg(tmp_path, "extra"))
    plan = mirror.plan(lab.behind(), target, prune=True, **SOME)
    assert len(plan.those("delete")) == 1
    lab.gateway.add(refused("*/bundles"))
    report = plan.apply()
    assert not report
    assert places(report) == [f"acme/dev/{name} bundles" for name in SOME["platforms"]]
    assert [result.name.split("/")[-1] for result in report.not_tried] == ["extra-1.0.0-1.egg"]
    assert "the source could not be read whole" in str(report)
    assert target.platform(PLATFORM).egg("cp311", "extra", "1.0.0-1").exists()
    assert len(report.uploaded) == FILLED - 1


def test_eggs_by_the_older_api(lab, target, tmp_path):
    dev = lab.server.client(api_version=0).organization("acme").repository("dev")
    main = lab.other.client(api_version=0).organization("corp").repository("main")
    plan = mirror.plan(dev, main, **SOME)
    assert len(plan.those("copy")) == len(plan.steps) == 4
    plan.apply(journal=tmp_path / "journal").raise_for_failures()
    assert not mirror.plan(lab.dev, target, kinds=["eggs"], prune=True, **SOME)
    folder = tmp_path / "folder"
    mirror.plan(dev, folder, **SOME).apply().raise_for_failures()
    assert {path.split("/")[0] for path in files(folder)} == {"v0"}
    assert not mirror.plan(dev, folder, prune=True, **SOME)
    # A whole organization, in a folder of the newer one.
    mirror.plan(lab.acme, tmp_path / "all", **SOME).apply().raise_for_failures()
    assert not mirror.plan(mirror.Folder(tmp_path / "all", "acme"), lab.acme, **SOME)


def test_who_may_not_write(lab, target):
    """The first refusal is the last request: all others would be refused too."""
    with pytest.raises(errors.HatcherException):
        stranger = lab.other.client(auth=(lab.other.admin_email, "wrong")).organization("corp")
        mirror.plan(lab.dev, stranger.repository("main"), **SOME)
    through = lab.behind(refused("*/upload", 403), of=target)
    report = mirror.plan(lab.dev, through, **SOME).apply(concurrency=1)
    assert lab.gateway.sent("POST", "*/upload") == 1
    assert len(report.failed) == 1
    assert len(report.not_tried) == FILLED - 1
    with pytest.raises(errors.BatchError) as caught:
        report.raise_for_failures()
    assert len(str(caught.value).splitlines()) == 3
    mirror.plan(lab.dev, target, **SOME).apply().raise_for_failures()


def test_the_newer_one_goes_whenever_it_came(lab, target, tmp_path):
    """Even when it came after the indices were read for the last time."""
    source = lab.new("newer")
    source.platform(PLATFORM).upload_egg(egg(tmp_path, "egg", 1, None))
    phases: list[str] = []

    def replace(done: int, total: int | None, phase: str) -> None:
        if phase not in phases:
            phases.append(phase)
            source.platform(PLATFORM).upload_egg(egg(tmp_path, "egg", 2, None), overwrite=True)

    mirror.plan(source, target, **SOME).apply(progress=replace).raise_for_failures()
    assert phases == ["uploading", "indexing"]
    assert shown(target) == shown(source)
    index = target.platform(PLATFORM).egg_index("cp38")
    assert index["egg-1.0.0-1.egg"]["size"] == egg(tmp_path, "egg", 2, None).stat().st_size


def test_what_was_stored_and_not_shown_is_not_sent_again(lab, target):
    plan = mirror.plan(lab.dev, lab.behind(of=target), **SOME)
    with pytest.raises(errors.BatchInterrupted) as stopped:
        plan.apply(progress=once("indexing", interrupt))
    assert len(stopped.value.report.uploaded) == 6
    assert len(stopped.value.report.not_tried) == 2
    assert not any("/eggs/" in path for path in shown(target))
    assert lab.gateway.sent(*UPLOAD) == 4
    report = plan.apply()
    report.raise_for_failures()
    assert lab.gateway.sent(*UPLOAD) == 4
    assert len(report.already_there) == 6
    assert shown(target) == shown(lab.dev)


def test_a_public_repository_and_nobody_in_particular(lab, tmp_path):
    source = lab.acme.create_repository("open", "For all", public=True)
    expected, target = fill(source, tmp_path / "artefacts"), lab.new("hidden")
    with BroodClient.from_url(lab.server.url, api_version=1) as anyone:
        public = anyone.organization("acme").repository("open")
        # All that everybody sees: this repository alone.
        mirror.export(anyone, tmp_path / "out", kinds=KINDS, **SOME).raise_for_failures()
        found = files(tmp_path / "out")
        assert expected.items() <= found.items()
        assert all(path.startswith("v1/acme/open/") for path in found)
        for side in (mirror.Folder(tmp_path / "mirror", "acme/open"), target):
            mirror.plan(public, side, **SOME).apply().raise_for_failures()
            assert not mirror.plan(public, side, **SOME)
            assert mirror.verify(side, public, **SOME).checked
        assert files(tmp_path / "mirror").keys() == found.keys()
        source.platform(PLATFORM).delete_egg("cp38", "old", "1.0-1")
        (failed,) = mirror.plan(target, public, **SOME).apply().failed
        assert isinstance(failed.error, errors.AuthenticationError)


def test_eggs_that_name_another_platform(lab, target, tmp_path):
    """They stay under the one that they are kept under, as public recipes make them."""
    some: dict[str, Any] = {"platforms": ("rh5-x86_64", "rh6-x86_64"), "python_tags": ("cp38",)}
    source, third = lab.new("source"), lab.new("third")
    platform = source.platform("rh5-x86_64")
    eggs = [
        write_egg(tmp_path, name, platform="rh6-x86_64", python_tag="cp38")
        for name in ("one", "two")
    ]
    platform.upload_egg(eggs[0], verify=True)
    assert platform.upload_eggs(eggs)
    assert len(platform.egg_index("cp38")) == 2
    assert source.platform("rh6-x86_64").egg_index("cp38") == {}
    folder, archive = tmp_path / "folder", tmp_path / "all.zip"
    mirror.export(lab.client, folder, repositories=["acme/source"], **some).raise_for_failures()
    assert files(folder) == {
        f"v1/acme/source/rh5-x86_64/eggs/cp38/{egg.name}": egg.read_bytes() for egg in eggs
    }
    mirror.pack(source, archive, **some).raise_for_failures()
    here = mirror.Folder(folder, "acme/source")
    assert not mirror.plan(source, here, **some) and mirror.verify(here, source, **some)
    for origin, side in ((here, target), (archive, third)):
        mirror.plan(origin, side, **some).apply().raise_for_failures()
        assert not mirror.plan(source, side, **some)
        assert mirror.verify(side, source, download=True, **some)
    assert target.platform("rh5-x86_64").list_eggs("cp38") == platform.list_eggs("cp38")
