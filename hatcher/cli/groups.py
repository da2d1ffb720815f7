"""Commands and groups: their arguments, the versions of the API that have them, their modules."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from importlib import import_module
from inspect import cleandoc
from itertools import takewhile
from typing import Any, NamedTuple

import click

from hatcher.suggestions import alike, question

#: The versions of the API that a command works with, unless it says otherwise.
ALL_API_VERSIONS = (0, 1)

#: What `--api-version` is when nobody says.
DEFAULT_API_VERSION = 1

#: As many retries as make sense; more are a slip.
MOST_RETRIES = 100

#: Where a context keeps, for all contexts of a run, that of the command that is run.
RUNNING = "hatcher.cli.running"

#: Where it keeps what the run of the command is enclosed by, if by anything.
ENCLOSING = "hatcher.cli.enclosing"

#: What names files, which may be called by any bytes.
_PATHS = frozenset({"file", "sides"})

#: How the last paragraph of a command's docstring begins: its examples, a line each.
_EXAMPLES = "\b\nFor example:\n"

#: What leads to a place, in this order.
_STEPS = ("organization", "repository", "platform")

#: What Python makes of bytes that are no text.
_SURROGATE = re.compile("[\ud800-\udfff]")


def api_version_of(ctx: click.Context) -> int:
    """Return the version of the API that was asked for, of any context."""
    return int(ctx.find_root().params.get("api_version") or DEFAULT_API_VERSION)


class Argument(click.Argument):
    """An argument with a line of help.

    Parameters
    ----------
    *args, **options
        Of `click.Argument`.
    explanation : str
    names : str or None
        Which names a shell is offered for it: a question of `hatcher.cli.names`,
        'file', or None where only the user knows.
    """

    def __init__(self, *args: Any, explanation: str, names: str | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.explanation = explanation
        self.names = names


def check_texts(ctx: click.Context) -> None:
    """Refuse arguments and options that hold bytes which are no text, and name no file.

    Raises
    ------
    click.BadParameter
        It names what is wrong, and does not show it: it may be a password.
    """
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name or "")
        texts = value if isinstance(value, tuple) else (value,)
        if not any(_SURROGATE.search(text) for text in texts if isinstance(text, str)):
            continue
        is_path = isinstance(parameter.type, click.Path) or (
            isinstance(parameter, Argument) and parameter.names in _PATHS
        )
        if not is_path and not ctx.resilient_parsing:
            raise click.BadParameter("It holds bytes that are no text.", ctx, parameter)


class _Exemplary(click.Command):
    """A command whose help ends with the examples that its docstring ends with.

    Attributes
    ----------
    examples : list of str
        Command lines.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        text, _, examples = cleandoc(self.help or "").partition(_EXAMPLES)
        self.help = text.rstrip()
        self.examples = examples.splitlines()

    def examples_of(self, ctx: click.Context) -> Sequence[str]:
        """Return the command lines that its help shows."""
        return self.examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what belongs at the end, and then the examples."""
        super().format_epilog(ctx, formatter)
        if examples := self.examples_of(ctx):
            with formatter.section("For example"):
                formatter.write("".join(f"  {example}\n" for example in examples))


def place_of(command: click.Command) -> list[Argument]:
    """Return the arguments with which a command begins that lead to a place."""
    arguments = [param for param in command.params if isinstance(param, Argument)]
    steps = takewhile(lambda pair: pair[0].name == pair[1], zip(arguments, _STEPS, strict=False))
    return [argument for argument, _ in steps]


def parts_of_place(ctx: click.Context, steps: Sequence[Argument], words: list[str]) -> list[str]:
    """Return the words of a command with a place among them taken apart.

    Raises
    ------
    click.BadParameter
        What stands for the place is none.
    """
    parts: list[str] = []
    for number, word in enumerate(words):
        if len(parts) >= len(steps):
            return parts + words[number:]
        step = steps[len(parts)]
        inside = word.split("/") if len(steps) > 1 else [word]
        too_many = len(parts) + len(inside) > len(steps)
        if len(inside) > 1 and (too_many or not all(inside)) and not ctx.resilient_parsing:
            form = "/".join(str(each.name).upper() for each in steps)
            raise click.BadParameter(f"'{word}' is no part of {form}.", ctx, step)
        parts += inside
    return parts


class BelowRoot(_Exemplary):
    """A command or group that takes the options of the root, too; see `hatcher.cli.anywhere`."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and that there are those of the root."""
        super().format_options(ctx, formatter)
        if ctx.parent is not None:
            formatter.write_paragraph()
            formatter.write_text(
                "Options of hatcher itself (--url, --profile, --timeout, --quiet, …) may stand here, "
                "too: see 'hatcher --help'."
            )

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        """Offer the options of the root, when one has been begun."""
        found = super().shell_complete(ctx, incomplete)
        if ctx.parent is None or len(incomplete) < 3 or not incomplete.startswith("--"):
            return found
        from click.shell_completion import CompletionItem

        offered = {item.value for item in found}
        root = ctx.find_root().command
        names = (name for param in root.params for name in param.opts if name not in offered)
        return found + [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Command(BelowRoot):
    """A command whose help says what its arguments are, and whose places may be one word."""

    def make_parser(self, ctx: click.Context) -> Any:
        """Make the parser, which takes ``acme/dev`` for ``acme dev``."""
        parser = super().make_parser(ctx)
        parse = parser.parse_args

        def parse_args(args: list[str]) -> Any:
            try:
                opts, rest, order = parse(args)
            except click.NoSuchOption as error:
                if error.possibilities:
                    raise
                names = (name for param in ctx.find_root().command.params for name in param.opts)
                meant = list(alike(error.option_name, names))
                raise click.NoSuchOption(error.option_name, None, meant, ctx) from None
            return opts, self._divided(ctx, opts, rest), order

        parser.parse_args = parse_args  # type: ignore[method-assign]
        return parser

    def _divided(self, ctx: click.Context, opts: dict[str, Any], rest: list[str]) -> list[str]:
        """Put each part of a place where it belongs; return the words that are too many."""
        steps = place_of(self)
        arguments = [param for param in self.params if isinstance(param, click.Argument)]
        words: list[str] = []
        for argument in arguments:
            value = opts.get(argument.name or "")
            words += [value] if isinstance(value, str) else value if type(value) is tuple else []
        words += rest
        taken = parts_of_place(ctx, steps, words)
        if taken == words:
            return rest
        for argument in arguments:
            count = len(taken) if argument.nargs == -1 else 1
            given, taken = taken[:count], taken[count:]
            if given:
                opts[argument.name or ""] = tuple(given) if argument.nargs == -1 else given[0]
        return taken

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the arguments, and then the options."""
        rows = [
            (" ".join(parameter.get_usage_pieces(ctx)), parameter.explanation)
            for parameter in self.get_params(ctx)
            if isinstance(parameter, Argument)
        ]
        if rows:
            with formatter.section("Arguments"):
                formatter.write_dl(rows)
        super().format_options(ctx, formatter)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the arguments apart, and refuse what is no text."""
        rest = super().parse_args(ctx, args)
        check_texts(ctx)
        return rest

    def invoke(self, ctx: click.Context) -> Any:
        """Run it, and let those who tell errors know which command it was."""
        ctx.meta[RUNNING] = ctx
        with ctx.meta.get(ENCLOSING) or nullcontext():
            return super().invoke(ctx)


class Group(BelowRoot, click.Group):
    """A group whose commands may differ between the versions of the API."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._of_version: dict[int, dict[str, click.Command]] = {}

    def command(  # type: ignore[override]
        self,
        name: str,
        *,
        cls: type[click.Command] = Command,
        api_versions: Sequence[int] = ALL_API_VERSIONS,
        **options: Any,
    ) -> Callable[[Callable[..., Any]], click.Command]:
        """Make a command of a function, in some versions of the API."""

        def decorate(function: Callable[..., Any]) -> click.Command:
            made = click.command(name, cls=cls, **options)(function)
            for version in api_versions:
                self._of_version.setdefault(version, {})[name] = made
            return made

        return decorate

    def group(self, name: str) -> Callable[[Callable[..., Any]], Group]:  # type: ignore[override]
        """Make a group of a function, below this one."""
        return self.command(name, cls=Group)  # type: ignore[return-value]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands of the API's version."""
        return sorted(self._of_version.get(api_version_of(ctx), ()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the API's version by its name."""
        return self._of_version.get(api_version_of(ctx), {}).get(cmd_name)

    def examples_of(self, ctx: click.Context) -> Sequence[str]:
        """Return its own examples, or else the first one of each command."""
        if self.examples:  # those of the root, whose commands are not to be imported for them
            return self.examples
        commands = [self.get_command(ctx, name) for name in self.list_commands(ctx)]
        below = [one.examples_of(ctx)[:1] for one in commands if isinstance(one, _Exemplary)]
        return [example for first in below for example in first]

    def of_any_version(self, name: str) -> click.Command | None:
        """Return a command by its name, of the newest version of the API that has it."""
        versions = sorted(self._of_version, reverse=True)
        return next(filter(None, (self._of_version[each].get(name) for each in versions)), None)

    def versions_with(self, name: str) -> Sequence[int]:
        """Return the versions of the API that have a command."""
        return [version for version, commands in self._of_version.items() if name in commands]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant, or say which one may be."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            if ctx.resilient_parsing:
                return None, None, args[1:]
            raise click.UsageError(self._no_command(ctx, name), ctx)
        return super().resolve_command(ctx, args)

    def _no_command(self, ctx: click.Context, name: str) -> str:
        if versions := self.versions_with(name):
            wanted = " or ".join(map(str, versions))
            return (
                f"'{ctx.command_path} {name}' needs version {wanted} of the API. Give "
                f"--api-version {versions[-1]} right behind '{ctx.find_root().info_name}'."
            )
        meant = question(self._meant(ctx, name))
        return f"There is no command '{ctx.command_path} {name}'. {meant}".rstrip()

    def _meant(self, ctx: click.Context, name: str) -> Sequence[str]:
        """Return the command that is called alike, or those below that are called so."""
        names = self.list_commands(ctx)
        groups = ((group, self.get_command(ctx, group)) for group in names)
        return alike(name, names, most=1) or [
            f"{ctx.command_path} {group} {name}"
            for group, command in groups
            if isinstance(command, Group) and name in command.list_commands(ctx)
        ]


class Home(NamedTuple):
    """Where a command is, and what is said of it before it is imported.

    Attributes
    ----------
    place : str
        ``module``, or ``module:name`` where Python calls it otherwise, below
        `hatcher.cli.commands`.
    help : str
        The first line of its help; a test holds it against the command.
    section : str
        The part of the help that it stands in.
    api_versions : tuple of int
    """

    place: str
    help: str
    section: str
    api_versions: tuple[int, ...] = ALL_API_VERSIONS


class LazyGroup(Group):
    """A group that imports a command when it is called, or its own help is shown."""

    def __init__(self, *args: Any, homes: Mapping[str, Home], **options: Any) -> None:
        super().__init__(*args, **options)
        self.homes = homes

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Make the context of the root, which knows how wide its help is."""
        return super().make_context(*args, **{"terminal_width": _width(), **options})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands of the API's version."""
        version = api_version_of(ctx)
        return sorted(name for name, home in self.homes.items() if version in home.api_versions)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command of the API's version by its name."""
        return self.of_any_version(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def of_any_version(self, name: str) -> click.Command | None:
        """Import a command by its name, whatever the version of the API."""
        if name not in self.homes:
            return None
        module, _, attribute = self.homes[name].place.partition(":")
        attribute = attribute or name.replace("-", "_")
        command = getattr(import_module(f"hatcher.cli.commands.{module}"), attribute)
        assert isinstance(command, click.Command)
        return command

    def versions_with(self, name: str) -> Sequence[int]:
        """Return the versions of the API that have a command."""
        return self.homes[name].api_versions if name in self.homes else ()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands of each section, without importing them."""
        names = self.list_commands(ctx)
        for section in dict.fromkeys(home.section for home in self.homes.values()):
            rows = [(n, self.homes[n].help) for n in names if self.homes[n].section == section]
            if rows:
                with formatter.section(section):
                    formatter.write_dl(rows)


def _width() -> int:
    """Return the width of help, as click finds it, without all that shutil imports."""
    try:
        columns = int(os.environ.get("COLUMNS") or 0)
        columns = columns or os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
    except (AttributeError, OSError, ValueError):
        columns = 80
    return max(min(columns, 80) - 2, 50)


def command(name: str) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function, for the root to import."""
    return click.command(name, cls=Command)


def group(name: str) -> Callable[[Callable[..., Any]], Group]:
    """Make a group of a function, for the root to import."""
    return click.group(name, cls=Group)


def walk(ctx: click.Context) -> Iterator[click.Context]:
    """Yield the context of a command, and those of all below it."""
    yield ctx
    if isinstance(group := ctx.command, Group):
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield from walk(click.Context(command, ctx, name))
