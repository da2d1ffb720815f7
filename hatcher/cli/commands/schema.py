"""`hatcher schema`: what a program finds in the data of a command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click
from click.shell_completion import CompletionItem

from hatcher.cli.data import Document, Emit, declared_by, emits, schema_of
from hatcher.cli.explaining import FAILURE
from hatcher.cli.groups import command, walk
from hatcher.cli.parameters import argument
from hatcher.cli.reporting import report_schema

#: What is not the data of one command, by the word for it.
_DOCUMENTS: Mapping[str, Callable[[], Mapping[str, Any]]] = {
    "error": lambda: schema_of("An error with --output json", FAILURE),
    "report": report_schema,
}


def _complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[CompletionItem]:
    below = _walked(ctx, ctx.params.get("command") or ())
    if not isinstance(below.command, click.Group):
        return []
    names = below.command.list_commands(below)
    if below.parent is None:
        names = sorted([*names, *_DOCUMENTS])
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@command("schema")
@argument(
    "command",
    "The words of a command, such as: eggs list",
    nargs=-1,
    shell_complete=_complete,
)
@emits(Document())
@click.pass_context
def schema(ctx: click.Context, command: tuple[str, ...], emit: Emit) -> None:
    """Show the JSON Schema of a command's data.

    COMMAND is a command, such as 'eggs list'; the schema is that of what it writes with --output
    json. With --output jsonl each line is one of a list's items. Of a group, or without COMMAND, it
    shows the schemas of all commands with data, by their names. 'error' stands for what --output json
    makes of an error: the last line on standard error; 'report' for the file of --report.

    \b
    For example:
    hatcher schema eggs list
    """
    if len(command) == 1 and command[0] in _DOCUMENTS:
        emit(_DOCUMENTS[command[0]]())
        return
    asked = _walked(ctx, command)
    if isinstance(asked.command, click.Group):
        emit(
            {
                at.command_path.partition(" ")[2]: schema_of(at.command_path, declared)
                for at in walk(asked)
                if (declared := declared_by(at.command)) is not None
            }
        )
        return
    declared = declared_by(asked.command)
    if declared is None:
        raise click.UsageError(f"'{asked.command_path}' gives no data, so it has no schema.", ctx)
    emit(schema_of(asked.command_path, declared))


def _walked(ctx: click.Context, names: tuple[str, ...]) -> click.Context:
    at = ctx.find_root()
    for name in names:
        if not isinstance(at.command, click.Group):
            raise click.UsageError(f"'{at.command_path}' has no commands below it.", ctx)
        _, command, _ = at.command.resolve_command(at, [name])
        assert command is not None
        at = click.Context(command, at, name)
    return at
