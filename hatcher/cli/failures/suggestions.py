"""What may have been meant by an argument of a command that the server does not know."""

from __future__ import annotations

from collections.abc import Collection

import click

from hatcher.errors import MissingName

#: The graph has looked at these by itself, each time that something was not found.
LOOKED_AT = frozenset({"organization", "repository", "platform"})


def missing_in(ctx: click.Context, looked_at: Collection[str] = LOOKED_AT) -> MissingName | None:
    """Return the first argument of a command that the server does not know.

    It asks as the completion of shells does: as far as that is quick, and without a word when
    it fails.

    Parameters
    ----------
    ctx : click.Context
        Of a command for which something was not found.
    looked_at : collection of str, default those that the graph looks at
        The arguments that are known to be right, or wrong.

    Returns
    -------
    MissingName or None
        None when all are known, or nobody can tell.
    """
    # Imported here, for commands that found nothing.
    from hatcher.cli.completion.names import names_for

    for parameter in ctx.command.params:
        name = parameter.name or ""
        value = ctx.params.get(name)
        is_asked = isinstance(parameter, click.Argument) and name not in looked_at
        if not is_asked or not isinstance(value, str):
            continue
        if name == "python_tag" and value.lower() == "none":  # which no list names
            continue
        known = names_for(ctx, name)
        if known and value not in known:
            alike = _alike(value, known)
            if name == "name":  # pkg1 and pkg2 are two packages, and no slip of the pen
                alike = tuple(other for other in alike if _letters(other) != _letters(value))
            return MissingName(name.replace("_", " "), value, alike)
    return None


def _letters(name: str) -> str:
    return "".join(character for character in name if not character.isdigit())


def _alike(name: str, known: list[str]) -> tuple[str, ...]:
    from difflib import get_close_matches

    return tuple(get_close_matches(name, known))
