#!/usr/bin/env python
"""Write the manual's reference of the command line, from the commands themselves.

::

    python -m scripts.cli_reference             write docs/command-line/reference.md
    python -m scripts.cli_reference --check     change nothing; fail if it is not up to date

``make cli-reference`` runs it. The words are those of ``--help``; environment variables, defaults
and the fields of the data are taken from where the command line takes them.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

import click

from hatcher.cli.data import Document, declared_by
from hatcher.cli.groups import DEFAULT_API_VERSION, Argument, walk
from hatcher.cli.refusals import ExitCode
from hatcher.cli.root import PROGRAM, VARIABLES, hatcher
from scripts.common import only_check, renew

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("docs/command-line/reference.md")
API_VERSIONS = (1, 0)

#: Of a line of code on a page.
WIDTH = 80

HEAD = """\
# Reference of the command line

Every command with its options; `make cli-reference` writes this page from what `--help` shows. How
to get things done with them is told [by tasks](index.md).

An environment variable stands in for an option that is not given: `HATCHER_URL` for `--url`, and
for an option of a command the names of both. A flag takes `1` or `0`. What is on the command
line counts first, then the environment, then the profile: see
[where settings come from](index.md#where-settings-come-from).

Where the two versions of Brood's API differ, both are shown; `--api-version` says which is meant,
and 1 is when nobody says.

Standard output is for data, standard error for everything else. A command that gives data takes
`--output`: `table` is for people, `json`, `jsonl` (a record on each line) and `csv` are for
programs, with the fields that stand here; `hatcher schema` shows them as JSON Schema.
"""

#: What the exit codes tell a script.
EXIT_CODES = {
    ExitCode.DONE: "All is done, or the answer to a question was no.",
    ExitCode.FAILED: "Something else went wrong.",
    ExitCode.USAGE: "The command cannot mean what it says; nothing was sent.",
    ExitCode.AUTHENTICATION: "The server does not know you, or does not let you.",
    ExitCode.NOT_FOUND: "There is no such thing, or not for you.",
    ExitCode.CONFLICT: "It is there already, or is not what it should be.",
    ExitCode.NETWORK: "The server could not be reached, or did not answer.",
    ExitCode.PARTIAL: "Some files of many arrived and others did not.",
    ExitCode.DIFFERENCES: "What was looked at is not as it should be.",
    ExitCode.INTERRUPTED: "Somebody pressed Ctrl-C.",
    ExitCode.READER_GONE: "Nobody reads standard output any more, as with `| head -1`.",
    ExitCode.TERMINATED: "It was told to end, as by `kill`.",
}


class Entry(NamedTuple):
    """A command, as it is in some versions of the API."""

    path: tuple[str, ...]
    context: click.Context
    api_versions: tuple[int, ...]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page; return the exit status."""
    check = only_check(arguments, __doc__)
    return renew(ROOT, PAGE, render(), "cli-reference", check=check)


def render() -> str:
    """Return the page."""
    root = root_context(DEFAULT_API_VERSION)
    parts = [
        HEAD,
        f"## {PROGRAM}\n",
        *_body(Entry((), root, API_VERSIONS)),
        "## Exit codes\n",
        _table(("code", "name", "what has happened"), _exit_codes()),
    ]
    for section, names in _sections().items():
        parts.append(f"## {section}\n")
        for name in names:
            parts += _chapter(name)
    return "\n".join(parts)


def _exit_codes() -> Iterator[tuple[str, ...]]:
    for code in ExitCode:
        yield f"`{int(code)}`", f"`{code.name.lower()}`", EXIT_CODES[code]


def root_context(api_version: int) -> click.Context:
    context = click.Context(hatcher, info_name=PROGRAM, auto_envvar_prefix=VARIABLES)
    context.params["api_version"] = str(api_version)
    return context


def _sections() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    for name, home in hatcher.homes.items():
        sections.setdefault(home.section, []).append(name)
    return sections


def _chapter(name: str) -> Iterator[str]:
    for entry in entries(name):
        level = "###" if len(entry.path) == 1 else "####"
        versions = "" if len(entry.api_versions) > 1 else f" (API version {entry.api_versions[0]})"
        yield f"{level} {PROGRAM} {' '.join(entry.path)}{versions}\n"
        yield from _body(entry)


def entries(name: str) -> list[Entry]:
    """Return a command of the root and all below it, each once unless the API makes two of it."""
    found: dict[tuple[str, ...], list[Entry]] = {}
    for version in API_VERSIONS:
        root = root_context(version)
        command = hatcher.get_command(root, name)
        for context in walk(click.Context(command, root, name)) if command is not None else ():
            path = tuple(context.command_path.split()[1:])
            known = found.setdefault(path, [])
            for number, entry in enumerate(known):
                # A group is the same, whatever commands it has in one of them.
                if entry.context.command is context.command:
                    known[number] = entry._replace(api_versions=(*entry.api_versions, version))
                    break
            else:
                known.append(Entry(path, context, (version,)))
    return [entry for path in sorted(found) for entry in found[path]]


def _body(entry: Entry) -> Iterator[str]:
    context, command = entry.context, entry.context.command
    words = [context.command_path, *command.collect_usage_pieces(context)]
    if not isinstance(command, click.Group) or not entry.path:
        whole = {"break_long_words": False, "break_on_hyphens": False}
        synopsis = textwrap.wrap(" ".join(words), WIDTH, subsequent_indent="    ", **whole)
        yield "\n".join(["```text", *synopsis, "```\n"])
    yield _prose(command.help or "")
    if examples := getattr(command, "examples", ()):
        yield "\n".join(["For example:\n", "```text", *examples, "```\n"])
    if positions := list(_arguments(context)):
        yield _table(("argument", "what it is"), positions)
    if options := list(_options(context)):
        yield _table(("option", "variable", "what it does"), options)
    declared = declared_by(command)
    if declared is None:
        return
    fields = [
        (f"`{field.key}`", " or ".join(_types(field.type)), _inline(field.heading))
        for field in declared.fields
    ]
    if isinstance(declared, Document):
        more = " and whatever else the server says" if not declared.as_row else ""
        yield f"Gives one record{' with these fields' if fields else ''}{more}.\n"
    else:
        yield "Gives a list of records with these fields.\n"
    if fields:
        yield _table(("field", "type", "heading"), fields)


def _types(kind: object) -> list[str]:
    return [kind] if isinstance(kind, str) else list(kind)  # type: ignore[call-overload]


def _arguments(context: click.Context) -> Iterator[tuple[str, ...]]:
    for param in context.command.params:
        if isinstance(param, Argument):
            pieces = " ".join(param.get_usage_pieces(context))
            yield f"`{pieces}`", _inline(param.explanation)


def _options(context: click.Context) -> Iterator[tuple[str, ...]]:
    for param in context.command.params:
        if not isinstance(param, click.Option) or param.hidden:
            continue
        both = filter(None, (param.opts, param.secondary_opts))
        flags = " / ".join(", ".join(f"`{flag}`" for flag in some) for some in both)
        if not param.is_flag and not param.count:
            flags += f" *{_escaped(param.make_metavar(context).strip('[]'))}*"
        variable = f"`{context.auto_envvar_prefix}_{(param.name or '').upper()}`"
        if not param.allow_from_autoenv or not param.expose_value:
            variable = ""
        if param.envvar:
            names = [param.envvar] if isinstance(param.envvar, str) else param.envvar
            variable = ", ".join(f"`{name}`" for name in names)
        words = _inline(param.help or "")
        if param.multiple and "repeated" not in words and "more than once" not in words:
            words += " May be given more than once."
        if default := _default(param):
            words += f" Default: {default}."
        yield flags, variable, words.strip()


def _default(param: click.Option) -> str:
    default = param.default
    if param.is_flag and param.secondary_opts:
        return f"`{(param.opts if default else param.secondary_opts)[0]}`"
    if isinstance(default, (list, tuple)):
        return ", ".join(f"`{one}`" for one in default)
    # Neither what nobody says, nor a flag that is off.
    known = isinstance(default, (str, int, float, Path)) and not isinstance(default, bool)
    return f"`{default}`" if known else ""


def _prose(text: str) -> str:
    """Turn help into Markdown: paragraphs stay, and those behind ``\\b`` keep their lines."""
    parts = []
    for paragraph in cleandoc(text).partition("\f")[0].split("\n\n"):
        if paragraph.startswith("\b"):
            lines = paragraph.removeprefix("\b").strip("\n")
            parts.append(f"```text\n{lines}\n```")
        else:
            parts.append(_inline(" ".join(paragraph.split())))
    return "\n\n".join(parts) + "\n"


_CODE = re.compile(
    r"(?<!\w)'(?P<quoted>[^']+)'(?!\w)"  # 'hatcher eggs upload'
    r"|(?<![\w-])(?P<option>--?[A-Za-z][\w-]*)"
    r"|\b(?P<variable>HATCHER_[A-Z_]+)"
    r"|(?P<path>~/[\w./-]+\w)"
)


def _inline(text: str) -> str:
    """Mark what is typed as code, and take nothing else for markup."""
    parts, end = [], 0
    for match in _CODE.finditer(text):
        code = next(filter(None, match.groups()))
        parts += [_escaped(text[end : match.start()]), f"`{code}`"]
        end = match.end()
    return "".join([*parts, _escaped(text[end:])])


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*<\[\]])", r"\\\1", text)


def _table(headings: tuple[str, ...], rows: object) -> str:
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * len(headings)]
    for row in rows:  # type: ignore[attr-defined]
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
