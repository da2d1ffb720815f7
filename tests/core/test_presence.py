"""Creating what may be there already, and deleting what may be gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from hatcher.api import BatchReport, BroodClient
from hatcher.errors import (
    ConflictError,
    HatcherException,
    InvalidArgumentError,
    InvalidNameError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import write_egg

ADA = "ada@example.com"


@pytest.fixture
def acme(organization, repository, platform, tmp_path):
    """An organization with a team, a user and an egg."""
    team = organization.create_team("builders", "upload_repository")
    team.add_repository(repository)
    organization.create_user(ADA, [team])
    platform.upload_egg(write_egg(tmp_path))
    return organization


CREATED: dict[str, Callable[[Any, bool], Any]] = {
    "organization": lambda c, ok: c.create_organization("acme", "Others", exist_ok=ok),
    "repository": lambda c, ok: acme_of(c).create_repository("dev", "Others", exist_ok=ok),
    "team": lambda c, ok: acme_of(c).create_team("builders", "upload_repository", exist_ok=ok),
    "user": lambda c, ok: acme_of(c).create_user(ADA, exist_ok=ok),
    "user in a team": lambda c, ok: acme_of(c).create_user(ADA, ["builders"], exist_ok=ok),
}


def acme_of(client: BroodClient) -> Any:
    return client.organization("acme")


@pytest.mark.parametrize("what", CREATED)
def test_what_is_there_is_left_as_it_is(acme, client, what):
    with pytest.raises(ConflictError):
        CREATED[what](client, False)
    there = CREATED[what](client, True)
    assert there in (acme, acme.repository("dev"), acme.team("builders"), acme.user(ADA))
    assert getattr(there, "one_time_password", None) is None
    assert acme.list_teams()[0]["group"] == "upload_repository"
    assert acme.user(ADA).metadata()["teams"] == ["builders"]


def test_what_is_not_there_is_created_all_the_same(client):
    organization = client.create_organization("acme", "Makers", exist_ok=True)
    organization.create_repository("dev", "Builds", exist_ok=True)
    organization.create_repository("open", "Builds", public=True, exist_ok=True)
    organization.create_team("builders", "read_repository", exist_ok=True)
    assert organization.create_user(ADA, ["builders"], exist_ok=True).one_time_password
    assert organization.list_repositories() == ["dev", "open"]
    assert organization.team("builders").list_users() == [ADA]


@pytest.mark.parametrize(
    ("create", "said"),
    [
        (lambda o: o.create_team("builders", "read_index", exist_ok=True), "'upload_repository'"),
        (lambda o: o.create_repository("dev", "-", public=True, exist_ok=True), "public"),
        (lambda o: o.create_repository("open", "-", exist_ok=True), "'read_index', not None"),
        (lambda o: o.create_user(ADA, ["others", "builders"], exist_ok=True), "not in 'others'"),
    ],
)
def test_what_is_there_with_other_settings_is_an_error(acme, create, said):
    acme.create_team("others", "read_index")
    acme.create_repository("open", "-", public="read_index")
    with pytest.raises(ConflictError, match=said):
        create(acme)


def test_what_cannot_be_created_is_not_taken_for_there(acme):
    for create in (
        lambda: acme.create_team("new", "everything", exist_ok=True),
        lambda: acme.create_repository("a\nb", "-", exist_ok=True),
        lambda: acme.create_user("nobody", exist_ok=True),
    ):
        with pytest.raises(HatcherException, match=r"everything|a\\nb|nobody"):
            create()


class Gone(NamedTuple):
    """What is deleted, below an organization, and how."""

    delete: Callable[..., None]
    misspelt: Callable[..., None]


GONE = {
    "repository": Gone(
        lambda o, **ok: o.repository("prod").delete(**ok),
        lambda o, **ok: o._child(type(o), organization="akme").repository("dev").delete(**ok),
    ),
    "team": Gone(
        lambda o, **ok: o.team("others").delete(**ok),
        lambda o, **ok: o._child(type(o), organization="akme").team("builders").delete(**ok),
    ),
    "user": Gone(
        lambda o, **ok: o.user("grace@example.com").delete(**ok),
        lambda o, **ok: o._child(type(o), organization="akme").user(ADA).delete(**ok),
    ),
    "access": Gone(
        lambda o, **ok: o.team("builders").remove_repository("other", **ok),
        lambda o, **ok: o.team("builders").remove_repository("othr", **ok),
    ),
    "access of a team": Gone(
        lambda o, **ok: o.team("builders").remove_repository("other", **ok),
        lambda o, **ok: o.team("buildres").remove_repository("other", **ok),
    ),
    "membership": Gone(
        lambda o, **ok: o.team("builders").remove_user("barbara@example.com", **ok),
        lambda o, **ok: o.team("builders").remove_user("barbra@example.com", **ok),
    ),
    "egg": Gone(
        lambda o, **ok: on(o).delete_egg("cp311", "spam", "1.0.0-1", **ok),
        lambda o, **ok: on(o, "deb").delete_egg(None, "spam", "1.0.0-1", **ok),
    ),
    "egg of a platform": Gone(
        lambda o, **ok: on(o).egg(None, "ham", "1.0.0-1").delete(**ok),
        lambda o, **ok: on(o, "dev", "rh88-x86_64").egg(None, "spam", "1.0.0-1").delete(**ok),
    ),
}

#: The same, of what only version 1 can delete.
GONE_1 = {
    "runtime": Gone(
        lambda o, **ok: on(o).runtime_delete("cpython", "3.8.1+1", **ok),
        lambda o, **ok: on(o, "deb").runtime_delete("cpython", "3.8.1+1", **ok),
    ),
    "bundle": Gone(
        lambda o, **ok: on(o).bundle_delete("cp38", "tools", "1.0.0-1", **ok),
        lambda o, **ok: on(o, "deb").bundle_delete("cp38", "tools", "1.0.0-1", **ok),
    ),
    "bundle of a collection": Gone(
        lambda o, **ok: on(o).bundles.delete("cp38", "tools", "1.0.0-1", **ok),
        lambda o, **ok: on(o, "deb").bundles.delete("cp38", "tools", "1.0.0-1", **ok),
    ),
}


def on(organization: Any, repository: str = "dev", platform: str = "rh8-x86_64") -> Any:
    return organization.repository(repository).platform(platform)


@pytest.mark.parametrize("what", [*GONE, *GONE_1])
def test_missing_ok_forgives_what_is_gone_and_no_other_name(acme, client, what):
    acme.create_repository("other", "-")
    acme.create_user("barbara@example.com")
    gone = {**GONE, **GONE_1}[what]
    if what in GONE_1 and client.api_version == 0:
        with pytest.raises(UnsupportedAPIVersionError):
            gone.delete(acme, missing_ok=True)
        return
    with pytest.raises(NotFoundError):
        gone.delete(acme)
    assert gone.delete(acme, missing_ok=True) is None
    with pytest.raises(NotFoundError):
        gone.misspelt(acme, missing_ok=True)
    assert [egg["name"] for egg in on(acme).list_eggs("cp311")] == ["spam-1.0.0-1.egg"]


def test_what_is_there_is_deleted(acme):
    on(acme).delete_egg(None, "spam", "1.0.0-1", missing_ok=True)
    team = acme.team("builders")
    team.remove_repository("dev", missing_ok=True)
    team.remove_user(ADA, missing_ok=True)
    team.delete(missing_ok=True)
    acme.user(ADA).delete(missing_ok=True)
    acme.repository("dev").delete(missing_ok=True)
    assert acme.list_teams() == acme.list_repositories() == []


def test_a_token_that_is_gone(client):
    client.create_api_token("weekly")
    client.delete_api_token("weekly", missing_ok=True)
    client.delete_api_token("weekly", missing_ok=True)
    with pytest.raises(NotFoundError):
        client.delete_api_token("weekly")


@pytest.fixture
def many(platform, tmp_path):
    """A platform with eggs for several Pythons, of which one is out of sight."""
    for name, version, tag in (
        ("nose", "1.3.0", "cp27"),
        ("nose", "1.4.0", "cp27"),
        ("six", "1.0", None),
        ("spam", "1.0", "cp38"),
    ):
        platform.upload_egg(write_egg(tmp_path, name, version, python_tag=tag))
    platform.upload_egg(write_egg(tmp_path, "hidden", "1.0", python_tag="cp27"), enabled=False)
    return platform


def outcomes(report: BatchReport) -> dict[str, str]:
    return {result.name: result.outcome for result in report.results}


def test_many_eggs_are_deleted_whatever_stands_for_them(many):
    (spam,) = (egg for egg in many.list_eggs("cp38") if egg["name"].startswith("spam"))
    given = [
        many.egg("cp27", "nose", "1.3.0-1"),
        spam,
        "six-*",
        "hidden-1.0-1.egg",
        "six-1.0-1.egg",
    ]
    would = many.delete_eggs(given, "cp27", dry_run=True)
    names = ["nose-1.3.0-1.egg", "spam-1.0-1.egg", "six-1.0-1.egg", "hidden-1.0-1.egg"]
    assert outcomes(would) == dict.fromkeys(names, "would delete")
    report = many.delete_eggs(given, "cp27", concurrency=2)
    assert str(report) == "4 files: 4 deleted"
    assert outcomes(report) == dict.fromkeys(names, "deleted")
    assert [egg["name"] for egg in many.list_eggs("cp27")] == ["nose-1.4.0-1.egg"]
    assert not many.egg("cp27", "hidden", "1.0-1").exists()
    gone = many.delete_eggs([*given, "ham-*"], "cp27", missing_ok=True)
    assert outcomes(gone) == {
        "nose-1.3.0-1.egg": "already gone",
        "spam-1.0-1.egg": "already gone",
        "six-*": "already gone",
        "hidden-1.0-1.egg": "already gone",
        "six-1.0-1.egg": "already gone",
        "ham-*": "already gone",
    }
    assert many.delete_eggs([]).results == ()


@pytest.mark.parametrize("dry_run", [False, True])
def test_one_failure_does_not_stop_other_deletions(many, dry_run):
    # The tag of the second one is another; what suits it is not it.
    given = ["noose-1.3.0-1.egg", many.egg("cp38", "six", "1.0-1"), "ham*", "nose-1.3.0-1.egg"]
    report = many.delete_eggs(given, "cp27", dry_run=dry_run)
    done = "would delete" if dry_run else "deleted"
    assert [result.outcome for result in report.results] == ["failed", "failed", "failed", done]
    assert "Did you mean 'nose-1.3.0-1.egg'" in str(report)
    assert "no egg that matches 'ham*'" in str(report)
    assert [egg["name"] for egg in many.list_eggs("cp38") if egg["name"] == "six-1.0-1.egg"]
    assert len(many.list_eggs("cp27")) == 3 - (not dry_run)


@pytest.mark.parametrize(
    "given",
    [
        "nose-1.3.0-1.egg",
        {"name": "nose-1.3.0-1.egg", "python_tag": None},
        None,
        5,
        [None],
        [5],
        [b"nose-1.3.0-1.egg"],
        [""],
        [" "],
        ["nose"],
        ["nose-1.3.0.egg"],
        ["n\nose-1.3.0-1.egg"],
        ["n\ud800se-1.3.0-1.egg"],
        [{}],
        [{"name": "nose-1.3.0-1.egg"}],
        [{"name": "nose", "python_tag": "cp27"}],
        [{"name": "nose-1.3.0-1.egg", "python_tag": 5}],
    ],
    ids=repr,
)
def test_what_is_no_list_of_eggs_deletes_nothing(many, given):
    with pytest.raises((InvalidArgumentError, InvalidNameError)):
        many.delete_eggs(given, "cp27")
    assert len(many.list_eggs("cp27")) == 3


def test_eggs_of_another_place_delete_nothing(many, repository):
    other = repository.platform("win-x86_64").egg("cp27", "nose", "1.3.0-1")
    with pytest.raises(InvalidArgumentError, match="not on acme/dev/rh8-x86_64"):
        many.delete_eggs(["nose-*", other], "cp27")
    with pytest.raises(InvalidArgumentError, match="python_tag='cp311'"):
        many.delete_eggs(["nose-*"])
    for misspelt in (["nose-*"], [{"name": "nose-1.3.0-1.egg", "python_tag": "cp27"}]):
        with pytest.raises(NotFoundError, match="Did you mean 'dev'"):
            there = repository._child(type(repository), repository="deb").platform("rh8-x86_64")
            there.delete_eggs(misspelt, "cp27" if misspelt == ["nose-*"] else None, missing_ok=True)
    assert len(many.list_eggs("cp27")) == 3


@pytest.mark.parametrize("what", ["repository", "team", "user", "access", "egg"])
def test_who_may_not_see_it_is_not_told_that_it_is_gone(acme, brood_server, what):
    acme.create_repository("prod", "-")
    password = acme.create_user("barbara@example.com").one_time_password
    hers = brood_server.client(auth=("barbara@example.com", password), api_version=1)
    with pytest.raises((NotFoundError, PermissionDeniedError)):
        GONE[what].delete(hers.organization("acme"), missing_ok=True)
