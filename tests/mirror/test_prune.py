"""Old versions of eggs go, by a plan; what is to stay, stays."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import Repository
from hatcher.errors import (
    HatcherException,
    InvalidArgumentError,
    NotFoundError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import write_bundle, write_egg

from .conftest import PLATFORM, Lab, actions, answered, outcomes, places, refused

SOME: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311"]}
FOLDER = f"{PLATFORM}/eggs/cp311"


def put(repository: Repository, folder: Path, *names: str, tag: str | None = "cp311") -> None:
    """Upload eggs that are called so, such as ``spam-1.10.0-1``."""
    for name in names:
        egg = write_egg(folder, *split(name), platform=PLATFORM, python_tag=tag)
        repository.platform(PLATFORM).upload_egg(egg)


def split(name: str) -> tuple[str, str, int]:
    name, version, build = name.split("-")
    return name, version, int(build)


def kept(plan: mirror.Plan) -> set[str]:
    return {path.rpartition("/")[2] for path, action in actions(plan).items() if action == "skip"}


def deleted(plan: mirror.Plan) -> set[str]:
    names = {step.path.rpartition("/")[2] for step in plan.those("delete")}
    return {name.removesuffix(".egg") for name in names}


@pytest.fixture
def old(lab: Lab, tmp_path: Path) -> Repository:
    """A repository with old versions."""
    repository = lab.new()
    spam = ("spam-1.9.0-2", "spam-1.10.0-9", "spam-1.10.0-10", "Spam-2.0rc1-1")
    put(repository, tmp_path, *spam, "ham-0.1-1", "ham-0.2-1")
    put(repository, tmp_path, "spam-1.0-1", tag=None)
    hidden = write_egg(tmp_path, "spam", "0.1", platform=PLATFORM, python_tag="cp311")
    repository.platform(PLATFORM).upload_egg(hidden, enabled=False)
    return repository


def test_the_newest_versions_of_each_name_and_tag_stay(lab, old):
    plan = mirror.prune(old, 2, **SOME)
    assert deleted(plan) == {"spam-1.9.0-2", "spam-1.10.0-9"}
    reasons = {step.path: step.reason for step in plan.those("skip")}
    assert reasons[f"{FOLDER}/spam-1.10.0-10.egg"] == "it is one of the newest 2"
    # In the order of versions.
    assert [step.path for step in mirror.prune(old, keep=1, **SOME).those("delete")] == [
        f"{FOLDER}/{name}.egg"
        for name in ("ham-0.1-1", "spam-1.9.0-2", "spam-1.10.0-9", "spam-1.10.0-10")
    ]
    assert deleted(mirror.prune(old, 1, names=["h*"], **SOME)) == {"ham-0.1-1"}
    assert not mirror.prune(old, 4, **SOME)

    assert outcomes(plan.apply(dry_run=True)) == dict.fromkeys(
        [f"{FOLDER}/spam-1.10.0-9.egg", f"{FOLDER}/spam-1.9.0-2.egg"], "would delete"
    )
    report = plan.apply()
    assert report and str(report) == "2 files: 2 deleted"
    platform = old.platform(PLATFORM)
    assert sorted(egg["name"] for egg in platform.list_eggs("cp311")) == [
        "Spam-2.0rc1-1.egg",
        "ham-0.1-1.egg",
        "ham-0.2-1.egg",
        "spam-1.0-1.egg",
        "spam-1.10.0-10.egg",
    ]
    assert platform.egg("cp311", "spam", "0.1-1").exists()  # which no index shows
    assert set(outcomes(plan.apply()).values()) == {"already gone"}


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_place_of_any_level_is_pruned(lab, old, level):
    place = lab.client.at("/".join(["acme", old.name, PLATFORM][:level]))
    some = {"python_tags": ["cp311"]} if level == 3 else SOME
    plan = mirror.prune(place, 1, names=["spam"], **some)
    assert deleted(plan) == {"spam-1.9.0-2", "spam-1.10.0-9", "spam-1.10.0-10"}
    assert outcomes(plan.apply()).keys() == {step.path for step in plan.those("delete")}


def test_a_plan_is_kept_and_applied_as_far_as_it_holds(lab, old, tmp_path):
    plan = mirror.prune(old, 2, older_than=timedelta(hours=1), **SOME)
    assert not plan, "All have just been uploaded."
    plan = mirror.prune(old, 2, **SOME)
    document = json.loads(json.dumps(plan.document()))
    assert document["pruning"] == {"keep": 2, "older_than": None, "except_referenced": False}
    again = mirror.Pruning.read(document, old)
    assert again == plan
    # By now one of them is among the newest.
    old.platform(PLATFORM).delete_egg("cp311", "spam", "1.10.0-10")
    report = again.apply()
    assert outcomes(report) == {
        f"{FOLDER}/spam-1.10.0-9.egg": "failed",
        f"{FOLDER}/spam-1.9.0-2.egg": "deleted",
    }
    assert "has changed since the plan was made" in str(report)
    for place in (lab.dev, old.platform(PLATFORM)):
        with pytest.raises(InvalidArgumentError, match="plan is"):
            mirror.Pruning.read(document, place)


@pytest.mark.parametrize(
    "changed",
    [
        {"pruning": None},
        {"pruning": {}},
        {"pruning": {"keep": 0, "older_than": None, "except_referenced": False}},
        {"pruning": {"keep": True, "older_than": None, "except_referenced": False}},
        {"pruning": {"keep": 1, "older_than": "x", "except_referenced": False}},
        {"pruning": {"keep": 1, "older_than": None, "except_referenced": 1}},
        {"format": "no plan"},
        {"version": 2},
        {"steps": [5]},
        {"steps": [{"action": "delete", "path": 5}]},
    ],
    ids=str,
)
def test_a_damaged_plan_is_refused(lab, old, changed):
    document = {**mirror.prune(old, 2, **SOME).document(), **changed}
    with pytest.raises(InvalidArgumentError):
        mirror.Pruning.read(document, old)
    with pytest.raises(InvalidArgumentError):
        mirror.Pruning.read(None, old)


def test_what_is_young_or_of_no_known_age_stays(lab, old, tmp_path):
    index = old.platform(PLATFORM).egg_index("cp311")
    for name, mtime in (
        ("spam-1.9.0-2.egg", 1.0e9),
        ("spam-1.10.0-9.egg", None),
        ("spam-1.10.0-10.egg", "long ago"),
        ("ham-0.1-1.egg", 0),
    ):
        index[name]["mtime"] = mtime
    del index["spam-1.10.0-9.egg"]["mtime"]
    behind = lab.behind(answered("*/cp311/eggs", dict(index)), of=old)
    plan = mirror.prune(behind, 1, older_than="180d", **SOME)
    assert deleted(plan) == {"spam-1.9.0-2"}
    assert [step.path.rpartition("/")[2] for step in plan.of_unknown_age] == [
        "ham-0.1-1.egg",
        "spam-1.10.0-9.egg",
        "spam-1.10.0-10.egg",
    ]
    assert deleted(mirror.prune(behind, 1, older_than="60y", **SOME)) == set()
    reasons = {step.reason for step in mirror.prune(old, 1, older_than="1d", **SOME).steps}
    assert reasons == {"it is the newest", "it is not old enough"}


def named(folder: Path, name: str, *eggs: tuple[str, str]) -> Path:
    required = [{"name": name, "version": version} for name, version in eggs]
    return write_bundle(folder, name, requirements=required)


def test_what_a_bundle_of_the_organization_names_stays(lab, old, tmp_path):
    other = lab.new("other")
    other.upload_bundle(named(tmp_path, "tools", ("SPAM", "1.9.0-2"), ("ham", "0.1")))
    plan = mirror.prune(old, 1, except_referenced=True, **SOME)
    assert deleted(plan) == {"spam-1.10.0-9", "spam-1.10.0-10"}
    reasons = {step.path: step.reason for step in plan.steps}
    bundle = f"acme/other/{PLATFORM}/bundles/cp38/tools/1.0.0-1"
    assert reasons[f"{FOLDER}/spam-1.9.0-2.egg"] == f"the bundle {bundle} names it"
    # One that names it by now holds it back.
    other.upload_bundle(named(tmp_path, "more", ("spam", "1.10.0-9")))
    assert outcomes(plan.apply()) == {
        f"{FOLDER}/spam-1.10.0-10.egg": "deleted",
        f"{FOLDER}/spam-1.10.0-9.egg": "failed",
    }


@pytest.mark.parametrize(
    "fault",
    [
        refused("*/bundles/cp38/kit/1.0.0-1", 403),
        answered("*/bundles/cp38/kit/1.0.0-1", {"data": {"metadata_version": "9"}}),
        refused("*/other/rh8-x86_64/bundles", 403),
        refused("*/organizations/acme/teams", 403),
        refused("*/copy/rh8-x86_64/cp311/eggs", 500),
        answered("*/copy/rh8-x86_64/cp311/eggs", [5]),
    ],
    ids=lambda fault: f"{fault.path} {fault.answer.status}",
)
def test_what_cannot_be_read_deletes_nothing(lab, old, tmp_path, fault):
    lab.new("other").upload_bundle(named(tmp_path, "kit", ("spam", "1.9.0-2")))
    some = {**SOME, "python_tags": ["cp311", "cp38"]}
    whole = mirror.prune(old, 1, except_referenced=True, **some)
    assert deleted(whole)
    behind = lab.behind(fault, of=old)
    plan = mirror.prune(behind, 1, except_referenced=True, **some)
    assert plan.problems and places(plan) == [plan.problems[0].place]
    assert not plan.those("delete")
    # Nor does a plan that was made when all could be read.
    document = {**whole.document(), "source": plan.source, "target": plan.target}
    report = mirror.Pruning.read(document, behind).apply()
    assert not report
    assert set(outcomes(report).values()) <= {"not tried", "already gone"}
    assert len(places(report)) == 1


def test_no_more_goes_than_may(lab, old, tmp_path):
    put(old, tmp_path, *(f"many-{number}.0-1" for number in range(13)))
    plan = mirror.prune(old, 1, names=["many"], **SOME)
    assert len(plan.those("delete")) == 12
    assert "max_deletes=12" in str(plan)
    report = plan.apply()
    assert not report and set(outcomes(report).values()) == {"not tried"}
    plan = mirror.prune(old, 1, names=["many"], max_deletes=12, **SOME)
    assert plan.apply() and not mirror.prune(old, 1, names=["many"], **SOME)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keep": 0}, "keep is 0"),
        ({"keep": -1}, "keep is -1"),
        ({"keep": True}, "keep is True"),
        ({"keep": "3"}, "keep is '3'"),
        ({"keep": None}, "keep is None"),
        *(
            ({"older_than": age}, "older_than")
            for age in (
                "",
                " ",
                "180",
                "d",
                "-1d",
                "1.5d",
                "180 days",
                "0d",
                "1d\n2d",
                "\u0661d",
                180,
            )
        ),
        ({"older_than": timedelta(0)}, "older_than"),
        ({"older_than": "9" * 5000 + "d"}, "older_than"),
        ({"except_referenced": "yes"}, "except_referenced is 'yes'"),
        ({"max_deletes": -1}, "max_deletes is -1"),
        ({"names": "spam"}, "list"),
        ({"place": "acme/dev"}, "cannot be pruned"),
    ],
    ids=lambda given: str(given)[:40],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(lab, given, said):
    asked = {"place": lab.behind(), "keep": 3, **given}
    with pytest.raises(InvalidArgumentError, match=said):
        mirror.prune(**asked)
    assert not lab.gateway.requests


def test_other_places_that_cannot_be_pruned(lab, old):
    with pytest.raises(NotFoundError, match="Did you mean 'copy'"):
        mirror.prune(lab.acme.repository("copi"), 1, **SOME)
    with pytest.raises(HatcherException):
        mirror.prune(lab.client.organization("akme"), 1, **SOME)
    legacy = lab.server.client(api_version=0).organization("acme").repository(old.name)
    with pytest.raises(UnsupportedAPIVersionError, match="except_referenced"):
        mirror.prune(legacy, 1, except_referenced=True, **SOME)
    assert deleted(mirror.prune(legacy, 2, **SOME)) == {"spam-1.9.0-2", "spam-1.10.0-9"}
