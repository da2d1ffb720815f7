"""`hatcher access`: who may do what, seen, exported, planned and applied; and lists with more in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hatcher.testing import Answer, FaultyGateway, RequestFault

PEOPLE = """\
organizations:
  acme:
    repositories:
      dev:
    teams:
      builders:
        group: upload_repository
        members: [ada@example.com, new@example.com]
        repositories: [dev]
"""


@pytest.fixture
def people(cli, dev) -> Path:
    """A file with a new user; on the server there are other teams, too."""
    acme = cli.client().organization("acme")
    for name, team, group in (
        ("ada", "builders", "upload_repository"),
        ("grace", "readers", "read_repository"),
    ):
        acme.create_team(team, group).add_repository("dev")
        acme.create_user(f"{name}@example.com", [team])
    file = Path("people.yaml")
    file.write_text(PEOPLE)
    return file


def test_who_may_do_what(cli, people):
    told = cli("access", "show", "acme")
    assert told.out.splitlines() == [
        "User               Repository    Access             Teams",
        "-----------------  ------------  -----------------  --------",
        "ada@example.com    acme/dev      upload_repository  builders",
        "grace@example.com  acme/dev      read_repository    readers",
    ]
    for place in (("acme/dev",), ("acme", "dev")):
        assert cli("access", "show", *place) == told
    rows = cli("access", "show", "acme/dev", "-o", "json").data
    assert rows[0]["teams"] == ["builders"]
    for place, said in {"acme/dve": "'acme/dev'", "acne": "'acme'"}.items():
        assert f"Did you mean {said}?" in cli.fails(4, "", "access", "show", place).err
    cli.fails(2, "is no part of ORGANIZATION/REPOSITORY", "access", "show", "acme/dev/rh8-x86_64")


def test_lists_of_users_and_teams(cli, people):
    assert cli("users", "list", "acme").out.splitlines()[2:] == [
        "ada@example.com    builders",
        "grace@example.com  readers",
    ]
    cli.client().organization("acme").team("readers").add_user("ada@example.com")
    (ada, _) = cli("users", "list", "acme", "-o", "json").data
    assert ada == {"email": "ada@example.com", "teams": ["builders", "readers"]}
    assert cli("teams", "list", "acme") == (0, "builders\nreaders\n", "")
    told = cli("teams", "list", "acme", "--long").out
    assert told == cli("teams", "list", "acme", "-o", "table").out
    assert told.splitlines()[2:] == ["builders  upload_repository", "readers   read_repository"]


def test_from_export_to_nothing_to_do(cli, people):
    exported = cli("access", "export", "acme")
    assert (
        exported.code == 0
        and yaml.safe_load(exported.out) == cli(*("access", "export", "acme", "-o", "json")).data
    )
    people.write_text(exported.out)
    assert cli("access", "plan", people, "--prune") == (0, "", "Nothing to do.\n")
    assert cli("access", "apply", people, "--prune") == (0, "", "Nothing to do.\n")
    assert cli("access", "apply", people, "-o", "json").data == []


def test_planned_and_applied(cli, people):
    planned = cli("access", "plan", people, "--prune", "--save", "plan.json", "-o", "json")
    assert planned.code == 8 and "The plan is kept in plan.json." in planned.err
    steps = [(step["action"], step["kind"], step["name"]) for step in json.loads(planned.out)]
    assert steps == [
        ("add", "user", "new@example.com"),
        ("add", "member", "new@example.com"),
        ("remove", "team", "readers"),
    ]
    assert "To do: 3 changes: 2 add, 1 remove" in cli("access", "plan", people, "--prune").err
    rehearsed = cli("access", "apply", people, "--prune", "--dry-run")
    assert rehearsed.code == 0 and "would remove" in rehearsed.out
    no = cli("access", "apply", people, "--prune", input="n\n")
    assert (no.code, no.out) == (0, "") and "remove the team readers of acme" in no.err
    cli.fails(2, "--yes", "access", "apply", people, "--prune")

    done = cli("access", "apply", "--plan", "plan.json", "-y", "-o", "json").data
    assert [row["outcome"] for row in done] == ["added", "added", "removed"]
    assert done[0]["email"] == "new@example.com" and len(done[0]["one_time_password"]) > 10
    assert [row["one_time_password"] for row in done[1:]] == [None, None]
    again = cli("access", "apply", "--plan", "plan.json", "-y", "-o", "json").data
    assert {row["outcome"] for row in again} == {"already so"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["apply"], "Give either FILE, or --plan alone"),
        (["apply", "people.yaml", "--plan", "people.yaml"], "Give either"),
        (["apply", "--plan", "people.yaml", "--prune"], "Give either"),
        (["apply", "--plan", "people.yaml"], "Make one with: hatcher access plan --save FILE"),
        (["plan"], "FILE"),
        (["plan", "missing.yaml"], "missing.yaml"),
        (["plan", "."], "is a directory"),
        (["plan", "people.yaml", "--max-deletes", "-1"], "-1"),
        (["plan", "people.yaml", "--save", "missing/plan.json"], "There is no folder"),
        (["export"], "ORGANIZATIONS"),
        (["show", ""], "name of the organization"),
        (["show", "\x1b"], "control character"),
        (["show", " "], ""),
        (["export", "x" * 300], ""),
    ],
)
def test_usage(cli, people, words, said):
    done = cli("access", *words)
    assert done.code in (2, 4) and done.out == "" and said in done.err, done


def test_a_file_with_errors(cli, people):
    people.write_text(PEOPLE.replace("group", "grup"))
    cli.fails(
        1,
        "people.yaml: line 7, at organizations.acme.teams.builders.grup: a team has no "
        "'grup'.\nDid you mean 'group'?",
        "access",
        "plan",
        people,
    )
    people.write_text(PEOPLE.replace("group", "grup").replace("dev:", "dev: 7"))
    told = cli.fails(
        1, "Error: people.yaml has 2 errors.\nline 4, at ", "access", "plan", people
    ).err
    assert told.splitlines()[-2:] == [
        "line 7, at organizations.acme.teams.builders.grup: a team has no 'grup'. Did you mean "
        "'group'?",
        "Mend the file; nothing was changed.",
    ]
    people.write_text(PEOPLE.replace("[dev]", "[dve]"))
    cli.fails(
        1,
        "line 9, at organizations.acme.teams.builders.repositories.0: there is no repository "
        "'acme/dve'.\nDid you mean 'dev'?",
        "access",
        "apply",
        people,
    )


def test_what_stands_in_the_way(cli, people):
    people.write_text(PEOPLE.replace("upload_repository", "read_index"))
    told = cli("access", "plan", people)
    assert told.code == 7 and "plan again with --prune" in told.err
    acme = cli.client().organization("acme")
    acme.create_team("rulers", "organization_administrator")
    password = acme.create_user("root@example.com", ["rulers"]).one_time_password
    cli.setenv("HATCHER_USERNAME", "root@example.com")
    cli.setenv("HATCHER_PASSWORD", password)
    people.write_text(PEOPLE)
    for verb in (["plan"], ["apply", "-y"]):
        told = cli("access", *verb, people, "--prune")
        assert told.code == 7 and "By this you would have nothing in acme" in told.err
        assert "plan again with --force." in told.err
    assert "not tried" not in cli("access", "plan", people, "--prune", "--force").out
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    token = cli.server.client(auth=("root@example.com", password)).create_api_token("t")["token"]
    cli.setenv("HATCHER_TOKEN", token)
    told = cli("access", "plan", people, "--prune")
    assert told.code == 7 and "or name yourself with --caller" in told.err
    assert cli("access", "plan", people, "--prune", "--caller", "ada@example.com").code == 8


def test_what_cannot_be_read(cli, people):
    answer = Answer(403, body=b"{}")
    path = "*/teams/acme/readers/members"
    with FaultyGateway(
        cli.server.url, RequestFault("replace", "request", "GET", path, answer=answer, times=99)
    ) as gateway:
        cli.setenv("HATCHER_URL", gateway.url)
        for words in (["show", "acme"], ["export", "acme"], ["plan", people, "--prune"]):
            told = cli("access", *words)
            assert told.code == 7 and "problem: acme team readers members: " in told.err
            assert told.out and "grace" not in told.out and "readers of" not in told.out
        assert cli("users", "list", "acme").code == 7
        told = cli("access", "apply", people, "--prune", "-y")
        assert told.code == 7 and "added" in told.out
    assert "readers" in [team["name"] for team in cli.client().organization("acme").list_teams()]


def test_the_schema_is_that_of_the_file(cli, people):
    schema = cli("schema", "access", "export").data
    assert schema["required"] == ["organizations"] and "teams" in json.dumps(schema)
