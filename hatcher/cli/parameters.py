"""What commands take: arguments and options that many share, and places and artefacts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from hatcher.cli.groups import Argument
from hatcher.cli.refusals import Refusal
from hatcher.cli.state import State, pass_state

if TYPE_CHECKING:
    from hatcher.api import Repository

#: A number that is not as long as to make no sense.
_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


def completes(names: str, *more: str) -> Callable[[click.Context, click.Parameter, str], list[Any]]:
    """Return a ``shell_complete``, which offers the names that answer a question.

    Parameters
    ----------
    names : str
        A question of `hatcher.cli.names`, or 'file'.
    *more : str
        Offered besides.
    """

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[Any]:
        # Imported here: no command needs it.
        from click.shell_completion import CompletionItem

        from hatcher.cli.names import matching

        offered = [CompletionItem(word) for word in more if word.startswith(incomplete)]
        return offered + matching(ctx, names, parameter.name or "", incomplete)

    return complete


class Seconds(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """The type of options that take a number of seconds above 0."""

    name = "seconds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read the number."""
        text = str(value)
        if not _SECONDS.fullmatch(text) or float(text) <= 0:
            self.fail(f"'{text}' is no number of seconds above 0, such as 30 or 2.5.", param, ctx)
        return float(text)


def argument(name: str, explanation: str, names: str | None = None, **options: Any) -> Decorator:
    """Give a command an argument.

    Parameters
    ----------
    name, explanation, names
        As for `hatcher.cli.groups.Argument`.
    **options
        Of `click.Argument`.
    """
    if names is not None:
        options.setdefault("shell_complete", completes(names))
    return click.argument(name, cls=Argument, explanation=explanation, names=names, **options)


def flag(*names: str, help: str) -> Decorator:
    """Give a command an option without a value."""
    return click.option(*names, is_flag=True, default=False, help=help)


def choices(*names: str, help: str, completed: str | None = None, **options: Any) -> Decorator:
    """Give a command an option that may be repeated, of names that answer a question, if any."""
    if completed is not None:
        options["shell_complete"] = completes(completed)
    return click.option(*names, multiple=True, help=help, **options)


#: What commands about whole repositories can be about, with the names that shells complete.
_SELECTED = {
    "repository": ("ORGANIZATION/REPOSITORY", "places", "A repository"),
    "platform": ("PLATFORM", "platforms", "A platform such as rh8-x86_64"),
    "python tag": ("TAG", "python tags", "A python tag such as cp311"),
}


def selecting(what: str, *names: str, otherwise: str = "all") -> Decorator:
    """Give a command an option that may be repeated, which says what of a place is meant."""
    metavar, completed, described = _SELECTED[what]
    help = f"{described}; may be repeated. Without it {otherwise}."
    return choices(*names, metavar=metavar, completed=completed, help=help)


def together(*decorators: Decorator) -> Decorator:
    """Give a command several parameters, in this order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


#: Which artefacts of a place are meant.
selecting_some = together(
    choices(
        "-a",
        "--kind",
        "kinds",
        type=click.Choice(["eggs", "runtimes", "apps", "bundles"]),
        help="A kind of artefact; may be repeated. Without it all, with API version 0 eggs.",
    ),
    selecting("platform", "-p", "--platform", "platforms"),
    selecting("python tag", "-t", "--python-tag", "python_tags"),
    choices(
        "--name",
        "names",
        metavar="PATTERN",
        help="Only what is called so, such as 'numpy*'; may be repeated.",
    ),
)

#: Instead of a question before something is lost.
assume_yes = flag("assume_yes", "-y", "--yes", help="Ask nothing; do it.")

#: Say what would be done, and do nothing.
dry_run = flag("-n", "--dry-run", help="Say what would be done, and change nothing.")

#: Whether what is to be created may be there, and what is to be deleted may not.
if_missing = flag("--if-missing", help="Be content when it is there already, and as it is to be.")
missing_ok = flag("--missing-ok", help="Be content when it is not there.")

#: For commands that are about profiles; see `hatcher.cli.settings.levels.take_over`.
profile_option = click.option(
    "--profile",
    metavar="NAME",
    shell_complete=completes("profiles"),
    help="The profile that is meant, instead of the default one.",
)

# -- places and artefacts ---------------------------------------------------------------------

_VERSION = "Its version and build, such as 1.3.0-1."
_RUNTIME_VERSION = ("Its version, such as 3.11.9+1.", "runtimes")

#: The arguments that name what is below a place, with the names for them: by the method of the
#: place, behind another word where it takes others.
_BELOW: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "organization": {"organization": ("The name of the organization.", "organizations")},
    "repository": {"repository": ("The name of the repository.", "repositories")},
    "platform": {
        "platform": ("Such as rh8-x86_64; 'hatcher platforms list' shows them.", "platforms")
    },
    "team": {"team": ("The name of the team.", "teams")},
    "user": {"email": ("The user's name: an email address.", "members")},
    "egg": {
        "python_tag": ("Such as cp311; 'hatcher python-tags list' shows them.", "all python tags"),
        "name": ("The name of the egg, as in its file name.", "eggs"),
        "version": (_VERSION, "eggs"),
    },
    "runtime": {
        "implementation": ("Such as cpython.", "runtimes"),
        "version": _RUNTIME_VERSION,
    },
    "legacy runtime": {
        "python_tag": ("Such as cp38.", "runtimes of tags"),
        "version": _RUNTIME_VERSION,
    },
    "app": {
        "python_tag": ("Such as cp311.", "apps"),
        "app_id": ("The app's id.", "apps"),
        "version": (_VERSION, "apps"),
    },
    "bundle": {
        "python_tag": ("The python tag of the bundle's runtime, such as cp311.", "bundles"),
        "name": ("The name of the bundle.", "bundles"),
        "version": (_VERSION, "bundles"),
    },
}


#: What stands for the newest version.
LATEST = "latest"


def on(*path: str, latest: bool = True) -> Decorator:
    """Give a command the arguments that lead to a place or artefact, and hand that over first.

    Parameters
    ----------
    *path : str
        Such as ``organization``, ``repository``; what `_BELOW` knows.
    latest : bool, default True
        Whether the version may be 'latest'.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def with_place(state: State, **options: Any) -> Any:
            place: Any = state.client
            for step in path:
                names = {name: options.pop(name) for name in _BELOW[step]}
                if names.get("version") == LATEST:
                    place = _newest(place, step, names, allowed=latest)
                else:
                    place = getattr(place, step.split()[-1])(*names.values())
            return function(place, **options)

        arguments = [
            _of_artefact(name, *known, latest=latest)
            for step in path
            for name, known in _BELOW[step].items()
        ]
        if path[1:2] == ("repository",):
            form = "/".join(step.upper() for step in path[:3] if step in _BELOW[step])
            explanation, names = _BELOW["organization"]["organization"]
            arguments[0] = argument(
                "organization", f"{explanation[:-1]}, or all in one word: {form}.", names
            )
        return together(*arguments)(pass_state(with_place))

    return decorate


def _of_artefact(name: str, explanation: str, names: str, *, latest: bool) -> Decorator:
    """Return an argument that names a place or an artefact."""
    if name != "version" or not latest:
        return argument(name, explanation, names)
    explanation = f"{explanation[:-1]}; or '{LATEST}'."
    return argument(name, explanation, names, shell_complete=completes(names, LATEST))


def _newest(place: Any, step: str, names: Mapping[str, str], *, allowed: bool) -> Any:
    """Return the newest artefact of a name.

    Raises
    ------
    Refusal
        A command that deletes is to do it with a version that nobody has named.
    """
    *own, _ = names.values()
    if not allowed:
        raise Refusal(
            f"'{LATEST}' is no version to delete: which one it is may change at any moment.",
            "Name the version.",
        )
    # Imported here, for those who do not know the version.
    from hatcher.core.search import latest

    kind = step.split()[-1]
    if step == "legacy runtime":
        return latest(place, None, own[0], kind)
    return latest(place, own[-1], own[0] if own[1:] else None, kind)


def on_repository(*more: str) -> Decorator:
    """Give a command ORGANIZATION and REPOSITORY, and what leads on from there, as `on` does."""
    return on("organization", "repository", *more)


def on_platform(*more: str, latest: bool = True) -> Decorator:
    """Give a command ORGANIZATION, REPOSITORY and PLATFORM, and what leads on, as `on` does."""
    return on("organization", "repository", "platform", *more, latest=latest)


def repository_named(state: State, name: str, option: str) -> Repository:
    """Return the repository that an option names, such as ``acme/dev``; sends nothing.

    Raises
    ------
    click.BadParameter
        It is no name of a repository.
    """
    organization, _, repository = name.partition("/")
    if not organization or not repository or "/" in repository:
        raise click.BadParameter(
            f"'{name}' is no repository. Give its organization too: organization/repository.",
            param_hint=f"'{option}'",
        )
    return state.client.organization(organization).repository(repository)
