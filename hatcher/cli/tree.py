"""`--command-tree`: every command with its arguments, at a glance."""

from __future__ import annotations

from collections.abc import Iterator

import click

_INDENT = 4


def command_tree(ctx: click.Context) -> str:
    """Return the tree of commands below a context's command.

    Parameters
    ----------
    ctx : click.Context
    """
    lines = list(_lines(ctx, 0))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}   {usage}".rstrip() for name, usage in lines)


def _lines(ctx: click.Context, depth: int) -> Iterator[tuple[str, str]]:
    command = ctx.command
    indented = " " * _INDENT * depth + (ctx.info_name or "")
    if not isinstance(command, click.Group):
        yield indented, " ".join(command.collect_usage_pieces(ctx))
        return
    yield indented, ""
    for name in command.list_commands(ctx):
        below = command.get_command(ctx, name)
        if below is not None:
            yield from _lines(click.Context(below, ctx, name), depth + 1)
