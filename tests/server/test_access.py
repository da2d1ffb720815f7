"""Who may do what: where access comes from; `contract/test_authorization.py` tries each operation."""

from __future__ import annotations

from itertools import permutations

import pytest

from hatcher.server.access import GROUPS

from .conftest import PLATFORM, error_of


@pytest.mark.parametrize("group", ["read_index", "read_repository"])
def test_a_refusal_names_both_levels(person, egg, group):
    error = error_of(person("me@example.com", group).upload_egg(egg), 403)
    assert "upload_repository" in error
    assert group in error


def test_an_organization_administrator_rules_all_of_it(admin, person, egg):
    """Also the repositories that are none of the team's."""
    ruler = person("ruler@example.com", "organization_administrator")
    ruler.create("/acme/repositories", name="new")
    assert ruler.upload(f"/data/acme/new/{PLATFORM}/eggs/upload", egg).status_code == 201
    # Nobody can give what is above the organization.
    for group in ("x", "server_administrator"):
        refused = ruler.create("/acme/teams", 400, name="x", group=group)
        assert ", ".join(GROUPS) in refused["error"]


def test_the_best_of_many_teams_counts(admin, person):
    client = person("me@example.com", "read_index")
    url = f"/data/acme/dev/{PLATFORM}/eggs/re-index"
    assert client.post(url, json={"eggs": []}).status_code == 403
    admin.create("/acme/teams", name="uploaders", group="upload_repository")
    assert admin.put("/admin/teams/acme/uploaders/members/me@example.com").status_code == 204
    # The team has no repositories yet.
    assert client.post(url, json={"eggs": []}).status_code == 403
    assert admin.put("/admin/teams/acme/uploaders/repositories/dev").status_code == 204
    assert client.post(url, json={"eggs": []}).status_code == 202
    (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
    assert listed == {"name": "acme/dev", "access": "upload_repository", "description": "Ours"}
    # What is taken away is gone at once.
    assert admin.delete("/admin/teams/acme/uploaders/repositories/dev").status_code == 204
    assert client.post(url, json={"eggs": []}).status_code == 403
    assert admin.delete("/admin/users/acme/me@example.com").status_code == 204
    assert client.get("/metadata/platforms").status_code == 401


@pytest.mark.parametrize("order", list(permutations(GROUPS[:3])))
def test_the_best_of_several_teams_counts_in_any_order(admin, person, order):
    client = person("me@example.com")
    for team in order:
        admin.create("/acme/teams", name=team, group=team)
        assert admin.put(f"/admin/teams/acme/{team}/repositories/dev").status_code == 204
    # Neither the order of the teams nor that of their members decides.
    for team in order[::-1]:
        assert admin.put(f"/admin/teams/acme/{team}/members/me@example.com").status_code == 204
    (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
    assert listed["access"] == "upload_repository"
    url = f"/data/acme/dev/{PLATFORM}/eggs/re-index"
    assert client.post(url, json={"eggs": []}).status_code == 202
    assert admin.delete("/admin/teams/acme/upload_repository?force=True").status_code == 204
    (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
    assert listed["access"] == "read_repository"


@pytest.mark.parametrize("first", [True, False])
def test_an_administrator_with_lesser_teams(admin, person, first):
    teams = ["organization_administrator", "read_index"][:: 1 if first else -1]
    client = person("me@example.com")
    for team in teams:
        admin.create("/acme/teams", name=team, group=team)
        admin.put(f"/admin/teams/acme/{team}/repositories/dev")
        assert admin.put(f"/admin/teams/acme/{team}/members/me@example.com").status_code == 204
    (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
    assert listed["access"] == "organization_administrator"
    assert client.get("/admin/organizations/acme/teams").status_code == 200


def test_available_repositories(admin, person):
    indexer = person("index@example.com", "read_index")
    reader = person("reader@example.com", "read_repository")
    nobody = person("nobody@example.com")
    v0 = admin.base_url.join("/api/v0/json/metadata/user/repositories")
    for client, plain, with_indexable, access in (
        (indexer, [], ["acme/dev"], ["read_index"]),
        (reader, ["acme/dev"], ["acme/dev"], ["read_repository"]),
        (nobody, [], [], []),
        (admin, ["acme/dev"], ["acme/dev"], ["server_administrator"]),
    ):
        for query, expected in (("", plain), ("False", plain), ("True", with_indexable)):
            answered = client.get(v0, params={"include_indexable": query} if query else {})
            assert answered.json() == {"repositories": expected}
        ours = {"name": "acme/dev", "description": "Ours"}
        listed = client.get("/metadata/user/repositories").json()["repositories"]
        assert listed == [{**ours, "access": level} for level in access]
    for client, names in ((reader, ["dev"]), (nobody, [])):
        listed = client.get("/admin/organizations/acme/repositories").json()
        assert listed == {"repositories": names}


def test_repositories_are_deleted_with_care(admin, egg):
    assert admin.upload_egg(egg).status_code == 201
    url = "/admin/repositories/acme/dev"
    assert "force=True" in error_of(admin.delete(url, params={"force": "False"}), 409)
    assert admin.delete(url, params={"force": "True"}).status_code == 204
    assert admin.delete(url, params={"force": "True"}).status_code == 404


def test_what_exists_is_not_made_twice(admin):
    admin.create("", 409, name="acme")
    admin.create("/acme/repositories", 409, name="dev")
    admin.create("/xyz/repositories", 404, name="dev")
