"""`hatcher eggs`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatcher.artefacts.versions import egg_key
from hatcher.cli import transfers
from hatcher.cli.data import (
    INDEX,
    SIZE,
    TIME,
    Document,
    Emit,
    Field,
    Listing,
    Record,
    emits,
    write_tree,
)
from hatcher.cli.groups import group
from hatcher.cli.parameters import (
    LATEST,
    argument,
    assume_yes,
    choices,
    completes,
    dry_run,
    flag,
    missing_ok,
    on_platform,
    selecting,
)
from hatcher.cli.plans import most_deletes, raise_for, read_plan, saving, write_json
from hatcher.cli.refusals import ExitCode, Refusal, missing_extra
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import confirm, say

if TYPE_CHECKING:
    from hatcher.api import BatchReport, Egg, SinglePlatformRepository
    from hatcher.mirror import Pruning

EGGS = Listing(
    (Field("name", "Egg Name"), Field("python_tag", "Python Tag", ("string", "null"))),
    more=(
        Field("version", "Version", ("string", "null")),
        Field("build", "Build", ("integer", "null")),
        SIZE,
        TIME,
    ),
)
DEPENDENCIES = Listing(
    (
        Field("depth", "Depth", "integer"),
        Field("name", "Name"),
        Field("version", "Version", ("string", "null")),
        Field("python_tag", "Python Tag", ("string", "null")),
        Field("filename", "File", ("string", "null")),
        Field("requirement", "Requirement", ("string", "null")),
        Field("state", "State"),
    )
)
EGG = Document((Field("filename", "File"), Field("sha256", "SHA-256")))
BUILT = Listing(
    (Field("path", "Path"), SIZE._replace(type="integer"), Field("sha256", "SHA-256")),
    bare=True,
)

_python_tag = argument(
    "python_tag", "Such as cp311; 'hatcher python-tags list' shows them.", "all python tags"
)
_shown = click.option(
    "--enabled/--disabled",
    default=True,
    help="Show it in the index at once, or later with 'update-index'.",
)


@group("eggs")
def eggs() -> None:
    """Upload, download and list eggs."""


@eggs.command("list")
@on_platform()
@argument("python_tag", "Of the runtime that is to use the eggs, such as cp311.", "python tags")
@flag("-l", "--long", help="Show the version, build, size and date of each, too.")
@emits(EGGS)
def list_(place: SinglePlatformRepository, python_tag: str, long: bool, emit: Emit) -> None:
    """List the eggs that a Python can use.

    PYTHON_TAG is that of the Python, such as cp311: eggs for any Python are listed too. Those
    that are not shown in the index are not.

    \b
    For example:
    hatcher eggs list acme dev rh8-x86_64 cp311
    hatcher eggs list acme dev rh8-x86_64 cp311 --long
    """
    if long:
        rows = sorted(place.egg_index(python_tag).rows(), key=lambda row: egg_key(row["filename"]))
        emit.long({**row, "name": row["filename"]} for row in rows)
        return
    found = place.list_eggs(python_tag)
    emit(sorted(found, key=lambda egg: egg_key(egg["name"])))


@eggs.command("index")
@on_platform()
@_python_tag
@emits(INDEX)
def index(place: SinglePlatformRepository, python_tag: str, emit: Emit) -> None:
    """Show the index of the eggs that a Python can use.

    As CSV, as JSON lines and in a table it is a row for each artefact; as JSON, and without
    --output, it is what the server has said.

    \b
    For example:
    hatcher eggs index acme dev rh8-x86_64 cp311
    hatcher eggs index acme dev rh8-x86_64 cp311 --output csv
    """
    emit(place.egg_index(python_tag))


@eggs.command("why")
@on_platform()
@_python_tag
@argument("name", "The name of an egg, whatever its case.", "eggs")
@argument(
    "version",
    f"Its version, with or without the build, or '{LATEST}'; any when it is left out.",
    "eggs",
    required=False,
    shell_complete=completes("eggs", LATEST),
    default=None,
)
@flag("-r", "--requirements", help="Show what it requires instead.")
@emits(DEPENDENCIES)
def why(
    place: SinglePlatformRepository,
    python_tag: str,
    name: str,
    version: str | None,
    requirements: bool,
    emit: Emit,
) -> None:
    """Show which eggs require an egg, and which require these, as a tree.

    It is told from the index of the eggs that a Python can use. As JSON, CSV and in a table it is
    the lines of the tree, with their depth.

    The exit code is 7 when the index does not say of some eggs what they require.

    \b
    For example:
    hatcher eggs why acme dev rh8-x86_64 cp311 spam
    hatcher eggs why acme dev rh8-x86_64 cp311 spam --requirements
    """
    if version == LATEST:
        version = place.latest(name, python_tag).version
    ask = place.requirements_of if requirements else place.dependents_of
    tree = ask(name, python_tag, version)
    if emit.is_chosen:
        emit(tree)
    else:
        write_tree(str(tree))
    if number := len(tree.unknown):
        raise Refusal(
            f"The index does not say what {number:,} egg{' requires' if number == 1 else 's require'}, "
            f"such as {tree.unknown[0]}.",
            "Look into these: it stands in their EGG-INFO/spec/depend.",
            ExitCode.PARTIAL,
        )


@eggs.command("metadata")
@on_platform("egg")
@emits(EGG)
def metadata(egg: Egg, emit: Emit) -> None:
    """Show what the server says of an egg.

    PYTHON_TAG is the egg's own: 'none' for one without. VERSION has the build number: 1.3.0-1.

    \b
    For example:
    hatcher eggs metadata acme dev rh8-x86_64 none spam 1.0.0-1
    """
    emit(egg.metadata())


@eggs.command("download")
@on_platform("egg")
@transfers.downloading
def download(egg: Egg, **options: Any) -> None:
    """Download an egg.

    It goes into the folder DESTINATION, or the current one. It is verified, and a file that is
    there already with the same content is left as it is.

    \b
    For example:
    hatcher eggs download acme dev rh8-x86_64 none spam 1.0.0-1
    """
    transfers.download(egg, **options)


@eggs.command("batch-download")
@on_platform()
@_python_tag
@transfers.downloading_many
def batch_download(
    place: SinglePlatformRepository, python_tag: str, destination: str | None, **options: Any
) -> None:
    """Download many eggs.

    All that a Python can use, or some of them, go into the folder DESTINATION, or the current
    one. What is there already with the same content is not downloaded again, and one failure does
    not stop the others.

    \b
    For example:
    hatcher eggs batch-download acme dev rh8-x86_64 cp311 downloads
    hatcher eggs batch-download acme dev rh8-x86_64 cp311 downloads --name 'numpy*'
    """
    transfers.batch("eggs", place.download_eggs, python_tag, destination or ".", **options)


@eggs.command("build")
@argument(
    "distributions",
    "Distributions that are installed here, as in 'pip list'.",
    metavar="DISTRIBUTION...",
    nargs=-1,
    required=True,
)
@click.option(
    "--destination",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="Where to put the eggs; made when missing. The current folder by default.",
)
@click.option(
    "--build",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    metavar="NUMBER",
    help="The build number of the eggs.",
)
@dry_run
@emits(BUILT)
def build(
    distributions: tuple[str, ...], destination: Path, build: int, dry_run: bool, emit: Emit
) -> None:
    """Make eggs of installed pure-Python distributions.

    They suit every platform and every Python; an egg of that name is replaced. The paths of the
    eggs are the output. Needs the extra 'testing'.

    \b
    For example:
    hatcher eggs build idna --destination built
    """
    from tempfile import TemporaryDirectory

    from hatcher.testing.eggs import UnsuitableDistributionError, build_egg
    from hatcher.transfer.hashing import file_sha256

    failures: list[UnsuitableDistributionError] = []

    def built(folder: Path) -> Iterator[Record]:
        for distribution in distributions:
            try:
                egg = build_egg(distribution, folder, build=build)
            except UnsuitableDistributionError as error:
                failures.append(error)
                continue
            path = destination / egg.name
            if dry_run:
                say(f"Would make {path}.")
            if emit.is_chosen or not dry_run:
                yield {"path": str(path), "size": egg.stat().st_size, "sha256": file_sha256(egg)}

    if not dry_run:
        destination.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() if dry_run else nullcontext(destination) as folder:
            emit(built(Path(folder)))
    except ModuleNotFoundError as error:
        raise missing_extra("Making eggs", error, "testing") from error
    if len(distributions) == 1 and failures:
        raise failures[0]
    for failure in failures:
        say(f"failed: {failure.what} {failure.advice}", always=True)
    if failures:
        raise Refusal(
            f"{len(failures)} of {len(distributions)} eggs could not be made.",
            "Do what is said of each, or leave it out.",
            ExitCode.PARTIAL,
        )


@eggs.command("upload")
@on_platform()
@transfers.filename
@transfers.uploading(transfers.verify, _shown)
def upload(place: SinglePlatformRepository, filename: str, **options: Any) -> None:
    """Upload an egg.

    \b
    For example:
    hatcher eggs upload acme dev rh8-x86_64 spam-1.0.0-1.egg
    """
    transfers.upload(place, filename, place._local_egg, place.upload_eggs, **options)


@eggs.command("batch-upload")
@on_platform()
@transfers.files("eggs", "*.egg")
@transfers.uploading(
    click.option(
        "--index/--no-index", default=True, help="Show the eggs in the index when they are stored."
    ),
    click.option(
        "--index_timeout",
        default=10,
        help="Not needed any more: the index is told of what is known to be stored.",
    ),
    transfers.batching,
)
def batch_upload(
    place: SinglePlatformRepository,
    eggs: tuple[str, ...],
    index: bool,
    index_timeout: int,
    **options: Any,
) -> None:
    """Upload many eggs, which appear in the index together.

    EGGS are files, folders with eggs in them, or '-' for a list on standard input. What the
    server has with the same content is not sent again, one failure does not stop the others, and
    the same command again goes on where it was.

    \b
    For example:
    hatcher eggs batch-upload acme dev rh8-x86_64 spam-1.0.0-1.egg numpy-1.26.4-1.egg
    hatcher eggs batch-upload acme dev rh8-x86_64 eggs
    """
    transfers.batch("eggs", place.upload_eggs, eggs, enabled=index, **options)


@eggs.command("update-index")
@on_platform()
@transfers.files("eggs", "*.egg")
@dry_run
def update_index(place: SinglePlatformRepository, eggs: tuple[str, ...], dry_run: bool) -> None:
    """Show eggs in the index that were uploaded out of sight.

    EGGS are the files that were uploaded; folders and '-' as in 'batch-upload'.

    \b
    For example:
    hatcher eggs update-index acme dev rh8-x86_64 spam-1.0.0-1.egg
    """
    number = f"{len(eggs)} egg{'' if len(eggs) == 1 else 's'}"
    if dry_run:
        # What is not stored with this content cannot be shown.
        report = place.upload_eggs(eggs, enabled=False, dry_run=True)
        report.raise_for_failures()
        if missing := [
            result.name for result in report.results if result.outcome != "already there"
        ]:
            raise Refusal(
                f"{place} does not have {', '.join(missing)}.",
                "Upload them with 'hatcher eggs batch-upload'.",
                ExitCode.NOT_FOUND,
            )
        say(f"Would show {number} in the index of {place}.")
        return
    place.reindex(eggs)
    say(f"{number} shown in the index of {place}.", "green")


@eggs.command("delete")
@on_platform("egg", latest=False)
@transfers.deleting()
def delete(egg: Egg, **options: Any) -> None:
    """Delete an egg.

    \b
    For example:
    hatcher eggs delete acme dev rh8-x86_64 none spam 1.0.0-1
    """
    transfers.delete(egg, "the egg {name}-{version} ({python_tag}) of {place}", **options)


@eggs.command("batch-delete")
@on_platform()
@_python_tag
@argument(
    "names",
    "File names, patterns such as 'nose-*', or - for a list on stdin.",
    "egg files",
    metavar="NAME...",
    nargs=-1,
    required=True,
    callback=transfers.names_from,
)
@flag("--force", help="Delete them even where the server would keep them.")
@missing_ok
@assume_yes
@transfers.batching
@transfers.moving
def batch_delete(
    place: SinglePlatformRepository,
    python_tag: str,
    names: tuple[str, ...],
    force: bool,
    missing_ok: bool,
    assume_yes: bool,
    dry_run: bool,
    **options: Any,
) -> None:
    """Delete many eggs.

    They are looked for in the index of the Python with PYTHON_TAG; each is deleted by its own
    tag. One failure does not stop the others.

    \b
    For example:
    hatcher eggs batch-delete acme dev rh8-x86_64 cp311 'spam-1.*' --dry-run
    """

    def delete(progress: object = None, **given: Any) -> BatchReport:
        # There are no bytes to tell of.
        return place.delete_eggs(names, python_tag, force=force, missing_ok=missing_ok, **given)

    if not dry_run and not assume_yes:
        report = delete(dry_run=True)
        doomed = [result.name for result in report.results if result.outcome == "would delete"]
        if doomed:
            say("\n".join(doomed), always=True)
        number = f"{len(doomed):,} egg{'' if len(doomed) == 1 else 's'}"
        confirm(f"{number} of {place} will be deleted. Go on?", assume_yes=not doomed)
    transfers.batch("eggs", delete, dry_run=dry_run, **options)


@eggs.command("prune")
@argument("place", "acme, acme/dev or acme/dev/rh8-x86_64.", "places")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="How many versions of each name and python tag stay.",
)
@click.option(
    "--older-than",
    metavar="AGE",
    help="Only what is older, such as 180d: s, m, h, d, w or y.",
)
@flag("--except-referenced", help="Not what a bundle of the organization names.")
@choices("--name", "names", metavar="PATTERN", help="Only eggs called so; may be repeated.")
@selecting("platform", "-p", "--platform", "platforms")
@selecting("python tag", "-t", "--python-tag", "python_tags")
@most_deletes("Delete nothing if it would be more")
@saving("Keep the plan as JSON, for --plan, and delete nothing.")
@click.option(
    "--plan",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="Delete what this plan says, as far as it still holds, and nothing else.",
)
@transfers.batching
@assume_yes
@transfers.moving
@pass_state
def prune(
    state: State,
    place: str,
    save: str | None,
    assume_yes: bool,
    dry_run: bool,
    emit: Emit,
    concurrency: int | None,
    **asked: Any,
) -> None:
    """Delete old versions of eggs; the newest stay.

    It says what would go, and asks; --save keeps the plan instead, which says of each egg that
    stays why it does. Eggs that are disabled are never deleted, nor is anything when an index or a
    bundle cannot be read.

    \b
    For example:
    hatcher eggs prune acme/dev/rh8-x86_64 --keep 3 -t cp311 --older-than 180d --dry-run
    hatcher eggs prune acme --keep 1 -p rh8-x86_64 -t cp311 --except-referenced
    """
    made = _pruning(state, place, concurrency=concurrency, **asked)
    doomed = [step.path for step in made.those("delete")]
    summary = f"{len(doomed):,} of {len(made.steps):,} eggs of {place} are to go"
    if unknown := made.of_unknown_age:
        say(f"{len(unknown):,} stay, since the server does not say how old they are.")
    raise_for(made.problems, summary)
    if save is not None and not dry_run:
        write_json(save, made.document())
        say(f"The plan is kept in {save}.")
    if doomed and (dry_run or save is None):
        if not (assume_yes or dry_run):
            say("\n".join(doomed), always=True)
        confirm(f"{summary}. Go on?", assume_yes=assume_yes or dry_run)
        transfers.batch("Prune", made.apply, emit=emit, concurrency=concurrency, dry_run=dry_run)
        return
    if emit.is_chosen:
        emit([])
    say(f"{summary}.", "green")


def _pruning(state: State, place: str, *, plan: str | None, **asked: Any) -> Pruning:
    """Return the plan that was kept, or a new one."""
    # Imported here, as all of the mirror: help needs none of it.
    from hatcher import mirror

    where = state.client.at(place)
    # A limit of 0 is one.
    given = {
        name: value
        for name, value in asked.items()
        if value is not False and value not in ((), None)
    }
    if plan is not None:
        if given.keys() - {"concurrency"}:
            raise click.UsageError("The plan says already what is to go: give --plan alone.")
        return mirror.Pruning.read(read_plan(plan, "hatcher plan", "eggs prune"), where)
    if "keep" not in given:
        raise click.UsageError("How many versions stay? Give --keep NUMBER, or --plan FILE.")
    return mirror.prune(where, **transfers.as_python(given))
