"""Who may do what: every level, against every operation on a repository."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest

from hatcher.server.access import GROUPS, Access

from .conftest import PLATFORM, Client

#: What needs which level, and the status of its success.
NEEDS: list[tuple[Access, str, str, int]] = [
    (Access.read_index, "GET", f"/indices/acme/dev/{PLATFORM}/cp311/eggs", 200),
    (Access.read_index, "GET", f"/indices/acme/dev/{PLATFORM}/runtimes", 200),
    (Access.read_index, "GET", f"/indices/acme/dev/{PLATFORM}/apps", 200),
    (Access.read_index, "GET", f"/indices/acme/dev/{PLATFORM}/bundles", 200),
    (Access.read_index, "GET", f"/metadata/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1", 200),
    (Access.read_repository, "GET", f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1", 200),
    (Access.upload_repository, "POST", f"/data/acme/dev/{PLATFORM}/eggs/re-index", 202),
    (Access.organization_administrator, "GET", "/admin/organizations/acme/teams", 200),
    (Access.organization_administrator, "GET", "/admin/users/acme/me@example.com", 200),
    (Access.upload_repository, "DELETE", f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1", 204),
    (Access.organization_administrator, "DELETE", "/admin/repositories/acme/dev", 204),
]


@pytest.mark.parametrize("group", GROUPS)
def test_levels(admin: Client, person: Callable[..., Client], egg: Path, group: str) -> None:
    assert admin.upload_egg(egg).status_code == 201
    client = person("me@example.com", group)
    for needed, method, url, success in NEEDS:
        body = {"json": {"eggs": []}} if method == "POST" else {}
        response = client.request(method, url, **body)  # type: ignore[arg-type]
        if Access[group] >= needed:
            assert response.status_code == success, (method, url, response.text)
        else:
            assert response.status_code == 403, (method, url, response.text)
            error = response.json()["error"]
            assert needed.name in error
            assert group in error or "authenticated" in error


@pytest.mark.parametrize("group", GROUPS)
def test_uploads(admin: Client, person: Callable[..., Client], egg: Path, group: str) -> None:
    response = person("me@example.com", group).upload_egg(egg)
    assert response.status_code == (201 if group not in ("read_index", "read_repository") else 403)


def test_without_access_nothing_is_there(
    admin: Client, person: Callable[..., Client], egg: Path
) -> None:
    """What one may not see is answered as what is not there, word for word."""
    assert admin.upload_egg(egg).status_code == 201
    client = person("me@example.com")
    for needed, method, url, _ in NEEDS:
        if needed >= Access.organization_administrator:
            continue
        hidden = client.request(method, url, json={"eggs": []})
        missing = client.request(method, url.replace("/dev/", "/xyz/"), json={"eggs": []})
        assert hidden.status_code == missing.status_code == 404
        assert hidden.json()["error"].replace("dev", "xyz") == missing.json()["error"]


def test_other_organizations_are_hidden(admin: Client, person: Callable[..., Client]) -> None:
    admin.post("/admin/organizations", json={"name": "globex"})
    admin.post("/admin/organizations/globex/repositories", json={"name": "dev"})
    ruler = person("ruler@example.com", "organization_administrator")
    assert ruler.get("/admin/organizations").json() == {"organizations": ["acme"]}
    for url in (
        "/admin/organizations/globex/repositories",
        "/admin/organizations/globex/teams",
        "/admin/users/globex/ruler@example.com",
        f"/indices/globex/dev/{PLATFORM}/cp311/eggs",
    ):
        assert ruler.get(url).status_code == 404
    assert ruler.delete("/admin/repositories/globex/dev?force=True").status_code == 404
    assert admin.get("/admin/organizations").json() == {"organizations": ["acme", "globex"]}


def test_only_the_server_administrator_makes_organizations(person: Callable[..., Client]) -> None:
    for group in (None, "organization_administrator"):
        response = person(f"{group}@example.com", group).post(
            "/admin/organizations", json={"name": "mine"}
        )
        assert response.status_code == 403
        assert "server_administrator" in response.json()["error"]


def test_an_organization_administrator_rules_all_of_it(
    admin: Client, person: Callable[..., Client], egg: Path
) -> None:
    """Also the repositories that are none of the team's."""
    ruler = person("ruler@example.com", "organization_administrator")
    created = ruler.post("/admin/organizations/acme/repositories", json={"name": "new"})
    assert created.status_code == 201
    url = f"/data/acme/new/{PLATFORM}/eggs/upload"
    assert ruler.upload(url, egg).status_code == 201
    refused = ruler.post("/admin/organizations/acme/teams", json={"name": "x", "group": "x"})
    assert refused.status_code == 400
    assert ", ".join(GROUPS) in refused.json()["error"]
    # Nobody can give what is above the organization.
    body = {"name": "x", "group": "server_administrator"}
    assert ruler.post("/admin/organizations/acme/teams", json=body).status_code == 400


def test_the_best_of_many_teams_counts(admin: Client, person: Callable[..., Client]) -> None:
    client = person("me@example.com", "read_index")
    url = f"/data/acme/dev/{PLATFORM}/eggs/re-index"
    assert client.post(url, json={"eggs": []}).status_code == 403
    body = {"name": "uploaders", "group": "upload_repository"}
    admin.post("/admin/organizations/acme/teams", json=body)
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
def test_the_best_of_several_teams_counts_in_any_order(
    admin: Client, person: Callable[..., Client], order: tuple[str, ...]
) -> None:
    client = person("me@example.com")
    for team in order:
        body = {"name": team, "group": team}
        assert admin.post("/admin/organizations/acme/teams", json=body).status_code == 201
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
def test_an_administrator_with_lesser_teams(
    admin: Client, person: Callable[..., Client], first: bool
) -> None:
    teams = ["organization_administrator", "read_index"][:: 1 if first else -1]
    client = person("me@example.com")
    for team in teams:
        admin.post("/admin/organizations/acme/teams", json={"name": team, "group": team})
        admin.put(f"/admin/teams/acme/{team}/repositories/dev")
        assert admin.put(f"/admin/teams/acme/{team}/members/me@example.com").status_code == 204
    (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
    assert listed["access"] == "organization_administrator"
    assert client.get("/admin/organizations/acme/teams").status_code == 200


def test_available_repositories(admin: Client, person: Callable[..., Client]) -> None:
    indexer = person("index@example.com", "read_index")
    reader = person("reader@example.com", "read_repository")
    nobody = person("nobody@example.com")
    v0 = admin.base_url.join("/api/v0/json/metadata/user/repositories")
    for client, plain, with_indexable in (
        (indexer, [], ["acme/dev"]),
        (reader, ["acme/dev"], ["acme/dev"]),
        (nobody, [], []),
        (admin, ["acme/dev"], ["acme/dev"]),
    ):
        assert client.get(v0).json() == {"repositories": plain}
        answered = client.get(v0, params={"include_indexable": "True"})
        assert answered.json() == {"repositories": with_indexable}
        answered = client.get(v0, params={"include_indexable": "False"})
        assert answered.json() == {"repositories": plain}
    for client, access in (
        (indexer, "read_index"),
        (reader, "read_repository"),
        (admin, "server_administrator"),
    ):
        (listed,) = client.get("/metadata/user/repositories").json()["repositories"]
        assert listed == {"name": "acme/dev", "access": access, "description": "Ours"}
    listed = reader.get("/admin/organizations/acme/repositories").json()
    assert listed == {"repositories": ["dev"]}
    assert nobody.get("/admin/organizations/acme/repositories").json() == {"repositories": []}


def test_repositories_are_deleted_with_care(admin: Client, egg: Path) -> None:
    assert admin.upload_egg(egg).status_code == 201
    url = "/admin/repositories/acme/dev"
    refused = admin.delete(url, params={"force": "False"})
    assert refused.status_code == 409
    assert "force=True" in refused.json()["error"]
    assert admin.delete(url, params={"force": "True"}).status_code == 204
    assert admin.delete(url, params={"force": "True"}).status_code == 404


def test_what_exists_is_not_made_twice(admin: Client) -> None:
    body = {"name": "acme"}
    assert admin.post("/admin/organizations", json=body).status_code == 409
    body = {"name": "dev"}
    assert admin.post("/admin/organizations/acme/repositories", json=body).status_code == 409
    assert admin.post("/admin/organizations/xyz/repositories", json=body).status_code == 404
