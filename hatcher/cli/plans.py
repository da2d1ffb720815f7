"""What commands that plan share: plans in files, limits, and what is to be said of problems."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatcher.cli.data import as_json
from hatcher.cli.explaining import explain
from hatcher.cli.parameters import Decorator
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.terminal import say, write

if TYPE_CHECKING:
    from hatcher.core.places import Problem

#: Findings and problems that are told one by one; there may be thousands.
MOST_NAMED = 50


def most_deletes(refused: str) -> Decorator:
    """Give a command the limit of what it may delete."""
    return click.option(
        "--max-deletes",
        type=click.IntRange(min=0),
        metavar="NUMBER",
        help=f"{refused}; a tenth of what is there when not given, but at least 10.",
    )


def in_a_folder(ctx: click.Context, param: click.Parameter, path: str | None) -> str | None:
    """Return a file that is to be written, whose folder is there: known before anything is asked."""
    if path is not None and not Path(path).parent.is_dir():
        raise click.BadParameter(f"There is no folder '{Path(path).parent}'.", ctx, param)
    return path


def saving(help: str) -> Decorator:
    """Give a command the option that names a file to write what it says into."""
    return click.option(
        "--save",
        type=click.Path(dir_okay=False, writable=True),
        callback=in_a_folder,
        metavar="FILE",
        help=help,
    )


def write_json(path: str, document: dict[str, Any]) -> None:
    """Write a document into a file, which appears whole or not at all; ``-`` is standard output."""
    from hatcher.files.atomic import replacing

    text = as_json(document, indent=1) + "\n"
    if path == "-":
        write(text)
        return
    with replacing(Path(path).resolve()) as partial:
        partial.write(text.encode())


def read_plan(path: str, format: str, maker: str) -> dict[str, Any]:
    """Return a plan that a command has kept.

    Parameters
    ----------
    path : str
    format : str
        What plans of this kind say that they are.
    maker : str
        The command that makes them, such as ``mirror plan``.

    Raises
    ------
    Refusal
        It is no such plan.
    """
    import json

    hint = f"Make one with: hatcher {maker} --save FILE"
    try:
        document = json.loads(Path(path).read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refusal(f"'{path}' is no plan: {error}.", hint) from error
    if not isinstance(document, dict) or document.get("format") != format:
        raise Refusal(f"'{path}' is no plan.", hint)
    return document


def raise_for(problems: Sequence[Problem], summary: str) -> None:
    """End the command when there is something of which nobody knows, or that is in the way."""
    if not problems:
        return
    told = [explain(problem.error, click.get_current_context()) for problem in problems]
    for problem, failure in zip(problems[:MOST_NAMED], told, strict=False):
        say(f"problem: {problem.place}: {failure.what}", always=True)
    if len(problems) > MOST_NAMED:
        say(f"and {len(problems) - MOST_NAMED:,} more", always=True)
    hints = {failure.hint for failure in told}
    raise Refusal(
        f"{summary}; {len(problems):,} problem{'' if len(problems) == 1 else 's'}.",
        hints.pop() if len(hints) == 1 else "Solve these problems, and run the same command again.",
        ExitCode.PARTIAL,
    )
