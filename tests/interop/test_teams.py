"""The last release of the existing client that has teams works against our server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hatcher.testing import write_app, write_legacy_runtime, write_runtime

from .artefacts import write_old_egg
from .conftest import Peer

pytestmark = [pytest.mark.programs, pytest.mark.long]

PLATFORM = "rh5-x86_64"  # it knows nothing newer
NODE = f"acme/dev/{PLATFORM}"
TEAM = "acme team:builders"


def node(*steps: list[str]) -> dict[str, Any]:
    """A node as an argument."""
    return {"node": [["organization", "acme"], *steps]}


DEV = node(["repository", "dev"])
PROD = node(["repository", "prod"])
COYOTE = node(["user", "coyote@example.com"])
BUILDERS = node(["team", "builders"])


@pytest.fixture
def acme(old_peer: Peer) -> Peer:
    """The client of a Brood that has an organization with two repositories."""
    old_peer("", "create_organization", "acme", "Road runner traps")
    for name in ("dev", "prod"):
        old_peer("acme", "create_repository", name, "")
    return old_peer


def test_every_method_is_called_here(old_peer):
    text = Path(__file__).read_text(encoding="utf-8")
    methods = old_peer.methods(TEAM)
    assert "query_user_access" in methods
    assert {method for method in methods if f'"{method}"' not in text} == set()


def test_a_team(acme, brood_server):
    created = acme("acme", "create_team", "builders", "upload_repository")
    assert created == "<Team organization='acme', team='builders'>"
    teams = acme("acme", "list_teams")
    assert {team["name"]: team["group"] for team in teams}["builders"] == "upload_repository"
    metadata = acme(TEAM, "metadata")
    assert (metadata["name"], metadata["group"]) == ("builders", "upload_repository")

    ours = brood_server.client(acme.api_version).organization("acme")
    assert ours.list_teams() == teams
    assert ours.team("builders").metadata() == metadata

    acme(TEAM, "delete")
    assert "builders" not in [team["name"] for team in acme("acme", "list_teams")]
    for method in ("metadata", "delete", "list_repositories", "list_users"):
        acme.refused(404, TEAM, method)
    acme.refused(400, "acme", "create_team", "others", "no such level")


def test_repositories_of_a_team(acme):
    acme("acme", "create_team", "builders", "read_repository")
    assert acme(TEAM, "list_repositories") == []
    assert acme(TEAM, "query_repository_access", DEV) is False

    acme(TEAM, "add_repository", DEV)
    acme(TEAM, "add_repository", PROD)
    assert sorted(acme(TEAM, "list_repositories")) == ["dev", "prod"]
    assert acme(TEAM, "query_repository_access", DEV) is True

    acme(TEAM, "remove_repository", DEV)
    assert acme(TEAM, "list_repositories") == ["prod"]
    assert acme(TEAM, "query_repository_access", DEV) is False
    acme.refused(404, TEAM, "add_repository", node(["repository", "nothing"]))


def test_members_of_a_team(acme):
    acme("acme", "create_team", "builders", "read_repository")
    acme("acme", "create_user", "coyote@example.com")
    assert acme(TEAM, "list_users") == []
    assert acme(TEAM, "query_user_access", COYOTE) is False

    acme(TEAM, "add_user", COYOTE)
    assert acme(TEAM, "list_users") == ["coyote@example.com"]
    assert acme(TEAM, "query_user_access", COYOTE) is True

    acme(TEAM, "remove_user", COYOTE)
    assert acme(TEAM, "list_users") == []
    acme.refused(404, TEAM, "add_user", node(["user", "nobody@example.com"]))

    acme("acme", "create_user", "runner@example.com", [BUILDERS])
    assert acme(TEAM, "list_users") == ["runner@example.com"]


def test_a_member_may_do_what_the_team_may(acme, brood_server, tmp_path):
    acme("acme", "create_team", "builders", "upload_repository")
    acme(TEAM, "add_repository", DEV)
    team = brood_server.client().organization("acme").team("builders")
    user = brood_server.client().organization("acme").create_user("coyote@example.com", [team])
    coyote = acme.with_auth(basic=[user.email, user.one_time_password])
    egg = write_old_egg(tmp_path, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp27")

    coyote(NODE, "upload_egg", egg)

    assert coyote(NODE, "list_eggs", "cp27") == [{"name": egg.name, "python_tag": "cp27"}]
    assert coyote("", "list_available_repositories") == ["acme/dev"]
    coyote.refused(404, f"acme/prod/{PLATFORM}", "upload_egg", egg)


def test_a_bearer_token(acme):
    by_token = acme.with_auth(bearer=acme("", "create_api_token", "laptop")["token"])
    assert by_token("", "list_organizations") == ["acme"]
    by_token("acme", "create_team", "builders", "read_index")
    assert by_token(TEAM, "metadata")["group"] == "read_index"

    acme("", "delete_api_token", "laptop")
    by_token.refused(401, "", "list_organizations")


def test_artefacts(acme, tmp_path):
    """It has eggs and apps in API version 0 whatever it is asked to, and runtimes in each."""
    destination = tmp_path / "downloads"
    destination.mkdir()
    egg = write_old_egg(tmp_path, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp27")
    acme(NODE, "upload_egg", egg, enabled=False)
    acme(NODE, "reindex", [str(egg)])
    assert list(acme(NODE, "egg_index", "cp27")) == [egg.name]
    acme(NODE, "download_egg", "cp27", "MyEgg", "1.0-1", destination)
    acme(NODE, "delete_egg", "cp27", "MyEgg", "1.0-1")

    app = write_app(tmp_path, version="1.9.1", build=2, platform=PLATFORM)
    acme("acme/dev", "upload_app", app)
    assert acme(NODE, "list_apps") == [["com.example.viewer", "1.9.1-2", "cp38"]]

    if acme.api_version == 0:
        runtime = write_legacy_runtime(tmp_path, platform="rh5-64")
        place = ("cp27", "2.7.10-1")
    else:
        runtime = write_runtime(tmp_path, platform="rh5_x86_64")
        place = ("cpython", "3.8.17+1")
    acme("acme/dev", "upload_runtime", runtime)
    acme("acme/dev", "upload_runtime", runtime, verify=True)
    assert len(acme(NODE, "list_runtimes")) == 1
    acme(NODE, "download_runtime", *place, destination)
    for file in (egg, runtime):
        assert (destination / file.name).read_bytes() == file.read_bytes()
