"""Files on their way: which ones, how far they are, and what became of them."""

from __future__ import annotations

import codecs
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from hatcher.cli.data import SIZE, Emit, Field, Listing, emits
from hatcher.cli.explaining import OPTIONS, explain
from hatcher.cli.parameters import (
    Decorator,
    argument,
    assume_yes,
    choices,
    dry_run,
    flag,
    missing_ok,
    together,
)
from hatcher.cli.reporting import note_batch, report_option
from hatcher.cli.terminal import confirm, is_terminal, is_wanted, say
from hatcher.errors import BatchInterrupted, NotFoundError
from hatcher.sizes import human_size

if TYPE_CHECKING:
    from hatcher import api
    from hatcher.core.local import LocalArtefact

    _Deletable: TypeAlias = (
        api.Egg | api.Runtime | api.Bundle | api.Repository | api.Team | api.User
    )

#: What a command gives that moves files: a record for each of them.
TRANSFERS = Listing(
    (
        Field("file", "File"),
        Field("outcome", "Outcome"),
        SIZE,
        Field("path", "Path"),
        Field("error", "Error", ("string", "null")),
    )
)

#: Seconds between two lines that say how far it is, where there is no terminal.
LINE_EVERY = 10.0

#: The argument that stands for a list of files on standard input.
_STDIN = "-"

# -- parameters --------------------------------------------------------------------------

force = flag("--force", help="Replace what is there with other content.")

verify = click.option(
    "--verify/--no-verify",
    default=False,
    help="Ask first what the server has, and send nothing when it has the file.",
)

concurrency = click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    metavar="NUMBER",
    help="How many files at once at most; 64 when it is not given.",
)

#: What every command takes that moves many files.
batching = together(concurrency, report_option)

cache = flag(
    "--cache",
    help="Keep what is received for the next time, and look there first: see 'hatcher cache'.",
)

_names = choices(
    "--name",
    "names",
    metavar="PATTERN",
    help="Only files called so, such as 'numpy-*'; may be repeated.",
)

filename = argument("filename", "The file to upload.", "file")

_destination = argument(
    "destination",
    "A folder that exists; the current one when it is left out.",
    required=False,
    default=None,
    type=click.Path(exists=True, file_okay=False, writable=True),
)

_connections = click.option(
    "--connections",
    type=click.IntRange(1, 16),
    metavar="NUMBER",
    help="How many connections for one large file; 1 when it is not given.",
)

#: What ends the parameters of every command that moves files.
moving = together(dry_run, emits(TRANSFERS))

#: The parameters of commands that download one file, many, and many documents.
downloading = together(_destination, _connections, moving)
downloading_many = together(_destination, _names, batching, _connections, moving)
saving_many = together(_destination, _names, batching, moving)


def uploading(*more: Decorator) -> Decorator:
    """Give a command the parameters of an upload, with some more before the usual ones."""
    return together(force, *more, moving)


def files(name: str, *patterns: str) -> Decorator:
    """Give a command any number of files.

    A folder stands for all files in it that are called like one of the patterns, and ``-`` for a
    list on standard input, one file in each line.

    Parameters
    ----------
    name : str
        Of the argument.
    *patterns : str
        Such as ``*.egg``.
    """

    def expanded(
        ctx: click.Context, param: click.Parameter, given: Sequence[str]
    ) -> tuple[str, ...]:
        if ctx.resilient_parsing:
            return tuple(given)
        found = (_expanded(path, patterns, ctx, param) for path in given)
        return tuple(dict.fromkeys(chain.from_iterable(found)))

    return argument(
        name,
        f"Files, folders with {name} in them, or - for a list on stdin.",
        nargs=-1,
        type=click.Path(exists=True, allow_dash=True),
        callback=expanded,
    )


def _listed() -> list[str]:
    """Return the lines on standard input."""
    # As bytes: names of files need not be text in the terminal's encoding.
    lines = sys.stdin.buffer.read().removeprefix(codecs.BOM_UTF8).splitlines()
    return [os.fsdecode(line) for line in lines if line.strip()]


def _expanded(
    path: str, patterns: tuple[str, ...], ctx: click.Context, param: click.Parameter
) -> Iterable[str]:
    if path == _STDIN:
        return _listed()
    if not os.path.isdir(path):  # noqa: PTH112 - paths stay as they were written
        return [path]
    inside = sorted(os.listdir(path))  # noqa: PTH208
    matching = [name for name in inside if any(fnmatchcase(name, like) for like in patterns)]
    if not matching:
        called = " or ".join(patterns)
        raise click.BadParameter(f"There is no {called} in the folder '{path}'.", ctx, param)
    return [os.path.join(path, name) for name in matching]  # noqa: PTH118


# -- one file ----------------------------------------------------------------------------


def upload(
    place: object,
    filename: str,
    read: Callable[[str], LocalArtefact],
    rehearse: Callable[..., api.BatchReport],
    *,
    dry_run: bool,
    emit: Emit,
    **options: Any,
) -> None:
    """Upload a file, and say what became of it.

    Parameters
    ----------
    place : object
        Where it goes to; its text is for people.
    filename : str
    read : callable
        Returns the artefact that a file holds.
    rehearse : callable
        Sends many, and so can say what sending this one would do.
    dry_run : bool
        Only say that.
    emit : Emit
        Of `TRANSFERS`.
    **options
        Of the upload, as the command line has them.
    """
    path, given = Path(filename), as_python(options)
    if dry_run:
        given.pop("verify", None)  # what the server has is looked at anyway
        (result,) = rehearse([filename], dry_run=True, **given).results
        if result.error is not None:
            raise result.error
        tell(emit, path, place, result.outcome)
        return
    with progress_bar(path.name) as bar:
        is_new = read(filename).upload(progress=bar, **given)
    tell(emit, path, place, "uploaded" if is_new else "already there")


def download(
    artefact: api.Egg | api.Runtime,
    destination: str | None,
    connections: int | None,
    dry_run: bool,
    emit: Emit,
) -> None:
    """Download an artefact into a folder, and say what became of it.

    Parameters
    ----------
    artefact : Egg or Runtime
    destination : str or None
        An existing folder; None is the current one.
    connections : int or None
        How many to receive a large file over at most.
    dry_run : bool
        Only say what would be done.
    emit : Emit
        Of `TRANSFERS`.
    """
    folder = Path(destination or os.curdir)
    said: dict[str, Any] = {}

    def ask() -> str:
        # Asked for here, so that the file's name is known, and not again by the download.
        said.update(artefact.metadata())
        return artefact._sha256_in(said)

    if dry_run:
        from hatcher.transfer.hashing import file_sha256

        sha256, target = ask(), folder / (artefact._filename_in(said) or "")
        there = target.is_file() and file_sha256(target) == sha256
        tell(emit, target, folder, "already there" if there else "would download", said)
        return
    fetch = artefact._begin(folder, ask, connections=connections)
    filename = artefact._filename_in(said)
    target = folder / (filename or "")
    before = _identity(target)
    with progress_bar(target.name) as bar:
        fetch.run(filename or artefact._is_called, bar)
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
    """Say what became of a file, whose size stands in what the server has said of it, if anything."""
    color = None if outcome.startswith("would") else "green"
    say(_SENTENCES[outcome].format(file=path.name, path=path, place=place), color)
    # For people this says it all; programs want it in their own way.
    if emit.is_chosen:
        size = path.stat().st_size if said is None else said.get("size")
        emit([{"file": path.name, "outcome": outcome, "size": size, "path": str(path)}])


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_mtime_ns


# -- many files --------------------------------------------------------------------------


def as_python(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options of a command as arguments in Python; without names all are meant."""
    names = {option: name for name, option in OPTIONS.items()}
    given = {names.get(key, key): value if value != () else None for key, value in options.items()}
    if "cache" in given:
        from hatcher.mirror import Cache

        given["cache"] = Cache() if given["cache"] else None
    return given


def names_from(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    """Return names as they were given; those on standard input for ``-``."""
    if ctx.resilient_parsing or _STDIN not in given:
        return tuple(given)
    return tuple(chain.from_iterable(_listed() if name == _STDIN else [name] for name in given))


def batch(
    what: str,
    move: Callable[..., api.BatchReport],
    *args: object,
    emit: Emit,
    skipped: Sequence[api.FileResult] = (),
    **options: Any,
) -> None:
    """Move many files, and say what became of each.

    Parameters
    ----------
    what : str
        What stands before the progress bar.
    move : callable
        Moves them, given ``progress``.
    *args
        Of it.
    emit : Emit
        Of `TRANSFERS`.
    skipped : sequence of FileResult
        What need not even be looked at; see `emit_results`.
    **options
        Of it, as the command line has them.

    Raises
    ------
    BatchError
        One of them failed; that is told, and the others are done.
    """
    try:
        with progress_bar(what) as bar:
            report = move(*args, progress=bar, **as_python(options))
    except BatchInterrupted as stop:
        note_batch(stop.report)
        emit_results(stop.report.results, emit)
        say(f"{stop.report}\nThe same command again goes on where this one ended.", always=True)
        raise
    note_batch(report)
    emit_results(report.results, emit, skipped)
    # What failed is said once, with the summary, by whoever tells errors.
    report.raise_for_failures()
    say(str(report), "green")


#: What people need not see of each file: nothing has changed, or it is said once for all.
_UNCHANGED = {"already there", "already gone", "not tried"}


def emit_results(
    results: Sequence[api.FileResult], emit: Emit, skipped: Sequence[api.FileResult] = ()
) -> None:
    """Write what became of each file: for people, what changes.

    With ``--verbose`` they see all, and what was skipped, too.
    """
    told = results
    if emit.is_for_people:
        told = [*results, *skipped]
        if not is_wanted("verbose"):
            told = [result for result in results if result.outcome not in _UNCHANGED]
    if told or not emit.is_for_people or not results:
        emit(map(_record, told))


def _record(result: api.FileResult) -> dict[str, Any]:
    return {
        "file": result.name,
        "outcome": result.outcome,
        "size": result.size,
        "path": str(result.path),
        "error": None if result.error is None else explain(result.error).what,
    }


# -- deleting ----------------------------------------------------------------------------


def deleting(force: str = "Delete it even where the server would keep it.") -> Decorator:
    """Give a command the parameters of a deletion; ``--force`` has this help."""
    return together(flag("--force", help=force), missing_ok, assume_yes, dry_run)


def delete(
    thing: _Deletable,
    what: str,
    *,
    force: bool,
    missing_ok: bool,
    assume_yes: bool,
    dry_run: bool,
) -> None:
    """Delete something from the server: said before, asked for, said after.

    Parameters
    ----------
    thing : Egg, Runtime, Bundle, Repository, Team or User
    what : str
        What it is called, such as ``the egg {name}-{version} ({python_tag}) of {place}``: with the
        arguments of the command, whose ``place`` is where they lead.
    force : bool
        Also where the server would rather keep it.
    missing_ok : bool
        Be content when it is not there.
    assume_yes : bool
        Do not ask.
    dry_run : bool
        Only look whether it is there.
    """
    named = click.get_current_context().params
    path = [named[step] for step in ("organization", "repository", "platform") if step in named]
    what = what.format(place="/".join(path), **named)
    gone = f"There is no {what.removeprefix('the ')}."
    if dry_run:
        try:
            thing.metadata()
        except NotFoundError as error:
            if not missing_ok or error.missing is not None:
                raise
            say(gone)
            return
        say(f"Would delete {what}.")
        return
    confirm(f"{what[0].upper()}{what[1:]} will be deleted. Go on?", assume_yes=assume_yes)
    remove(partial(thing.delete, force), f"Deleted {what}.", gone, missing_ok=missing_ok)


def remove(delete: Callable[..., None], done: str, gone: str, *, missing_ok: bool) -> None:
    """Delete something, and say so; or that it is not there, where that will do.

    Parameters
    ----------
    delete : callable
        Takes ``missing_ok``.
    done, gone : str
        What is said then.
    missing_ok : bool
        Be content when it is not there.
    """
    try:
        delete(missing_ok=False)
    except NotFoundError:
        if not missing_ok:
            raise
        delete(missing_ok=True)  # raises where nobody can say that it is gone
        say(gone)
    else:
        say(done, "green")


# -- progress ----------------------------------------------------------------------------


@contextmanager
def progress_bar(what: str) -> Iterator[api.Progress | None]:
    """Show how far it is: a bar in a terminal, and elsewhere a line now and then.

    Parameters
    ----------
    what : str
        What stands before it.

    Yields
    ------
    Progress or None
        What to tell; None with ``--quiet``.
    """
    if is_wanted("quiet"):
        yield None
        return
    if not is_terminal(sys.stderr):
        yield _ProgressLines(what)
        return
    # Imported here, where it is drawn.
    from hatcher.api import ProgressBar

    with ProgressBar(what) as bar:
        yield bar


class _ProgressLines:
    """Says how far a long call is, a line now and then: for logs, which no bar can be drawn in."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._begin: tuple[str, int, float] = ("", 0, 0.0)
        self._due = time.monotonic() + LINE_EVERY

    def __call__(self, done: int, total: int | None, phase: api.Phase) -> None:
        """Say so many bytes, when it is time for that."""
        now = time.monotonic()
        if phase != self._begin[0] or done < self._begin[1]:
            self._begin = phase, done, now
        if now < self._due:
            return
        self._due = now + LINE_EVERY
        _, before, since = self._begin
        speed = f", {human_size(int((done - before) / (now - since)))}/s" if now > since else ""
        share = f" of {human_size(total)} ({100 * done // total} %)" if total else ""
        say(f"{self._what} {phase}: {human_size(done)}{share}{speed}")
