"""Options of the root behind a command: what ``hatcher eggs list … --url X`` means.

An option of the command's own has precedence, so that ``export … -p PLATFORM`` is no password: the
letters of the root's options stand before the command, except those of `_LETTERS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import click

from hatcher.cli.groups import Group

#: The options of a letter that are taken behind a command, too.
_LETTERS = frozenset({"-o", "-q", "-v"})


class Arranged(NamedTuple):
    """A command line, with the options of the root first.

    Attributes
    ----------
    first : list of str
        The options of the root, wherever they stood.
    rest : list of str
        The command, and what is its own.
    unfinished : list of str
        The last word, when it is an option of the root that lacks its value.
    """

    first: list[str]
    rest: list[str]
    unfinished: list[str]


def arranged(root: click.Command, words: list[str]) -> Arranged:
    """Put the options of the root first that stand behind a command."""
    of_root = {
        name: option
        for name, option in options_of(root).items()
        if name.startswith("--") or name in _LETTERS
    }
    command, own = root, options_of(root)
    first: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word == "--":
            break
        count, is_own = _length(word, own), True
        if command is not root and not count:
            count, is_own = _length(word, of_root), False
        if not count and not word.startswith("-") and isinstance(command, Group):
            below = command.of_any_version(word)
            if below is None:
                break
            command, own = below, options_of(below)
        if count and not is_own and at + count > len(words):
            return Arranged(first, rest, [word])
        goes_first = command is root or (count and not is_own)
        (first if goes_first else rest).extend(words[at : at + (count or 1)])
        at += count or 1
    return Arranged(first, rest + words[at:], [])


def options_of(command: click.Command) -> Mapping[str, click.Option]:
    """Return the options of a command, by each of their names."""
    return {
        name: param
        for param in command.params
        if isinstance(param, click.Option)
        for name in (*param.opts, *param.secondary_opts)
    }


def _length(word: str, options: Mapping[str, click.Option]) -> int:
    """Return how many words an option takes that begins with this one; 0 if it is none of them."""
    if word.startswith("--"):
        name, has_value, _ = word.partition("=")
        option = options.get(name)
        return 0 if option is None else 1 if has_value or not _takes_value(option) else 2
    for at, letter in enumerate(word[1:], 2) if word.startswith("-") else ():
        option = options.get(f"-{letter}")
        if option is None:
            return 0 if at == 2 else 1
        if _takes_value(option):
            return 2 if at == len(word) else 1
    return 1 if word.startswith("-") and len(word) > 1 else 0


def _takes_value(option: click.Option) -> bool:
    return not option.is_flag and not option.count
