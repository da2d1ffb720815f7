"""`hatcher access`: who may do what, seen, kept in a file, and brought about."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli.commands.administration import found
from hatcher.cli.data import Document, Emit, Field, Listing, emits
from hatcher.cli.explaining import as_options, explain
from hatcher.cli.groups import group
from hatcher.cli.parameters import argument, assume_yes, dry_run, flag, together
from hatcher.cli.plans import most_deletes, raise_for, read_plan, saving, write_json
from hatcher.cli.refusals import ExitCode
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import confirm, say, write
from hatcher.errors import BatchInterrupted

if TYPE_CHECKING:
    from hatcher.access import Access, Plan, Report, Step

_NULLABLE = ("string", "null")

ACCESS = Listing(
    (
        Field("user", "User"),
        Field("repository", "Repository"),
        Field("access", "Access"),
        Field("teams", "Teams", "array"),
    )
)
PLAN = Listing(
    (
        Field("action", "Action"),
        Field("kind", "Kind"),
        Field("organization", "Organization"),
        Field("name", "Name"),
        Field("team", "Team", _NULLABLE),
        Field("group", "Access", _NULLABLE),
        Field("reason", "Not Done", _NULLABLE),
        Field("description", "Description", _NULLABLE, in_tables=False),
        Field("public", "Public", _NULLABLE, in_tables=False),
    )
)
APPLIED = Listing(
    (
        Field("step", "Change"),
        Field("outcome", "Outcome"),
        Field("email", "User", _NULLABLE, in_tables=False),
        Field("one_time_password", "First Password", _NULLABLE),
        Field("error", "Error", _NULLABLE),
    )
)


class _File(Document):
    """The document of who may do what, whose schema is that of the file."""

    __slots__ = ()

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the file."""
        from hatcher.access import SCHEMA

        return dict(SCHEMA)


@group("access")
def access() -> None:
    """See who may do what, and set it from a file.

    The file says which repositories and teams an organization has, and who is in which team. It is
    YAML or JSON; 'hatcher schema access export' shows its schema:

    \b
    organizations:
      acme:
        repositories:
          dev: {description: Builds of the night}
        teams:
          builders:
            group: upload_repository
            members: [ada@example.com]
            repositories: [dev]
    """


@access.command("show")
@argument(
    "organization",
    "The name of the organization, or all in one word: ORGANIZATION/REPOSITORY.",
    "organizations",
)
@argument(
    "repository", "The name of a repository, if only one is meant.", "repositories", required=False
)
@emits(ACCESS)
@pass_state
def show(state: State, organization: str, repository: str | None, emit: Emit) -> None:
    """Show who reads and who uploads, and through which teams.

    A row for each person and repository, with the strongest access level there, and the teams that
    give it. What a public repository gives to all is shown as 'everybody'. The exit code is 7 when
    something could not be read.

    \b
    For example:
    hatcher access show acme
    hatcher access show acme/dev
    """
    told = read(state, "/".join(filter(None, (organization, repository))))
    emit(told.rows)
    raise_for(told.problems, told.summary)


def read(state: State, *places: str) -> Access:
    """Read who may do what in places; say which one may be meant when there is no such repository."""
    from hatcher import access

    nodes: list[Any] = [state.client.at(place) for place in places]
    return found(state, nodes[0], lambda: access.read(*nodes))


@access.command("export")
@argument("organizations", "The organizations.", "organizations", nargs=-1, required=True)
@emits(_File())
@pass_state
def export(state: State, organizations: tuple[str, ...], emit: Emit) -> None:
    """Write what there is as a file for 'plan' and 'apply', to standard output.

    Brood does not tell of users who are in no team, nor what an organization is: these are not in
    it. The exit code is 7 when something could not be read: that is left out, and so stays as it
    is when the file is applied.

    \b
    For example:
    hatcher access export acme
    hatcher access export acme > people.yaml
    """
    told = read(state, *organizations)
    if emit.is_chosen:
        emit(told.document)
    else:
        write(told.yaml())
    raise_for(told.problems, told.summary)


_FILE = click.Path(exists=True, dir_okay=False)
_file = partial(
    argument,
    "file",
    "YAML or JSON, as 'hatcher access export' writes it.",
    "file",
    type=_FILE,
)
_planning = together(
    flag("--prune", help="Remove teams, members and access that the file does not have."),
    most_deletes("Remove nothing if it would be more"),
    flag("--force", help="Remove something also when you would lose access yourself."),
    click.option(
        "--caller", metavar="EMAIL", help="Who you are, where your token does not say it."
    ),
)


@access.command("plan")
@_file()
@_planning
@saving("Keep the plan as JSON, for 'hatcher access apply'.")
@emits(PLAN)
@pass_state
def plan(state: State, /, file: str, save: str | None, emit: Emit, **asked: Any) -> None:
    """Say what has to change so that the server is as FILE says; change nothing.

    What FILE does not name stays as it is. Without --prune nothing is removed; with it, what FILE
    does not have where it names the others: teams, their members, and their access to repositories.
    Repositories, users and organizations are never deleted.

    The exit code is 0 when there is nothing to do, 8 when there is, and 7 when not all could be read
    or something stands in the way.

    \b
    For example:
    hatcher access plan people.yaml
    hatcher access plan people.yaml --prune --save plan.json
    """
    made = _planned(state, file, asked)
    if save is not None:
        write_json(save, made.document())
        say(f"The plan is kept in {save}.")
    if made.steps or emit.is_chosen:
        emit(map(_row, made.steps))
    raise_for(made.problems, _summary(made))
    if made:
        say(f"To do: {_summary(made)}")
        click.get_current_context().exit(ExitCode.DIFFERENCES)
    say("Nothing to do.", "green")


@access.command("apply")
@_file(required=False)
@_planning
@click.option(
    "--plan",
    "kept",
    type=_FILE,
    metavar="FILE",
    help="Do what this plan says, which 'hatcher access plan --save' kept, and nothing else.",
)
@dry_run
@assume_yes
@emits(APPLIED)
@pass_state
def apply(
    state: State,
    /,
    file: str | None,
    kept: str | None,
    dry_run: bool,
    assume_yes: bool,
    emit: Emit,
    **asked: Any,
) -> None:
    """Make the server be as FILE says, or as a plan that was kept.

    What is added comes first. It asks before it removes anything; that comes last, and not in an
    organization where something has failed. One failure does not stop the others, and the same
    command again does what is left.

    First passwords of users who were created are written to standard output, this once; give them to
    the users.

    \b
    For example:
    hatcher access apply people.yaml --dry-run
    hatcher access apply people.yaml --prune --yes
    """
    if (file is None) == (kept is None) or (kept is not None and any(asked.values())):
        raise click.UsageError(
            "Give either FILE, or --plan alone: a plan says already what is meant."
        )
    made = _planned(state, file, asked) if file is not None else _kept(state, str(kept))
    removals = sum(step.reason is None for step in made.removals)
    if removals:
        for step in made.removals:
            say(str(step), always=True)
        number = f"{removals:,} change{'' if removals == 1 else 's'} above"
        confirm(f"The {number} will take access away. Go on?", assume_yes=assume_yes or dry_run)
    try:
        report = made.apply(dry_run=dry_run)
    except BatchInterrupted as stop:
        emit(_applied(stop.report))
        raise
    if report.results or emit.is_chosen:
        emit(_applied(report))
    report.raise_for_failures()
    say(str(report) if report.results else "Nothing to do.", "green")


def _planned(state: State, file: str, asked: dict[str, Any]) -> Plan:
    from hatcher import access

    caller = asked.pop("caller") or getattr(state.credential, "username", None)
    return access.plan(state.client, file, caller=caller, **asked)


def _kept(state: State, path: str) -> Plan:
    from hatcher import access

    document = read_plan(path, "hatcher access plan", "access plan")
    return access.Plan.from_document(document, state.client)


def _row(step: Step) -> dict[str, Any]:
    row = {field.key: getattr(step, field.key) for field in PLAN.fields}
    reason = step.reason and as_options(step.reason, click.get_current_context())
    return {**row, "reason": reason}


def _applied(report: Report) -> Iterator[dict[str, Any]]:
    for result in report.results:
        error = result.error and explain(result.error, click.get_current_context()).what
        row = {"step": result.name, "outcome": result.outcome, "error": error}
        if result.user is not None:
            password = result.user.one_time_password
            row |= {"email": result.user.email, "one_time_password": password}
        yield row


def _summary(told: object) -> str:
    return str(told).partition("\n")[0]
