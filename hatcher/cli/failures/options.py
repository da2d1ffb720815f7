"""Python's words in a message, as the options of the command that failed."""

from __future__ import annotations

import re
from collections.abc import Mapping

import click

#: ``overwrite=True``, ``max_deletes=300`` or ``the `filename` argument``.
_SPOKEN = re.compile(
    r"(?:\bthe `(?P<named>\w+)` argument|\b(?P<name>[a-z_]+)=(?P<value>\w+(?:[.-]\w+)*))"
)

#: What commands call otherwise than Python does.
_OPTIONS: Mapping[str, str] = {"overwrite": "force"}

_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z'])")


def as_options(text: str, ctx: click.Context | None) -> str:
    """Return a message with options for Python's arguments; without those a command lacks."""
    if ctx is None or not _SPOKEN.search(text):
        return text
    return " ".join(filter(None, (_said(sentence, ctx) for sentence in _SENTENCE.split(text))))


def _said(sentence: str, ctx: click.Context) -> str:
    while (found := _SPOKEN.search(sentence)) is not None:
        name = found["named"] or found["name"]
        option = _option(name, ctx) or _option(_OPTIONS.get(name, ""), ctx)
        if option is None:
            # An alternative that there is not; the rest of the sentence may still hold.
            rest = sentence[: found.start()].rpartition(", or ")[0]
            return f"{rest}." if rest else ""
        value = "" if found["value"] in (None, "True") else f" {found['value']}"
        sentence = f"{sentence[: found.start()]}{option}{value}{sentence[found.end() :]}"
    return sentence


def _option(name: str, ctx: click.Context) -> str | None:
    for parameter in (*ctx.command.params, *ctx.find_root().command.params):
        if parameter.name == name and isinstance(parameter, click.Option):
            return parameter.opts[0]
    return None
