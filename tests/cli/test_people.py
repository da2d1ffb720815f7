"""Organizations, repositories, teams, users, tokens: the commands that manage them."""

from __future__ import annotations

import pytest

from hatcher.api import BroodBearerTokenAuth, BroodClient
from hatcher.errors import AuthenticationError
from hatcher.testing import write_egg


def test_a_first_organization(cli):
    created = cli("organizations", "create", "acme", "Makers of everything")
    assert created == (0, "", "Created the organization acme.\n")
    assert cli.client().list_organizations() == ["acme"]
    assert cli("organizations", "list") == (0, "acme\n", "")
    assert cli.process("organizations", "list", "-o", "json").data == [{"name": "acme"}]
    assert cli("organizations", "create", "acme", "Once more").code == 5


def test_a_repository_from_its_creation_to_its_deletion(cli, api_version):
    organization = cli.client().create_organization("acme", "Makers of everything")
    dry = cli("repositories", "create", "acme", "dev", "Builds of the night", "--dry-run")
    assert dry == (0, "", "Would create the repository acme/dev.\n")
    assert cli("repositories", "create", "nobody", "dev", "None", "--dry-run").code == 4
    for name in ("prod", "dev"):
        assert cli("repositories", "create", "acme", name, "Builds of the night").code == 0
    assert cli("repositories", "list", "acme") == (0, "dev\nprod\n", "")
    metadata = cli("repositories", "metadata", "acme", "dev").data
    assert metadata["name"] == "acme/dev"
    assert metadata["description"] == "Builds of the night"

    dry = cli("repositories", "delete", "acme", "dev", "--dry-run")
    assert dry == (0, "", "Would delete the repository acme/dev.\n")
    unknown = cli("repositories", "delete", "acme", "deb", "--dry-run")
    assert (unknown.code, unknown.out) == (4, "")
    assert unknown.err.endswith("Did you mean 'acme/dev'?\n")
    assert cli("repositories", "metadata", "nobody", "nothing").code == 4
    no = cli("repositories", "delete", "acme", "dev", input="n\n")
    assert (no.code, no.out) == (0, "")
    assert no.err.endswith("Nothing was changed.\n")
    assert organization.list_repositories() == ["dev", "prod"]
    yes = cli("repositories", "delete", "acme", "dev", input="y\n")
    assert (yes.code, yes.out) == (0, "")
    assert cli("repositories", "delete", "acme", "prod", "-y").code == 0
    assert organization.list_repositories() == []


def test_a_repository_that_is_not_empty_needs_force(cli, dev):
    repository = cli.client().organization("acme").repository("dev")
    repository.platform("rh8-x86_64").upload_egg(write_egg(cli.home))
    assert cli("repositories", "delete", "acme", "dev", "-y").code == 5
    assert cli("repositories", "delete", "acme", "dev", "-y", "--force").code == 0
    assert cli.client().organization("acme").list_repositories() == []


def test_yes_can_stand_in_the_environment(cli, dev):
    cli.setenv("HATCHER_REPOSITORIES_DELETE_ASSUME_YES", "1")
    assert cli("repositories", "delete", "acme", "dev").code == 0
    assert cli.client().organization("acme").list_repositories() == []


def test_a_team_from_its_creation_to_its_deletion(cli, dev, api_version):
    organization = cli.client().organization("acme")
    creating = ("teams", "create", "acme", "builders", "upload_repository")
    assert cli(*creating) == (0, "", "Created the team builders in acme.\n")
    assert cli(*creating).code == 5
    assert cli("teams", "create", "acme", "others", "everything").code != 0
    assert cli("teams", "list", "acme") == (0, "builders\n", "")
    (team,) = cli("teams", "list", "acme", "-o", "json").data
    assert team == {"name": "builders", "group": "upload_repository"}
    assert cli("teams", "metadata", "acme", "builders").data["group"] == "upload_repository"

    builders = organization.team("builders")
    adding = ("teams", "repositories", "add", "acme", "builders", "dev")
    query = ("teams", "repositories", "query", "acme", "builders", "dev")
    assert cli(*query) == (1, "'builders' does not have access to 'dev'\n", "")
    assert cli(*adding).code == 0
    assert cli(*query) == (0, "'builders' has access to 'dev'\n", "")
    assert cli("teams", "repositories", "list", "acme", "builders").out == "dev\n"

    delete = ("teams", "delete", "acme", "builders")
    assert cli(*delete, "-y").code == 5  # it has a repository
    removing = ("teams", "repositories", "remove", "acme", "builders", "dev")
    assert builders.list_repositories() == ["dev"]
    assert cli(*removing).code == 0
    assert cli(*removing).code == 4
    assert builders.list_repositories() == []
    assert cli(*delete, "--dry-run") == (0, "", "Would delete the team builders of acme.\n")
    assert cli(*delete) == (0, "", "Deleted the team builders of acme.\n")
    assert cli(*delete, "--dry-run").code == 4
    assert organization.list_teams() == []


def test_a_team_with_repositories_can_be_forced_to_go(cli, dev):
    organization = cli.client().organization("acme")
    organization.create_team("builders", "read_repository").add_repository("dev")
    assert cli("teams", "delete", "acme", "builders", "--force", "-y").code == 0
    assert organization.list_teams() == []


def test_members_of_a_team(cli, dev, api_version):
    organization = cli.client().organization("acme")
    team = organization.create_team("builders", "read_repository")
    organization.create_user("ada@example.com")
    ada = ("acme", "builders", "ada@example.com")
    query = ("teams", "members", "query", *ada)
    assert cli(*query).code == 1
    assert cli("teams", "members", "add", *ada).code == 0
    assert cli(*query) == (0, "'ada@example.com' has access to 'builders'\n", "")
    answer = cli(*query, "-o", "json").data
    assert answer == {"team": "builders", "email": "ada@example.com", "member": True}
    assert cli("teams", "members", "list", "acme", "builders").out == "ada@example.com\n"
    assert team.list_users() == ["ada@example.com"]
    assert cli("teams", "members", "remove", *ada).code == 0
    assert team.list_users() == []
    assert cli("teams", "members", "add", "acme", "builders", "nobody@example.com").code == 4


def test_a_user_from_their_creation_to_their_deletion(cli, dev, api_version):
    organization = cli.client().organization("acme")
    team = organization.create_team("builders", "read_repository")
    team.add_repository("dev")
    creating = ("users", "create", "acme", "ada@example.com", "--team", "builders")
    assert cli("users", "create", "acme", "ada@example.com", "--team", "b", "-n").code == 4
    assert team.list_users() == []

    created = cli(*creating, "-o", "json")
    assert created.data["email"] == "ada@example.com"
    password = created.data["one_time_password"]
    assert password not in created.err
    assert team.list_users() == ["ada@example.com"]
    # It is a password: Ada sees what her team may see.
    with cli.server.client(auth=("ada@example.com", password)) as ada:
        assert ada.list_available_repositories() == ["acme/dev"]

    metadata = cli("users", "metadata", "acme", "ada@example.com").data
    assert metadata["teams"] == ["builders"]
    delete = ("users", "delete", "acme", "ada@example.com")
    assert cli(*delete, "--dry-run") == (0, "", "Would delete the user ada@example.com of acme.\n")
    assert cli(*delete, input="no\n").code == 0
    assert team.list_users() == ["ada@example.com"]
    assert cli(*delete, "--yes").code == 0
    assert cli(*delete, "--yes").code == 4
    assert team.list_users() == []


def test_a_user_with_an_account_gets_no_password(cli, dev):
    client = cli.client()
    client.organization("acme").create_user("ada@example.com")
    client.create_organization("bulk", "Makers of the rest")
    created = cli("users", "create", "bulk", "ada@example.com", "-o", "json")
    assert created.data == {"email": "ada@example.com", "one_time_password": None}
    assert cli("users", "create", "bulk", "ada@example.com").code == 5


def test_what_a_user_may_see(cli, dev):
    organization = cli.client().organization("acme")
    organization.create_repository("prod", "What others use")
    organization.create_team("readers", "read_repository").add_repository("dev")
    organization.create_team("lookers", "read_index").add_repository("prod")
    ada = organization.create_user("ada@example.com", ["readers", "lookers"])
    cli.setenv("HATCHER_USERNAME", ada.email)
    cli.setenv("HATCHER_PASSWORD", ada.one_time_password)
    for api_version in (0, 1):
        asking = ("--api-version", api_version, "user", "repositories")
        assert cli(*asking, "-o", "csv").out == "name\nacme/dev\n"
        everything = cli(*asking, "--include-indexable", "-o", "json").data
        assert everything == [{"name": "acme/dev"}, {"name": "acme/prod"}]
    assert cli("repositories", "metadata", "acme", "prod").data["access"] == "read_index"


def test_api_tokens(cli):
    created = cli("api-tokens", "create", "nightly", "-o", "json").data
    auth = BroodBearerTokenAuth(created["token"])
    with BroodClient.from_url(cli.server.url, auth=auth, api_version=1) as client:
        assert client.list_organizations() == []
        (token,) = cli("api-tokens", "list", "-o", "json").data
        assert (token["name"], token.keys()) == ("nightly", {"name", "created", "last_used"})
        assert cli("api-tokens", "create", "nightly").code == 5
        heading, line, row = cli("api-tokens", "create", "weekly").out.splitlines()
        assert heading.split("  ")[0] == "New Token Name"
        assert set(line) == {"-", " "}
        assert row.split()[0] == "weekly"

        delete = ("api-tokens", "delete", "nightly")
        assert cli(*delete, "--dry-run") == (0, "", "Would delete the API token nightly.\n")
        assert cli(*delete, input="\n").code == 0  # the answer is no
        assert client.list_organizations() == []
        assert cli(*delete, "-y").code == 0
        assert cli(*delete, "-y").code == 4
        with pytest.raises(AuthenticationError):
            client.list_organizations()


def test_what_the_server_knows(cli):
    client = cli.client()
    platforms = cli("platforms", "list", "-o", "json").data
    assert [platform["name"] for platform in platforms] == client.list_platforms()
    for options, wanted in (((), False), (("--all",), True)):
        tags = cli("python-tags", "list", *options, "-o", "json").data
        known = sorted(client.list_python_tags(list_all=wanted))
        assert [tag["python_tag"] for tag in tags] == known


CREATING = {
    "organizations create": ("acme", "Others"),
    "repositories create": ("acme", "dev", "Others"),
    "teams create": ("acme", "builders", "read_index"),
    "users create": ("acme", "ada@example.com", "--team", "builders"),
}
REMOVING = {
    "repositories delete": ("acme", "prod", "-y"),
    "teams delete": ("acme", "others", "-y"),
    "teams members remove": ("acme", "builders", "grace@example.com"),
    "teams repositories remove": ("acme", "builders", "other"),
    "users delete": ("acme", "barbara@example.com", "-y"),
    "api-tokens delete": ("weekly", "-y"),
    "eggs delete": ("acme", "dev", "rh8-x86_64", "cp311", "spam", "1.0.0-1", "-y"),
}


@pytest.fixture
def people(cli, dev):
    """What is there already, and users and repositories that are in no team."""
    organization = cli.client().organization("acme")
    builders = organization.create_team("builders", "read_index")
    organization.create_user("ada@example.com", [builders])
    organization.create_user("grace@example.com")
    organization.create_repository("other", "-")
    return organization


@pytest.mark.parametrize("name", CREATING)
def test_what_is_there_may_be_there(cli, people, name):
    asking = (*name.split(), *CREATING[name])
    assert cli(*asking).code == 5
    for rehearsed in ((), ("--dry-run",)):
        there = cli(*asking, "--if-missing", *rehearsed)
        assert (there.code, there.out) == (0, "")
        assert there.err.startswith("There is the ") and there.err.endswith(" already.\n")


@pytest.mark.parametrize(
    ("asking", "said"),
    [
        (("teams", "create", "acme", "builders", "read_repository"), "'read_index'"),
        (("users", "create", "acme", "grace@example.com", "--team", "builders"), "'builders'"),
        (("repositories", "create", "acme", "dev", "-", "--public"), "public access"),
    ],
)
def test_what_is_there_otherwise_is_an_error(cli, people, asking, said):
    refused = cli(*asking, "--if-missing")
    assert (refused.code, refused.out) == (5, "")
    assert said in refused.err
    if asking[0] == "teams":
        assert "with read_index already" in cli(*asking, "--if-missing", "-n").err


@pytest.mark.parametrize("name", REMOVING)
def test_what_is_gone_may_be_gone(cli, people, name):
    asking = (*name.split(), *REMOVING[name])
    assert cli(*asking).code == 4
    gone = cli(*asking, "--missing-ok")
    assert (gone.code, gone.out) == (0, "")
    assert " no " in gone.err
    assert cli(*asking, "--missing-ok", "--dry-run").code == 0
    if name != "api-tokens delete":
        misspelt = [word.replace("acme", "akme") for word in asking]
        for rehearsed in ((), ("--dry-run",)):
            assert cli(*misspelt, "--missing-ok", *rehearsed).code == 4
