"""`hatcher mirror` and `hatcher diff`: whole places kept equal, across servers, folders and air gaps."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli import transfers
from hatcher.cli.data import SIZE, Document, Emit, Field, Listing, emits, write_table
from hatcher.cli.explaining import explain
from hatcher.cli.groups import command, group
from hatcher.cli.mirror_sides import Side, Sort, WrittenSide, open_pair
from hatcher.cli.parameters import (
    Decorator,
    argument,
    assume_yes,
    completes,
    dry_run,
    flag,
    selecting_some,
    together,
)
from hatcher.cli.plans import MOST_NAMED, most_deletes, raise_for, read_plan, saving, write_json
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import confirm, is_wanted, say
from hatcher.cli.transfers import TRANSFERS

if TYPE_CHECKING:
    from hatcher.api import FileResult
    from hatcher.mirror import Manifest, Plan, Verification
    from hatcher.mirror.listing import SideLike
    from hatcher.mirror.records import States

PLAN = Listing(
    (
        Field("action", "Action"),
        Field("path", "Path"),
        SIZE,
        Field("reason", "Reason", ("string", "null")),
        Field("sha256", "SHA-256", ("string", "null"), in_tables=False),
        Field("replaces", "Replaces", ("string", "null"), in_tables=False),
    )
)
#: As all transfers; people need not see where each file is, besides what it is called there.
MIRRORED = Listing(
    tuple(field._replace(in_tables=field.key != "path") for field in TRANSFERS.fields)
)
MANIFEST = Document(
    (
        Field("format", "Format"),
        Field("version", "Version", "integer"),
        Field("made", "Made", ("string", "null")),
        Field("source", "Source"),
        Field("api_version", "API version", ("integer", "null")),
        Field("place", "Place", "array"),
        Field("selection", "Selection", "object"),
        Field("problems", "Problems", "array"),
        Field("artefacts", "Artefacts", "object"),
    )
)
VERIFICATION = Document(
    (
        Field("ok", "All right", "boolean"),
        Field("target", "Target"),
        Field("source", "Compared with", ("string", "null")),
        Field("checked", "Artefacts", "integer"),
        Field("bytes", "Bytes hashed", "integer"),
        Field("findings", "Findings", "array"),
        Field("problems", "Problems", "array"),
    )
)

DIFF = Listing(
    (
        Field("change", "Change"),
        Field("path", "Path"),
        Field("kind", "Kind", in_tables=False),
        Field("platform", "Platform", in_tables=False),
        Field("python_tag", "Python tag", ("string", "null"), in_tables=False),
        Field("name", "Name", in_tables=False),
        Field("version", "Version", in_tables=False),
        SIZE._replace(key="a_size", heading="Size in A"),
        SIZE._replace(key="b_size", heading="Size in B"),
        Field("a_sha256", "SHA-256 in A", ("string", "null"), in_tables=False),
        Field("b_sha256", "SHA-256 in B", ("string", "null"), in_tables=False),
        Field("reason", "Reason", ("string", "null")),
    )
)
#: What people see of it: the versions of each name, side by side.
_SIDE_BY_SIDE = (
    Field("removed", "Only in A"),
    Field("added", "Only in B"),
    Field("changed", "Different"),
    Field("unknown", "Not known"),
)

_pruning = together(
    flag("--prune", help="Delete from TARGET what SOURCE lacks."),
    most_deletes("Delete nothing if it would be more"),
)

_PLACES: tuple[Sort, ...] = ("place", "folder", "archive")
_ANY = Side(*_PLACES, "manifest")
_source = argument(
    "source", "What there is to be: a place, a folder, or an archive.", "sides", type=Side(*_PLACES)
)


def _compared_with(option: str, metavar: str, help: str) -> Decorator:
    """Give a command the option that names another side."""
    return click.option(
        option,
        type=_ANY,
        metavar=metavar,
        shell_complete=completes("sides"),
        help=help,
    )


@group("mirror")
def mirror() -> None:
    """Make one place like another, moving only what changed.

    A place is on a server, in a folder, or in an archive that was carried here:

    \b
    acme/dev             a place on the server: an organization, repository or platform
    site:acme/dev        the same on the server of the profile 'site'
    ./backup             a folder, which begins with '.', '/' or '~', or ends with '/'
    ./backup:acme/dev    a place in it; without one it is called as the other end is
    delta.zip            an archive, from 'hatcher mirror pack'
    state.json           a manifest, from 'hatcher mirror manifest', to compare with

    What counts is the sha256, never a name or a time alone.
    """


@mirror.command("plan")
@_source
@argument(
    "target",
    "Where it is to be: a place or a folder, or its manifest or archive.",
    "sides",
    type=_ANY,
)
@selecting_some
@_pruning
@transfers.concurrency
@flag("--all", "show_all", help="Show what is skipped too, as --verbose does.")
@saving("Keep the plan as JSON, for 'hatcher mirror apply --plan'.")
@emits(PLAN)
@pass_state
def plan(
    state: State,
    /,
    source: WrittenSide,
    target: WrittenSide,
    show_all: bool,
    save: str | None,
    emit: Emit,
    **asked: Any,
) -> None:
    """Say what has to be done, so that TARGET has what SOURCE has; change nothing.

    The exit code is 0 when there is nothing to do, 8 when there is, and 7 when not all could be
    read or something stands in the way.

    \b
    For example:
    hatcher mirror plan site:acme/dev acme/other -p rh8-x86_64 -t cp311
    hatcher mirror plan acme/dev ./backup -p rh8-x86_64 -t cp311 --save plan.json
    """
    made, _ = _planned(*open_pair(state, source, target), **asked)
    if save is not None:
        write_json(save, made.document())
        say(f"The plan is kept in {save}.")
    show_all |= is_wanted("verbose")
    steps = made.steps if show_all else [step for step in made.steps if step.action != "skip"]
    if emit.is_for_people:
        from hatcher.mirror.layout import order_of

        steps = sorted(steps, key=lambda step: order_of(step.path))
    if steps or emit.is_chosen:
        emit({field.key: getattr(step, field.key) for field in PLAN.fields} for step in steps)
    _confirm_deletes(made, assume_yes=True)
    if 0 < len(made.those("delete")) <= made.max_deletes:
        say(f"At most {made.max_deletes:,} may be deleted.")
    raise_for(made.problems, _summary(made))
    if made:
        say(f"To do: {_summary(made)}")
        click.get_current_context().exit(ExitCode.DIFFERENCES)
    say(f"Nothing to do: {_summary(made)}", "green")


@mirror.command("apply")
@_source
@argument(
    "target", "Where it is to be: a place or a folder.", "sides", type=Side("place", "folder")
)
@selecting_some
@_pruning
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Do what this plan says, which 'hatcher mirror plan --save' kept, and nothing else.",
)
@flag("--create-missing", help="Create repositories that are missing on the server of TARGET.")
@transfers.cache
@transfers.batching
@dry_run
@assume_yes
@emits(MIRRORED)
@pass_state
def apply(
    state: State,
    /,
    source: WrittenSide,
    target: WrittenSide,
    plan: str | None,
    dry_run: bool,
    assume_yes: bool,
    emit: Emit,
    **asked: Any,
) -> None:
    """Make TARGET have what SOURCE has.

    Only what differs moves, several files at a time; eggs appear in the index together. One
    failure does not stop the others, and the same command again does what is left, also after an
    interruption. What somebody else changes meanwhile is neither replaced nor deleted.

    With --prune it asks before it deletes. Nothing is deleted when SOURCE could not be read
    whole, or where something failed.

    \b
    For example:
    hatcher mirror apply acme/dev ./backup -p rh8-x86_64 -t cp311
    hatcher mirror apply site:acme/dev acme/other -p rh8-x86_64 -t cp311 --kind eggs
    """
    options = {name: asked.pop(name) for name in ("concurrency", "cache", "create_missing")}
    if plan is not None and not all(
        value in ((), None) or value is False for value in asked.values()
    ):
        raise click.UsageError(
            "The plan says already what is meant. Give either --plan, or --kind, --platform, "
            "--python-tag, --name, --prune and --max-deletes."
        )
    sides = open_pair(state, source, target)
    asked["concurrency"] = options["concurrency"]
    states: States | None = None
    if plan is None:
        made, states = _planned(*sides, **asked)
    else:
        made = _kept_plan(plan, *sides)
    if _confirm_deletes(made, assume_yes=assume_yes or dry_run):
        states = None  # much may have changed while somebody was thinking
    do = partial(made._apply, states, dry_run=dry_run)
    skipped = _skipped(made)
    if made:
        transfers.batch("Mirror", do, emit=emit, skipped=skipped, **options)
        return
    if target.sort != "place":
        # Nothing moves into the folder, but its manifest may lack what is there.
        do(**transfers.as_python(options)).raise_for_failures()
    if emit.is_chosen or is_wanted("verbose"):
        transfers.emit_results((), emit, skipped)
    say(f"Nothing to do: {_summary(made)}", "green")


@mirror.command("verify")
@argument("target", "A place on a server, a folder, or an archive.", "sides", type=Side(*_PLACES))
@_compared_with(
    "--against", "SOURCE", "What TARGET should have; without it, what its own manifest says."
)
@flag(
    "--download",
    help="Download everything from the server of TARGET, and hash it; nothing of it is kept.",
)
@selecting_some
@transfers.concurrency
@emits(VERIFICATION)
@pass_state
def verify(
    state: State,
    /,
    target: WrittenSide,
    against: WrittenSide | None,
    download: bool,
    emit: Emit,
    **asked: Any,
) -> None:
    """Check that TARGET is what it should be, by hashing it again; change nothing.

    Of a folder and of an archive every file is read. Of a place on a server it is what the server
    says, unless --download is given.

    The exit code is 0 when all is right, 8 when something is damaged, missing or another one, and
    7 when not all could be read.

    \b
    For example:
    hatcher mirror verify exported/
    hatcher mirror verify acme/dev --against exported/ -p rh8-x86_64 -t cp311 -a eggs
    """
    if target.sort == "place" and against is None and not download:
        raise Refusal(
            f"There is nothing to compare {target.place} with.",
            "Give --against SOURCE, or --download to hash everything that it has.",
        )
    if download and target.sort != "place":
        raise Refusal("--download is for a place on a server.", "Leave it out: every file is read.")
    if against is None:
        here, there = target.open(state), None
    else:
        there, here = open_pair(state, against, target)
    from hatcher import mirror

    with transfers.progress_bar("Verify") as bar:
        found = mirror.verify(
            here, there, download=download, progress=bar, **transfers.as_python(asked)
        )
    if emit.is_chosen:
        emit(found.document())
    summary = f"{found.target}: {_summary(found)}"
    for finding in found.findings[:MOST_NAMED]:
        say(str(finding), always=True)
    if (more := len(found.findings) - MOST_NAMED) > 0:
        say(f"and {more:,} more; --output json names them all", always=True)
    if not found.findings:
        raise_for(found.problems, summary)
    for problem in found.problems:
        say(f"problem: {problem.place}: {explain(problem.error).what}", always=True)
    say(summary, "red" if found.findings else "green")
    if found.findings:
        click.get_current_context().exit(ExitCode.DIFFERENCES)


@mirror.command("manifest")
@argument("place", "A place on a server, a folder, or an archive.", "sides", type=Side(*_PLACES))
@selecting_some
@transfers.concurrency
@saving("Write it into a file, which appears whole or not at all.")
@emits(MANIFEST)
@pass_state
def manifest(
    state: State, /, place: WrittenSide, save: str | None, emit: Emit, **asked: Any
) -> None:
    """Write down what a place, a folder or an archive has: each artefact with its sha256.

    The manifest goes to standard output, or with --save into a file. Where the place itself cannot
    be reached, it stands for it: as the target of 'plan', for --lacking of 'pack', and for
    --against of 'verify'.

    \b
    For example:
    hatcher mirror manifest acme/dev -p rh8-x86_64 -t cp311 --save state.json
    """
    from hatcher import mirror

    with transfers.progress_bar("Manifest") as bar:
        made = mirror.manifest(place.open(state), progress=bar, **transfers.as_python(asked))
    if save is not None:
        made.write(save)
    if save is None or emit.is_chosen:
        emit(made.document())
    summary = _summary(made)
    raise_for(made.problems, summary)
    if save is not None:
        say(f"{summary}; written to {save}", "green")


@command("diff")
@argument("a", "What to compare: a place, a folder, an archive or a manifest.", "sides", type=_ANY)
@argument("b", "What to compare it with, likewise.", "sides", type=_ANY)
@selecting_some
@flag("--exit-code", help="Exit with 8 when they differ, as 'hatcher mirror verify' does.")
@transfers.concurrency
@emits(DIFF)
@pass_state
def diff(
    state: State,
    /,
    a: WrittenSide,
    b: WrittenSide,
    exit_code: bool,
    emit: Emit,
    **asked: Any,
) -> None:
    """Show how two places, folders, archives or manifests differ.

    They are written as those of 'hatcher mirror', and nothing is changed. What counts is the
    sha256. Each name has a line, with the versions that only A has, those that only B has, and
    those with different content; --output gives a row for each artefact.

    The exit code is 0 whether they differ or not, unless --exit-code is given, and 7 when not all
    could be read. What could not be read counts neither as added nor as removed.

    \b
    For example:
    hatcher diff acme/dev acme/old --platform rh8-x86_64
    """
    from hatcher import mirror

    with transfers.progress_bar("Diff") as bar:
        found = mirror.diff(
            a.open(state), b.open(state), progress=bar, **transfers.as_python(asked)
        )
    if emit.is_chosen:
        emit(found.rows())
    elif found.changes:
        rows = found.by_name()
        seen = [field for field in _SIDE_BY_SIDE if any(row[field.key] for row in rows)]
        versions = [{field.key: ", ".join(row[field.key]) for field in seen} for row in rows]
        records = (row | texts for row, texts in zip(rows, versions, strict=True))
        write_table([Field("where", "Where"), Field("name", "Name"), *seen], records)
    raise_for(found.problems, found.summary())
    say(found.summary(), None if found else "green")
    if found and exit_code:
        click.get_current_context().exit(ExitCode.DIFFERENCES)


@mirror.command("pack")
@argument(
    "source",
    "A place on a server, or one in a folder.",
    "sides",
    type=Side("place", "folder"),
)
@argument("archive", "The file to write: NAME.zip.", type=click.Path(dir_okay=False, writable=True))
@_compared_with(
    "--lacking",
    "TARGET",
    "The side that it is for, or its manifest; without it everything is packed.",
)
@selecting_some
@transfers.batching
@dry_run
@emits(MIRRORED)
@pass_state
def pack(
    state: State,
    source: WrittenSide,
    archive: str,
    lacking: WrittenSide | None,
    **options: Any,
) -> None:
    """Pack what another side lacks into one file, to be carried there.

    ARCHIVE is a ZIP file. On the other side it is the SOURCE of 'plan' and 'apply', and it says what
    is to be deleted there, too. It appears when it is complete; the same command goes on with what
    was interrupted.

    \b
    For example:
    hatcher mirror pack acme/dev delta.zip -p rh8-x86_64 -t cp311
    """
    if Path(archive).suffix.lower() != ".zip":
        raise Refusal(
            f"'{archive}' would not be known for an archive.", f"Call it '{archive}.zip'."
        )
    if lacking is None:
        if source.sort == "folder" and source.place is None:
            raise Refusal(
                "There may be many places in a folder, and it is not said which one is meant.",
                "Write it behind the folder, such as ./backup:acme/dev",
            )
        here, there = source.open(state), None
    else:
        here, there = open_pair(state, source, lacking)
    from hatcher import mirror

    transfers.batch("Pack", mirror.pack, here, archive, lacking=there, **options)


# -- plans -------------------------------------------------------------------------------------


def _planned(source: SideLike, target: SideLike, **asked: Any) -> tuple[Plan, States]:
    # Imported here, as all of the mirror: help needs none of it.
    from hatcher.mirror.plans import planned

    return planned(source, target, **transfers.as_python(asked))


def _kept_plan(path: str, source: SideLike, target: SideLike) -> Plan:
    from hatcher import mirror

    return mirror.Plan.from_document(read_plan(path, "hatcher plan", "mirror plan"), source, target)


def _skipped(made: Plan) -> list[FileResult]:
    """Return what the target has already, as what became of it."""
    from hatcher.api import FileResult

    return [
        FileResult(step.path, Path(step.path), "already there", step.size)
        for step in made.those("skip")
    ]


def _summary(made: Plan | Manifest | Verification) -> str:
    """Return the line that counts."""
    return str(made).partition("\n")[0]


def _confirm_deletes(made: Plan, *, assume_yes: bool) -> bool:
    """Ask before artefacts are deleted; say so when it would be more than may be.

    Returns whether somebody was asked.
    """
    deletes = len(made.those("delete"))
    if deletes > made.max_deletes:
        say(
            f"{deletes:,} would be deleted, and at most {made.max_deletes:,} may be: nothing is. If "
            f"the source is right, give --max-deletes {deletes}.",
            "yellow",
        )
    elif deletes:
        artefacts = f"{deletes:,} artefact{'' if deletes == 1 else 's'}"
        confirm(f"{artefacts} of {made.target} will be deleted. Go on?", assume_yes=assume_yes)
        return not assume_yes
    return False
