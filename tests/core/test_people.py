"""Teams and users, and what they may do."""

from __future__ import annotations

import pytest

from hatcher.api import BroodClient
from hatcher.errors import (
    BadRequestError,
    ConflictError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
)
from hatcher.testing import FaultyGateway, RequestFault, write_app, write_egg, write_runtime


def test_a_team_from_its_creation_to_its_deletion(organization, repository):
    assert organization.list_teams() == []
    team = organization.create_team("builders", "upload_repository")
    assert team == organization.team("builders")
    assert repr(team) == "<Team organization='acme', team='builders'>"
    assert (team.name, team.organization_name) == ("builders", "acme")
    (listed,) = organization.list_teams()
    assert (listed["name"], listed["group"]) == ("builders", "upload_repository")
    assert team.metadata()["group"] == "upload_repository"

    assert not team.query_repository_access(repository)
    team.add_repository(repository)
    team.add_repository("dev")  # once more does no harm
    assert team.list_repositories() == ["dev"]
    assert team.query_repository_access("dev")
    with pytest.raises(ConflictError, match="force"):
        team.delete()
    team.remove_repository(repository)
    assert team.list_repositories() == []
    with pytest.raises(NotFoundError):
        team.remove_repository("dev")
    team.delete()
    assert organization.list_teams() == []


def test_members_of_a_team(organization):
    team = organization.create_team("builders", "read_repository")
    ada = organization.create_user("ada@example.com")
    assert not team.query_user_access(ada)
    team.add_user(ada)
    assert team.list_users() == ["ada@example.com"]
    assert team.query_user_access("ada@example.com")
    team.remove_user("ada@example.com")
    assert team.list_users() == []
    with pytest.raises(NotFoundError):
        team.add_user("nobody@example.com")


def test_an_unknown_access_level_is_refused(organization):
    with pytest.raises(BadRequestError, match="upload_repository"):
        organization.create_team("builders", "everything")


def test_a_user_from_creation_to_deletion(organization):
    builders = organization.create_team("builders", "upload_repository")
    organization.create_team("readers", "read_repository")
    ada = organization.create_user("ada@example.com", teams=[builders, "readers"])
    assert repr(ada) == "<User organization='acme', email='ada@example.com'>"
    assert (ada.email, ada.organization_name) == ("ada@example.com", "acme")
    assert ada == organization.user("ada@example.com")
    assert sorted(ada.metadata()["teams"]) == ["builders", "readers"]
    assert builders.list_users() == ["ada@example.com"]
    with pytest.raises(ConflictError):
        organization.create_user("ada@example.com")
    ada.delete()
    with pytest.raises(NotFoundError):
        ada.metadata()


def test_teams_are_a_list(organization):
    with pytest.raises(InvalidArgumentError, match="list"):
        organization.create_user("ada@example.com", teams="builders")


def test_the_first_password_is_shown_once_and_nowhere_else(organization, brood_server, client):
    ada = organization.create_user("ada@example.com")
    password = ada.one_time_password
    assert password and password not in repr(ada) + str(ada.metadata())
    assert organization.user("ada@example.com").one_time_password is None
    with BroodClient.from_url(brood_server.url, auth=(ada.email, password)) as theirs:
        assert theirs.list_platforms()


def test_a_team_gives_its_members_access(organization, repository, brood_server):
    readers = organization.create_team("readers", "read_repository")
    ada = organization.create_user("ada@example.com", teams=[readers])
    credentials = ("ada@example.com", ada.one_time_password or "")
    with BroodClient.from_url(brood_server.url, auth=credentials, api_version=1) as theirs:
        there = theirs.at("acme/dev/rh8-x86_64")
        with pytest.raises(NotFoundError):
            there.list_eggs("cp311")  # type: ignore[union-attr]
        readers.add_repository(repository)
        assert there.list_eggs("cp311") == []  # type: ignore[union-attr]
        assert theirs.whoami() == {
            "server": brood_server.url,
            "api_version": 1,
            "authentication": "password",
            "user": "ada@example.com",
            "repositories": {"acme/dev": "read_repository"},
        }
        assert theirs.at("acme/dev").metadata() == {  # type: ignore[union-attr]
            "name": "acme/dev",
            "access": "read_repository",
            "description": "Builds of the night",
        }
        with pytest.raises(PermissionDeniedError, match="access level"):
            theirs.at("acme/dev").delete()  # type: ignore[union-attr]


def test_the_users_of_an_organization_are_the_members_of_its_teams(organization, brood_server):
    assert organization.list_users() == []
    builders, readers = (organization.create_team(n, "read_index") for n in ("builders", "readers"))
    organization.create_team("nobody", "read_index")
    organization.create_user("grace@example.com", [builders, readers])
    password = organization.create_user("Ada@example.com", [readers]).one_time_password
    organization.create_user("alone@example.com")
    assert organization.list_users() == ["Ada@example.com", "grace@example.com"]
    with pytest.raises(NotFoundError):
        brood_server.client().organization("akme").list_users()
    ada = brood_server.client(auth=("ada@example.com", password), api_version=1)
    with ada, pytest.raises(PermissionDeniedError):
        ada.organization("acme").list_users()


def test_the_platforms_of_a_repository_are_those_with_something_on_them(
    organization, repository, client, tmp_path
):
    assert repository.list_platforms() == []
    repository.platform("win-x86_64").upload_egg(write_egg(tmp_path))
    repository.platform("osx-x86_64").upload_egg(write_egg(tmp_path, name="hidden"), enabled=False)
    if client.api_version == 0:
        repository.platform("rh8-x86_64").upload_egg(
            write_egg(tmp_path, "tagged", python_tag="cp27")
        )
    else:
        repository.upload_runtime(write_runtime(tmp_path))
    assert repository.list_platforms() == ["rh8-x86_64", "win-x86_64"]
    organization.create_repository("other", "-").upload_app(write_app(tmp_path))
    assert organization.repository("other").list_platforms() == ["rh8-x86_64"]
    with pytest.raises(NotFoundError, match="Did you mean 'dev'"):
        organization.repository("deb").list_platforms()


def test_a_platform_that_cannot_be_read_is_an_error(repository, brood_server):
    broken = RequestFault("replace", path="*/rh8-x86_64/apps", times=10)
    with FaultyGateway(brood_server.url, broken) as gateway, pytest.raises(ServerError):
        through = brood_server.client(url=gateway.url)
        through.organization("acme").repository("dev").list_platforms()


def test_what_brood_does_not_implement_says_so(organization):
    for method in (organization.delete, organization.metadata):
        with pytest.raises(NotImplementedError, match=r"Not implemented in brood\."):
            method()
