"""Teams and users."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from attrs import evolve

from hatcher.server.runner import BackgroundServer

from .conftest import Client, client_of, error_of

TEAM = "/admin/teams/acme/builders"


@pytest.fixture
def team(admin: Client) -> None:
    admin.create("/acme/teams", name="builders", group="upload_repository")


@pytest.mark.usefixtures("team")
def test_a_team_from_its_creation_to_its_deletion(admin):
    listed = admin.get("/admin/organizations/acme/teams").json()
    assert listed == {"teams": [{"name": "builders", "group": "upload_repository"}]}
    assert admin.get(TEAM).json() == {
        "name": "builders",
        "group": "upload_repository",
        "organization": "acme",
        "members": [],
        "repositories": [],
    }
    admin.create("/acme/teams", 409, name="builders", group="read_index")
    assert admin.delete(TEAM).status_code == 204
    assert admin.delete(TEAM).status_code == 404
    assert admin.get(TEAM).status_code == 404


@pytest.mark.usefixtures("team")
def test_repositories_of_a_team(admin):
    dev = f"{TEAM}/repositories/dev"
    assert admin.get(dev).status_code == 404
    assert admin.delete(dev).status_code == 404
    for _ in range(2):
        response = admin.put(dev)
        assert response.status_code == 204
        assert response.content == b""
    assert admin.get(dev).status_code == 204
    assert admin.get(f"{TEAM}/repositories").json() == {"repositories": ["dev"]}
    assert admin.put(f"{TEAM}/repositories/xyz").status_code == 404
    assert admin.delete(dev, params={"force": "False"}).status_code == 204
    assert admin.get(f"{TEAM}/repositories").json() == {"repositories": []}


@pytest.mark.usefixtures("team")
def test_members_of_a_team(admin, person):
    person("ada@example.com")
    ada = f"{TEAM}/members/ada@example.com"
    assert admin.get(ada).status_code == 404
    assert admin.delete(ada).status_code == 404
    for _ in range(2):
        assert admin.put(ada).status_code == 204
    assert admin.get(ada).status_code == 204
    assert admin.get(f"{TEAM}/members/ADA@example.com").status_code == 204
    assert admin.get(f"{TEAM}/members").json() == {"members": ["ada@example.com"]}
    assert admin.put(f"{TEAM}/members/nobody@example.com").status_code == 404
    assert admin.delete(ada, params={"force": "False"}).status_code == 204
    assert admin.get(f"{TEAM}/members").json() == {"members": []}


@pytest.mark.usefixtures("team")
def test_teams_are_deleted_with_care(admin, person):
    person("ada@example.com")
    for held in ("repositories/dev", "members/ada@example.com"):
        admin.put(f"{TEAM}/{held}")
        assert "force=True" in error_of(admin.delete(TEAM, params={"force": "False"}), 409)
        admin.delete(f"{TEAM}/{held}")
    admin.put(f"{TEAM}/members/ada@example.com")
    assert admin.delete(TEAM, params={"force": "True"}).status_code == 204
    assert admin.get("/admin/users/acme/ada@example.com").json()["teams"] == []


@pytest.mark.usefixtures("team")
def test_users(server, admin):
    body = {"email": "Ada@Example.com", "teams": ["builders"]}
    password = admin.create("/acme/users", **body)["one_time_password"]
    assert admin.get("/admin/users/acme/ada@example.com").json()["email"] == "Ada@Example.com"
    assert admin.get("/admin/users/acme/Ada@Example.com").json()["teams"] == ["builders"]
    assert admin.get(f"{TEAM}/members").json() == {"members": ["Ada@Example.com"]}
    with client_of(server, ("ada@example.com", password)) as ada:
        assert ada.get("/admin/organizations").json() == {"organizations": ["acme"]}
        admin.create("/acme/users", 409, **body)
        assert admin.delete("/admin/users/acme/ada@example.com?force=False").status_code == 204
        assert ada.get("/metadata/platforms").status_code == 401
    assert admin.get("/admin/users/acme/ada@example.com").status_code == 404
    assert admin.delete("/admin/users/acme/ada@example.com").status_code == 404
    again = admin.create("/acme/users", email="ada@example.com")
    assert again["one_time_password"] != password
    assert admin.get("/admin/users/acme/ada@example.com").json()["teams"] == []


def test_a_user_of_two_organizations(server, admin):
    admin.create(name="globex")
    first = admin.create("/acme/users", email="ada@example.com")
    second = admin.create("/globex/users", email="ada@example.com")
    assert "one_time_password" not in second, "the account has one already"
    with client_of(server, ("ada@example.com", first["one_time_password"])) as ada:
        assert ada.get("/admin/organizations").json() == {"organizations": ["acme", "globex"]}
        admin.delete("/admin/users/acme/ada@example.com")
        assert ada.get("/admin/organizations").json() == {"organizations": ["globex"]}
        admin.delete("/admin/users/globex/ada@example.com")
        assert ada.get("/admin/organizations").status_code == 401


def sessions_of(client: Client) -> list[dict[str, str]]:
    """What a client can prove itself with, besides the password."""
    created = [client.post("/auth/tokens/api", json={"name": "ci"}).json()["token"]]
    api = {"Authorization": f"Bearer {created[0]}"}
    for how in ({"headers": api, "auth": None}, {}):
        created.append(client.post("/auth/tokens/auth", **how).json()["token"])
    headers = [{"Authorization": f"Bearer {token}"} for token in created]
    for each in headers:
        assert client.get("/metadata/platforms", headers=each, auth=None).status_code == 200
    return headers


def test_sessions_and_tokens_end_with_their_user(admin, person):
    for group in (None, "upload_repository", "organization_administrator"):
        client = person(f"{group}@example.com", group)
        headers = sessions_of(client)
        assert admin.delete(f"/admin/users/acme/{group}@example.com").status_code == 204
        for each in headers:
            assert client.get("/metadata/platforms", headers=each, auth=None).status_code == 401
            assert client.post("/auth/tokens/auth", headers=each, auth=None).status_code == 401
        # The password is forgotten, too, though it was right a moment ago.
        assert client.get("/metadata/platforms").status_code == 401


def test_sessions_of_one_who_stays_elsewhere_see_nothing_here(admin, person):
    ada = person("ada@example.com", "organization_administrator")
    admin.create(name="globex")
    admin.create("/globex/users", email="ada@example.com")
    headers = sessions_of(ada)
    assert admin.delete("/admin/users/acme/ada@example.com").status_code == 204
    for each in headers:
        listed = ada.get("/admin/organizations", headers=each, auth=None).json()
        assert listed == {"organizations": ["globex"]}
        response = ada.get("/admin/organizations/acme/repositories", headers=each, auth=None)
        assert response.status_code == 404
    assert admin.delete("/admin/users/globex/ada@example.com").status_code == 204
    for each in headers:
        assert ada.get("/admin/organizations", headers=each, auth=None).status_code == 401


def test_the_administrator_cannot_be_deleted_by_an_organization(admin, person):
    ruler = person("ruler@example.com", "organization_administrator")
    ruler.create("/acme/users", email="admin@example.com")
    assert ruler.delete("/admin/users/acme/admin@example.com").status_code == 204
    assert admin.get("/admin/users/acme/admin@example.com").status_code == 404
    assert admin.get("/admin/organizations").json() == {"organizations": ["acme"]}


def test_the_last_server_administrator_stays(settings):
    url = "/admin/users/acme/{}".format
    with BackgroundServer(settings) as server, client_of(server) as admin:
        admin.create(name="acme")
        admin.create("/acme/users", email="admin@example.com")
        assert "--admin" in error_of(admin.delete(url("admin@example.com")), 409)
        # Refused as a whole: the account belongs to the organization as before.
        assert admin.get(url("admin@example.com")).status_code == 200
    # Another one at a later start does not push the first one out ...
    second = evolve(settings, admin="second@example.com", admin_password="another")
    with (
        BackgroundServer(second) as server,
        client_of(server) as admin,
        client_of(server, ("second@example.com", "another")) as other,
    ):
        headers = sessions_of(admin)
        # ... but can end that account, with everything that it had.
        assert other.delete(url("admin@example.com")).status_code == 204
        for each in headers:
            assert admin.get("/admin/organizations", headers=each, auth=None).status_code == 401
        assert admin.get("/admin/organizations").status_code == 401
        other.create("/acme/users", email="second@example.com")
        assert other.delete(url("second@example.com")).status_code == 409
        assert other.get("/admin/organizations").status_code == 200


RULERS = "/admin/teams/acme/team%20of%20ruler@example.com"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/users/acme/ruler@example.com",
        f"{RULERS}/members/ruler@example.com",
        f"{RULERS}?force=True",
    ],
)
def test_the_last_administrator_of_an_organization_stays(admin, person, path):
    ruler = person("ruler@example.com", "organization_administrator")
    before = admin.get(RULERS).json()
    assert "'acme'" in error_of(ruler.delete(path), 409)
    assert admin.get(RULERS).json() == before
    assert ruler.get("/admin/organizations/acme/teams").status_code == 200
    # With another one, or for who can make others, it goes.
    person("second@example.com", "organization_administrator")
    assert ruler.delete(path).status_code == 204
    assert ruler.get("/admin/organizations/acme/teams").status_code in (401, 403)
    assert admin.delete("/admin/users/acme/second@example.com").status_code == 204


def test_what_is_no_email_address(admin):
    for email in ("ada", "@example.com", "ada@", "a:b@example.com", "a b@example.com", "@"):
        admin.create("/acme/users", 400, email=email)


def test_a_user_for_a_team_that_is_not_there(admin):
    admin.create("/acme/users", 404, email="ada@example.com", teams=["builders"])
    # All or nothing.
    assert admin.get("/admin/users/acme/ada@example.com").status_code == 404


def test_names_of_every_kind(admin):
    """Whatever a name holds, it is one segment."""
    for name in ("a b", "a%b", "a?b#c", "ä", "a+b", "50%25", "a;b=c", "a&b", "a\\b", "..."):
        path = quote(name, safe="")
        admin.create(name=name)
        admin.create(f"/{path}/repositories", name=name)
        listed = admin.get(f"/admin/organizations/{path}/repositories")
        assert listed.json() == {"repositories": [name]}
        admin.create(f"/{path}/teams", name=f"{name}/{name}", group="read_index")
        url = f"/admin/teams/{path}/{path}%2F{path}"
        assert admin.get(url).json()["name"] == f"{name}/{name}"
        assert admin.put(f"{url}/repositories/{path}").status_code == 204
        assert admin.delete(f"{url}?force=True").status_code == 204
        assert admin.delete(f"/admin/repositories/{path}/{path}").status_code == 204
