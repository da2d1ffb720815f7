"""Plans of access: what changes, what is left alone, what is refused, and what becomes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hatcher import access
from hatcher.api import BroodBearerTokenAuth, BroodClient
from hatcher.errors import (
    AuthenticationError,
    BatchError,
    BatchInterrupted,
    InvalidAccessFile,
    InvalidArgumentError,
)
from hatcher.testing import Answer, BroodServer, FaultyGateway, RequestFault

from .conftest import ADA, GRACE, ROOT, TEAMS, fill, teams_of, wanted

NEW = "new@example.com"
BUILDERS = {"group": "upload_repository", "members": [ADA, GRACE], "repositories": ["dev"]}
READERS = {"group": "read_repository", "members": [GRACE], "repositories": ["dev", "prod"]}

#: What a document has that the server has otherwise, and the changes, without and with prune.
CHANGES: dict[str, tuple[dict[str, Any], list[str], list[str]]] = {
    "nothing": ({}, [], []),
    "other case": ({"builders": BUILDERS | {"members": [ADA.upper(), GRACE]}}, [], []),
    "a new member": (
        {"builders": BUILDERS | {"members": [ADA, GRACE, ROOT]}},
        [f"add {ROOT} to the team builders of acme"],
        [],
    ),
    "a new user": (
        {"builders": BUILDERS | {"members": [ADA, GRACE, NEW]}},
        [f"add the user {NEW} to acme", f"add {NEW} to the team builders of acme"],
        [],
    ),
    "a member less": (
        {"builders": BUILDERS | {"members": [ADA]}},
        [],
        [f"remove {GRACE} from the team builders of acme"],
    ),
    "another repository": (
        {"builders": BUILDERS | {"repositories": ["prod"]}},
        ["give the team builders access to acme/prod"],
        ["take the team builders's access to acme/dev away"],
    ),
    "lists that are left open": ({"builders": {"group": "upload_repository"}}, [], []),
    "empty lists": (
        {"readers": {"group": "read_repository", "members": [], "repositories": []}},
        [],
        [
            "take the team readers's access to acme/dev away",
            "take the team readers's access to acme/prod away",
            f"remove {GRACE} from the team readers of acme",
        ],
    ),
    "a new team": (
        {"testers": {"group": "read_index", "members": [GRACE], "repositories": ["prod"]}},
        [
            "add the team testers to acme, with read_index",
            f"add {GRACE} to the team testers of acme",
            "give the team testers access to acme/prod",
        ],
        [],
    ),
    "a team less": ({"readers": None}, [], ["remove the team readers of acme"]),
}


@pytest.mark.parametrize(("teams", "added", "removed"), CHANGES.values(), ids=CHANGES)
def test_what_changes(client, acme, teams, added, removed):
    document = wanted(**teams)
    plan = access.plan(client, document)
    assert ([str(step) for step in plan.steps], plan.problems) == (added, ())
    assert bool(plan) == bool(added)
    plan.apply().raise_for_failures()
    rest = access.plan(client, document, prune=True)
    assert sorted(map(str, rest.steps)) == sorted(removed)
    assert rest.removals == rest.steps
    before = teams_of(acme)
    rehearsed = rest.apply(dry_run=True)
    assert {result.outcome for result in rehearsed.results} <= {"would remove"}
    assert teams_of(acme) == before
    rest.apply().raise_for_failures()
    assert not access.plan(client, document, prune=True)
    assert not access.plan(client, access.read(acme).document, prune=True)


def test_all_from_nothing(client):
    for name in ("acme", "umbrella"):
        fill(client, name)
    acme = client.organization("acme")
    acme.create_repository("open", "For all", public="read_index")
    told = access.read(acme, client.organization("umbrella"))
    with BroodServer() as other:
        there = other.client()
        plan = access.plan(there, told.document, prune=True)
        assert len(plan.steps) == 2 + 5 + 6 + 6 + 8 + 6 and not plan.removals
        report = plan.apply()
        assert report and str(report) == "33 changes: 33 added"
        users = [result.user for result in report.results if result.user is not None]
        passwords = {user.email: user.one_time_password for user in users if user.one_time_password}
        assert passwords.keys() == {ADA, GRACE, ROOT}
        assert not any(password in repr(report) for password in passwords.values())
        ada = BroodClient.from_url(other.url, (ADA, passwords[ADA]), api_version=1)
        assert ada.whoami()["repositories"] == {
            "acme/dev": "upload_repository",
            "acme/open": "read_index",
            "umbrella/dev": "upload_repository",
        }
        ada.close()
        again = access.read(*map(there.organization, ("acme", "umbrella")))
        assert again.document == told.document


def test_a_team_with_another_level_is_replaced(client, acme):
    other = wanted(builders=BUILDERS | {"group": "read_index", "members": [ADA]})
    plan = access.plan(client, other)
    (problem,) = plan.problems
    assert not plan.steps and "plan again with prune=True" in str(problem)
    half = wanted(builders={"group": "read_index", "members": [ADA]})
    assert "name its members and repositories" in str(access.plan(client, half, prune=True))
    plan = access.plan(client, other, prune=True)
    assert str(plan) == (
        "3 changes: 1 replace, 2 add\n"
        "replace the team builders of acme by one with read_index\n"
        f"add {ADA} to the team builders of acme\n"
        "give the team builders access to acme/dev"
    )
    plan.apply().raise_for_failures()
    assert teams_of(acme)["builders"] == ("read_index", [ADA], ["dev"])
    assert not access.plan(client, other, prune=True)


def test_what_a_document_names_must_be_there(client, acme, tmp_path):
    file = tmp_path / "people.yaml"
    for text, said in {
        "{group: upload_repositry}": "line 5, at organizations.acme.teams.t.group: there is no access "
        "level 'upload_repositry'. Did you mean 'upload_repository'?",
        "{group: read_index, repositories: [prud]}": "repositories.0: there is no repository "
        "'acme/prud'. Did you mean 'prod'?",
        "{group: read_index, repositories: [zzz]}": "Add it to the repositories",
    }.items():
        file.write_text(f"version: 1\norganizations:\n  acme:\n    teams:\n      t: {text}\n")
        with pytest.raises(InvalidAccessFile) as caught:
            access.plan(client, file)
        assert said in str(caught.value)
    # Whether there are others, the server knows.
    for level in ("everything", "read_repositories"):
        report = access.plan(client, wanted(t={"group": level})).apply()
        assert [result.outcome for result in report.failed] == ["failed"]
    told = access.plan(client, wanted(t={"group": "read_index", "members": ["ada"]}))
    assert "'ada' is no user of it, and no e-mail address" in str(told)


def test_what_is_public_cannot_be_changed(client, acme):
    document = {"organizations": {"acme": {"repositories": {"dev": {"public": "read_index"}}}}}
    plan = access.plan(client, document)
    assert not plan.steps and "Brood cannot change that" in str(plan.problems[0])
    with pytest.raises(BatchError, match="create the repository anew"):
        plan.apply().raise_for_failures()


def test_limits(client, acme):
    team = acme.create_team("crowd", "read_index")
    for number in range(12):
        team.add_user(acme.create_user(f"user{number}@example.com"))
    none = wanted(crowd={"group": "read_index", "members": [], "repositories": []})
    plan = access.plan(client, none, prune=True)
    assert (plan.max_deletes, len(plan.removals)) == (10, 12)
    assert "12 would be removed, and at most 10 may be: nothing is" in str(plan)
    report = plan.apply()
    assert {result.outcome for result in report.results} == {"not tried"} and not report
    assert len(team.list_users()) == 12
    access.plan(client, none, prune=True, max_deletes=12).apply().raise_for_failures()
    assert team.list_users() == []
    for number in (-1, True, 1.0, "1"):
        with pytest.raises(InvalidArgumentError, match="max_deletes"):
            access.plan(client, none, max_deletes=number)


#: What takes access of Root's away, and what does not.
OWN = {
    "a member less": ({"rulers": {"group": TEAMS["rulers"][0], "members": []}}, True),
    "a team less": ({"rulers": None}, True),
    "another level": (
        {"rulers": {"group": "read_index", "members": [ROOT], "repositories": ["dev", "prod"]}},
        True,
    ),
    "another team gives it": (
        {"rulers": None, "kings": {"group": TEAMS["rulers"][0], "members": [ROOT.upper()]}},
        False,
    ),
    "others lose it": ({"readers": None}, False),
}


@pytest.mark.parametrize(("teams", "is_own"), OWN.values(), ids=OWN)
@pytest.mark.parametrize("known", ["by the client", "by argument", "by nobody"])
def test_the_own_access_is_not_taken_away(brood_server, client, acme, teams, is_own, known):
    acme.create_team("kept", "organization_administrator").add_user(
        acme.create_user("other@example.com")
    )
    acme.user(ROOT).delete()
    password = acme.create_user(ROOT, ["rulers"]).one_time_password
    auth: Any = (ROOT, password)
    root = brood_server.client(auth=auth)
    if known != "by the client":
        root = brood_server.client(auth=BroodBearerTokenAuth(root.create_api_token("t")["token"]))
    caller = ROOT if known == "by argument" else None
    kept = {"group": "organization_administrator", "members": ["other@example.com"]}
    document = wanted(kept=kept, **teams)
    before = teams_of(acme)
    plan = access.plan(root, document, prune=True, caller=caller)
    assert all((step.reason is not None) == (is_own and step.removes) for step in plan.removals)
    report = plan.apply()
    assert bool(report) != is_own
    if not is_own:
        return
    assert "plan again with force=True" in str(plan)
    assert ("`caller`" in str(plan)) == (known == "by nobody")
    assert teams_of(acme) == before
    forced = access.plan(root, document, prune=True, force=True, caller=caller)
    assert not forced.problems
    if teams["rulers"] is None or teams["rulers"]["group"] == TEAMS["rulers"][0]:
        forced.apply().raise_for_failures()
        assert teams_of(acme).get("rulers", ("", [], []))[1] == []


def _always(path: str, status: int, method: str = "*") -> RequestFault:
    answer = Answer(status, body=b"{}")
    return RequestFault("replace", "request", method, path, answer=answer, times=999)


def test_what_could_not_be_read_is_not_removed(brood_server, client, acme):
    nothing = {"group": "read_repository", "members": [], "repositories": []}
    document = wanted(builders=None, readers=nothing, testers=BUILDERS)
    unreadable = {
        "/admin/teams/acme/readers/members": "acme team readers members",
        "/admin/teams/acme/builders/repositories": "acme team builders repositories",
        "/admin/organizations/acme/teams": "acme teams",
        "/admin/organizations/acme/repositories": "acme repositories",
        "/metadata/user/repositories": "repositories",
    }
    for path, place in unreadable.items():
        fault = _always(f"*{path}", 403)
        with FaultyGateway(brood_server.url, fault) as gateway:
            through = brood_server.client(url=gateway.url, retries=0)
            told = access.read(through.organization("acme"))
            assert [problem.place for problem in told.problems] == [place] and not told
            with pytest.raises(BatchError, match="problem: "):
                told.raise_for_problems()
            plan = access.plan(through, document, prune=True)
            assert [problem.place for problem in plan.problems] == [place]
            removed = {str(step) for step in plan.removals}
        assert ("remove the team builders of acme" in removed) == (
            "builders" not in place and place != "acme teams"
        )
        assert any("readers of acme" in step for step in removed) == (
            "readers" not in place and place != "acme teams"
        )
        # What can be read no more when the plan is applied is left alone, too.
        whole = access.plan(client, document, prune=True)
        with FaultyGateway(brood_server.url, fault) as gateway:
            through = brood_server.client(url=gateway.url, retries=0)
            late = access.Plan.from_document(
                {**whole.document(), "server": through.url}, through
            ).apply(dry_run=True)
        outcomes = {result.name: result.outcome for result in late.results}
        assert not late and "already so" not in outcomes.values()
        if place == "acme teams":
            assert set(outcomes.values()) == {"not tried"}


def test_nothing_is_removed_where_something_failed(brood_server, client, acme):
    document = wanted(readers=None, testers=BUILDERS)
    fault = _always("*/teams", 503, method="POST")
    with FaultyGateway(brood_server.url, fault) as gateway:
        through = brood_server.client(url=gateway.url, retries=0)
        report = access.plan(through, document, prune=True).apply()
    outcomes = {result.name: result.outcome for result in report.results}
    assert outcomes["add the team testers to acme, with upload_repository"] == "failed"
    assert outcomes["remove the team readers of acme"] == "not tried"
    assert len(report.not_tried) == 4 and not report
    with pytest.raises(BatchError, match="failed: add the team testers"):
        report.raise_for_failures()
    assert "readers" in teams_of(acme)


def test_a_plan_is_data(client, acme, brood_server):
    document = wanted(builders=BUILDERS | {"members": [NEW]}, readers=None)
    plan = access.plan(client, document, prune=True)
    kept = json.loads(json.dumps(plan.document()))
    again = access.Plan.from_document(kept, client)
    assert (again, str(again)) == (plan, str(plan))
    # What somebody does meanwhile is not done again; nothing else is done.
    acme.team("readers").delete(force=True)
    acme.team("builders").add_user(ROOT)
    report = again.apply()
    assert report and {result.name: result.outcome for result in report.results} == {
        f"add the user {NEW} to acme": "added",
        f"add {NEW} to the team builders of acme": "added",
        f"remove {ADA} from the team builders of acme": "removed",
        f"remove {GRACE} from the team builders of acme": "removed",
        "remove the team readers of acme": "already so",
    }
    assert teams_of(acme)["builders"][1] == [NEW, ROOT]
    bare = access.Plan(*(getattr(plan, name) for name in ("server", "steps", "problems", "wanted")))
    with pytest.raises(InvalidArgumentError, match="from_document"):
        bare.apply()


#: What is no plan, made of one, and what is said of it.
NO_PLANS: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a list": (lambda plan: [plan], "no plan of access"),
    "another format": (lambda plan: {**plan, "format": "hatcher plan"}, "no plan of access"),
    "another version": (lambda plan: {**plan, "version": 2}, "Plan again"),
    "another server": (lambda plan: {**plan, "server": "https://x"}, "https://x"),
    "no steps": (lambda plan: {k: v for k, v in plan.items() if k != "steps"}, "damaged"),
    "odd steps": (lambda plan: {**plan, "steps": [1]}, "damaged"),
    "an odd action": (
        lambda plan: {**plan, "steps": [{**plan["steps"][0], "action": "x"}]},
        "no step",
    ),
    "an odd name": (lambda plan: {**plan, "steps": [{**plan["steps"][0], "name": 1}]}, "texts"),
    "odd options": (lambda plan: {**plan, "max_deletes": True}, "damaged"),
    "an odd document": (
        lambda plan: {**plan, "wanted": {"organizations": 1}},
        "keys with values",
    ),
}


@pytest.mark.parametrize(("changed", "said"), NO_PLANS.values(), ids=NO_PLANS)
def test_what_is_no_plan(client, acme, changed, said):
    plan = access.plan(client, wanted(readers=None), prune=True).document()
    with pytest.raises((InvalidArgumentError, InvalidAccessFile), match=said):
        access.Plan.from_document(changed(plan), client)


def test_nothing_can_be_read(brood_server, acme):
    nobody = brood_server.client(auth=("nobody@example.com", "wrong"))
    for ask in (
        lambda: access.read(nobody.organization("acme")),
        lambda: access.plan(nobody, wanted()),
    ):
        with pytest.raises(AuthenticationError):
            ask()


def test_an_interruption_tells_what_is_done(brood_server, client, acme):
    document = wanted(testers={"group": "read_index", "members": [NEW], "repositories": []})
    plan = access.plan(client, document)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(BatchInterrupted) as caught:
        patch.setattr("hatcher.api.Team.add_user", interrupt)
        plan.apply()
    outcomes = [result.outcome for result in caught.value.report.results]
    assert outcomes == ["added", "added", "not tried"]
    assert caught.value.report.results[0].user.one_time_password
