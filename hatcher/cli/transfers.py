"""Files on their way: which ones, how far they are, and what became of them."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli.failures.explaining import explain
from hatcher.cli.output.chatter import say
from hatcher.cli.output.data import Emit, Field, Listing
from hatcher.cli.output.streams import is_terminal
from hatcher.cli.parameters import Decorator
from hatcher.errors import BatchInterrupted

if TYPE_CHECKING:
    from hatcher.api import BatchReport, Egg, FileResult, Progress, Runtime

#: What a command gives that moves files: a record for each of them.
TRANSFERS = Listing(
    (
        Field("file", "File"),
        Field("outcome", "Outcome"),
        Field("size", "Size", ("integer", "null")),
        Field("path", "Path"),
        Field("error", "Error", ("string", "null")),
    )
)

#: The argument that stands for a list of files on standard input.
_STDIN = "-"

# -- parameters --------------------------------------------------------------------------

force = click.option(
    "--force", is_flag=True, default=False, help="Replace what is there with other content."
)

verify = click.option(
    "--verify/--no-verify",
    default=False,
    help="Ask first what the server has, and send nothing when it has the file.",
)

concurrency = click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="How many files at once; 16 when it is not given.",
)

cache = click.option(
    "--cache",
    is_flag=True,
    default=False,
    help="Keep what is received for the next time, and look there first: see 'hatcher cache'.",
)

names = click.option(
    "--name",
    "names",
    multiple=True,
    metavar="PATTERN",
    help="Only files called so, such as 'numpy-*'; may be repeated.",
)

destination = click.argument(
    "destination",
    required=False,
    default=None,
    type=click.Path(exists=True, file_okay=False, writable=True),
)


def files(name: str, *suffixes: str) -> Decorator:
    """Give a command any number of files.

    A folder stands for all files in it with one of the suffixes, and ``-`` for a list on
    standard input, one file in each line.

    Parameters
    ----------
    name : str
        Of the argument.
    *suffixes : str
        Such as ``.egg``.
    """

    def expanded(
        ctx: click.Context, param: click.Parameter, given: Sequence[str]
    ) -> tuple[str, ...]:
        if ctx.resilient_parsing:
            return tuple(given)
        found: dict[str, None] = {}
        for path in given:
            found.update(dict.fromkeys(_expanded(path, suffixes, ctx, param)))
        return tuple(found)

    kind = click.Path(exists=True, allow_dash=True)
    return click.argument(name, nargs=-1, type=kind, callback=expanded)


def _expanded(
    path: str, suffixes: tuple[str, ...], ctx: click.Context, param: click.Parameter
) -> Iterable[str]:
    if path == _STDIN:
        # As bytes: names of files need not be text in the terminal's encoding.
        lines = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8).splitlines()
        return [os.fsdecode(line) for line in lines if line.strip()]
    if not os.path.isdir(path):  # noqa: PTH112 - paths stay as they were written
        return [path]
    inside = sorted(os.path.join(path, name) for name in os.listdir(path))  # noqa: PTH118, PTH208
    matching = [name for name in inside if name.endswith(suffixes)]
    if not matching:
        called = " or ".join(f"*{suffix}" for suffix in suffixes)
        raise click.BadParameter(f"There is no {called} in the folder '{path}'.", ctx, param)
    return matching


# -- one file ----------------------------------------------------------------------------


def upload(
    emit: Emit,
    filename: str,
    place: object,
    send: Callable[[Progress | None], bool],
    rehearse: Callable[[], BatchReport],
    *,
    dry_run: bool,
) -> None:
    """Upload a file, and say what became of it.

    Parameters
    ----------
    emit : Emit
        Of `TRANSFERS`.
    filename : str
    place : object
        Where it goes to; its text is for people.
    send : callable
        Sends it, given a `Progress`; returns whether the server did not have it already.
    rehearse : callable
        Says in a report what sending it would do.
    dry_run : bool
        Only say that.
    """
    path = Path(filename)
    if dry_run:
        (result,) = rehearse().results
        if result.error is not None:
            raise result.error
        tell(emit, path, place, result.outcome)
        return
    with progress_bar(path.name) as bar:
        is_new = send(bar)
    tell(emit, path, place, "uploaded" if is_new else "already there")


def download(emit: Emit, artefact: Egg | Runtime, destination: str | None, dry_run: bool) -> None:
    """Download an artefact into a folder, and say what became of it.

    Parameters
    ----------
    emit : Emit
        Of `TRANSFERS`.
    artefact : Egg or Runtime
    destination : str or None
        An existing folder; None is the current one.
    dry_run : bool
        Only say what would be done.
    """
    folder = Path(destination or os.curdir)
    # Asked for here, so that the file's name is known, and not again by the download.
    said = artefact.metadata()
    sha256, filename = artefact._sha256_in(said), artefact._filename_in(said)
    target = folder / (filename or "")
    if dry_run:
        there = target.is_file() and _sha256(target) == sha256
        tell(emit, target, folder, "already there" if there else "would download", said)
        return
    before = _identity(target)
    with progress_bar(target.name) as bar:
        artefact.download(folder, sha256, filename, progress=bar)
    # What arrives is put in the place of what was there.
    outcome = "already there" if _identity(target) == before else "downloaded"
    tell(emit, target, folder, outcome)


_SENTENCES = {
    "uploaded": "Uploaded {file} to {place}.",
    "downloaded": "Saved {path}.",
    "would upload": "Would upload {file} to {place}.",
    "would download": "Would save {path}.",
    "already there": "{file} is in {place} already, with the same content.",
}


def tell(
    emit: Emit, path: Path, place: object, outcome: str, said: Mapping[str, Any] | None = None
) -> None:
    color = None if outcome.startswith("would") else "green"
    say(_SENTENCES[outcome].format(file=path.name, path=path, place=place), color)
    # For people this says it all; programs want it in their own way.
    if emit.is_chosen:
        size = path.stat().st_size if said is None else said.get("size")
        emit([_record(path.name, path, outcome, size)])


def _sha256(path: Path) -> str:
    from hatcher.transfer.hashing import file_sha256

    return file_sha256(path)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


# -- many files --------------------------------------------------------------------------


def batch(emit: Emit, what: str, run: Callable[..., BatchReport]) -> None:
    """Move many files, and say what became of each.

    Parameters
    ----------
    emit : Emit
        Of `TRANSFERS`.
    what : str
        What stands before the progress bar.
    run : callable
        Moves them, given ``progress``.

    Raises
    ------
    BatchError
        One of them failed; that is told, and the others are done.
    """
    try:
        with progress_bar(what) as bar:
            report = run(progress=bar)
    except BatchInterrupted as stop:
        emit(map(_record_of, stop.report.results))
        say(f"{stop.report}\nThe same command again goes on where this one ended.")
        raise
    # People are told once, and below, why others were not tried.
    told = [
        _record_of(result)
        for result in report.results
        if emit.is_chosen or result.outcome != "not tried"
    ]
    if told or emit.is_chosen or not report.results:
        emit(told)
    # What failed is said once, with the summary, by whoever tells errors.
    report.raise_for_failures()
    say(str(report), "green")


def _record_of(result: FileResult) -> dict[str, Any]:
    return _record(result.name, result.path, result.outcome, result.size, result.error)


def _record(
    file: str, path: Path, outcome: str, size: int | None, error: Exception | None = None
) -> dict[str, Any]:
    return {
        "file": file,
        "outcome": outcome,
        "size": size,
        "path": str(path),
        "error": None if error is None else explain(error).what,
    }


# -- progress ----------------------------------------------------------------------------


@contextmanager
def progress_bar(what: str) -> Iterator[Progress | None]:
    """Show how far it is, where somebody sees it.

    Parameters
    ----------
    what : str
        What stands before it.

    Yields
    ------
    Progress or None
        What to tell; None where nobody looks.
    """
    if not is_terminal(sys.stderr):
        yield None
        return
    # Imported here, where it is drawn.
    from hatcher.api import ProgressBar

    with ProgressBar(what) as bar:
        yield bar
