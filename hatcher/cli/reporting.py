"""`--report FILE`: what became of each file of a command, written whatever becomes of the command."""

from __future__ import annotations

import time
from collections import Counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import click

from hatcher.cli.data import Document, Field, Listing, Record, schema_of
from hatcher.cli.explaining import FAILURE, explain, failure_document
from hatcher.cli.groups import ENCLOSING
from hatcher.cli.plans import in_a_folder, write_json
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.terminal import say

if TYPE_CHECKING:
    from hatcher import api

_FORMAT, _VERSION = "hatcher report", 1

_REPORT = Document(
    (
        Field("format", "Format"),
        Field("version", "Version", "integer"),
        Field("command", "Command"),
        Field("started", "Started"),
        Field("seconds", "Seconds", "number"),
        Field("outcome", "Outcome"),
        Field("counts", "Files by outcome", "object"),
        Field("error", "Error", ("object", "null")),
        Field("problems", "Places that could not be read or written", "array"),
        Field("files", "Files", "array"),
    )
)

_FILES = Listing(
    (
        Field("file", "File"),
        Field("path", "Path"),
        Field("outcome", "Outcome"),
        Field("size", "Size", ("integer", "null")),
        Field("sha256", "SHA-256", ("string", "null")),
        Field("source", "Source", ("string", "null")),
        Field("target", "Target", ("string", "null")),
        Field("server", "Server", ("string", "null")),
        Field("attempts", "Attempts", "integer"),
        Field("seconds", "Seconds", "number"),
        Field("error", "Error", ("object", "null")),
    )
)

#: Outcomes that are a replacement where something else was there.
_REPLACING = ("uploaded", "downloaded")


def report_schema() -> Record:
    """Return the JSON Schema of a report."""
    schema = schema_of("The file of --report", _REPORT)
    error = {"anyOf": [FAILURE.schema(), {"type": "null"}]}
    files = _FILES.schema()
    files["items"]["properties"]["error"] = error
    of_error = {"type": "object", "properties": {"place": {"type": "string"}, "error": error}}
    outcomes = {"enum": ["done", "failed", "interrupted"]}
    schema["properties"] |= {
        "outcome": outcomes,
        "error": error,
        "problems": {"type": "array", "items": of_error},
        "files": files,
    }
    return schema


def _open(ctx: click.Context, param: click.Parameter, path: str | None) -> None:
    if path is not None and path.strip() in ("", "-"):
        raise click.BadParameter(
            "Give the name of a file; standard output is for data.", ctx, param
        )
    if in_a_folder(ctx, param, path) is not None and not ctx.resilient_parsing:
        ctx.meta[ENCLOSING] = Reporting(str(path), ctx)


#: Gives a command the option.
report_option = click.option(
    "--report",
    type=click.Path(dir_okay=False, writable=True),
    metavar="FILE",
    expose_value=False,
    callback=_open,
    help="Write into this file, as JSON, what became of each file; see 'hatcher schema report'.",
)


def note_batch(batch: api.BatchReport) -> None:
    """Let the report of the running command, if there is to be one, be that of a batch."""
    reporting = click.get_current_context().meta.get(ENCLOSING)
    if reporting is not None:
        reporting.batch = batch


class Reporting:
    """Encloses the run of a command, and writes its report at the end, also when it fails.

    Parameters
    ----------
    path : str
        Of the file, which appears whole or stays as it is.
    ctx : click.Context
        Of the command.

    Attributes
    ----------
    batch : BatchReport or None
        What has become of the files, as soon as somebody says.
    """

    def __init__(self, path: str, ctx: click.Context) -> None:
        self._path = path
        self._ctx = ctx
        self.batch: api.BatchReport | None = None

    def __enter__(self) -> Self:
        self._started, self._begin = time.time(), time.monotonic()
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None
    ) -> None:
        is_right = error is None or getattr(error, "exit_code", None) == 0
        try:
            write_json(self._path, self._document(None if is_right else error))
        except Exception as failure:
            if is_right:
                raise
            say(f"The report could not be written: {explain(failure, self._ctx).what}", "red")

    def _document(self, error: BaseException | None) -> dict[str, Any]:
        batch = self.batch or getattr(error, "report", None)
        results = () if batch is None else batch.results
        files = [self._record(result) for result in results]
        told = None if error is None else self._error(error)
        code = 0 if told is None else told["code"]
        is_interrupted = code in (ExitCode.INTERRUPTED, ExitCode.TERMINATED)
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "command": self._ctx.command_path.partition(" ")[2],
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._started)),
            "seconds": round(time.monotonic() - self._begin, 3),
            "outcome": "interrupted" if is_interrupted else "failed" if code else "done",
            "counts": Counter(record["outcome"] for record in files),
            "error": told,
            "problems": [
                {"place": problem.place, "error": self._error(problem.error)}
                for problem in getattr(batch, "problems", ())
            ],
            "files": files,
        }

    def _error(self, error: BaseException) -> dict[str, Any]:
        if isinstance(error, click.exceptions.Exit):  # which has been told
            words = "See what the command has said on standard error."
            error = Refusal(words, "", ExitCode(error.exit_code))
        return failure_document(error, self._ctx)

    def _record(self, result: api.FileResult) -> dict[str, Any]:
        facts, outcome = result.facts, str(result.outcome)
        return {
            "file": result.name,
            "path": str(result.path),
            "outcome": "replaced" if facts.replaced and outcome in _REPLACING else outcome,
            "size": result.size,
            "sha256": facts.sha256,
            "source": facts.source,
            "target": facts.target,
            "server": facts.server,
            "attempts": facts.attempts,
            "seconds": round(facts.seconds, 3),
            "error": None if result.error is None else self._error(result.error),
        }
