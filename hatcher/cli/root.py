"""The command `hatcher` itself: its options, and where its commands are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from hatcher.cli.anywhere import arranged
from hatcher.cli.data import FORMATS
from hatcher.cli.groups import (
    DEFAULT_API_VERSION,
    MOST_RETRIES,
    Home,
    LazyGroup,
    check_texts,
    walk,
)
from hatcher.cli.parameters import Seconds, completes, flag
from hatcher.cli.settings.levels import (
    fill_in,
    settings_of,
    settle_verbosity,
    warn_of_secrets,
)
from hatcher.cli.state import State

PROGRAM = "hatcher"

#: What the names of environment variables begin with: HATCHER_URL, HATCHER_EGGS_UPLOAD_FORCE.
VARIABLES = "HATCHER"

_ARTEFACTS = "Artefacts"
_PLACES = "Organizations and people"
_SERVER = "The server"
_MIRROR = "Whole repositories"
_SETTINGS = "Settings"

#: Every command: a room for each, opened when it is entered.
_HOMES = {
    "eggs": Home("eggs", "Upload, download and list eggs.", _ARTEFACTS),
    "runtimes": Home("runtimes", "Upload, download and list runtimes.", _ARTEFACTS),
    "bundles": Home("bundles", "Upload, download and list bundles.", _ARTEFACTS, (1,)),
    "apps": Home("apps", "Upload and list apps.", _ARTEFACTS),
    "search": Home("searching", "Find artefacts by name and version.", _ARTEFACTS),
    "export": Home("exporting", "Download whole repositories into a folder.", _MIRROR),
    "import": Home("exporting:import_", "Upload a folder that was exported.", _MIRROR, (1,)),
    "promote": Home("promoting", "Copy artefacts from one repository to another.", _MIRROR, (1,)),
    "mirror": Home("mirroring", "Make one place like another, moving only what changed.", _MIRROR),
    "diff": Home(
        "mirroring:diff", "Show how two places, folders, archives or manifests differ.", _MIRROR
    ),
    "cache": Home("cache", "Look after the artefacts that are kept here.", _MIRROR),
    "du": Home("usage:du", "Show how much room artefacts take on the server.", _MIRROR),
    "organizations": Home("administration", "Create and list organizations.", _PLACES),
    "repositories": Home("administration", "Create, delete and list repositories.", _PLACES),
    "teams": Home("administration", "Manage teams, their members and repositories.", _PLACES),
    "users": Home("administration", "Create, delete and list users.", _PLACES),
    "user": Home("administration", "What you have access to.", _PLACES),
    "access": Home("access", "See who may do what, and set it from a file.", _PLACES),
    "api-tokens": Home("administration", "Create, delete and list API tokens.", _PLACES),
    "platforms": Home("administration", "List platforms.", _SERVER),
    "python-tags": Home("administration", "List PEP 425 python tags.", _SERVER),
    "serve": Home("serve", "Run a Brood of your own until Ctrl-C.", _SERVER),
    "login": Home("login", "Keep a server and a token in a profile.", _SETTINGS),
    "logout": Home("login", "Forget the token of a profile.", _SETTINGS),
    "whoami": Home("login", "Show which server, and who you are to it.", _SETTINGS),
    "config": Home("config", "Show and change profiles.", _SETTINGS),
    "completion": Home(
        "completion", "Print a script that completes commands in your shell.", _SETTINGS
    ),
    "schema": Home("schema", "Show the JSON Schema of a command's data.", _SETTINGS),
}


class _Root(LazyGroup):
    """The root: reads the API's version first."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for number, argument in enumerate(args, 1):
            if "\0" in argument:
                raise click.UsageError(f"Argument {number} of the command line holds a NUL.", ctx)
        lines = arranged(self, args)
        if lines.unfinished and not ctx.resilient_parsing:
            (option,) = lines.unfinished
            raise click.BadOptionUsage(option, f"Option '{option}' requires an argument.", ctx)
        args = [*lines.first, *lines.rest]
        # Before --help and --command-tree, which show the commands of that version.
        version = next(param for param in self.params if param.name == "api_version")
        opts, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        version.handle_parse_result(ctx, opts, [])
        rest = super().parse_args(ctx, args)
        check_texts(ctx)
        return rest

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # Which commands there are may be for the profile to say.
        fill_in(ctx, args)
        return super().resolve_command(ctx, args)


def _command_tree(ctx: click.Context) -> str:
    """Return every command below a context's with its arguments, at a glance."""
    lines = []
    for at in walk(ctx):
        indented = " " * 4 * at.command_path.count(" ") + (at.info_name or "")
        is_group = isinstance(at.command, click.Group)
        lines.append((indented, () if is_group else at.command.collect_usage_pieces(at)))
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}   {' '.join(usage)}".rstrip() for name, usage in lines)


def _version(_: click.Context) -> str:
    from hatcher import __version__

    return f"hatcher, version {__version__}"


def _shows(name: str, text: Callable[[click.Context], str], help: str) -> Callable[..., Any]:
    """Give the root an option that shows something, and does nothing else."""

    def show(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        if value and not ctx.resilient_parsing:
            click.echo(text(ctx))
            ctx.exit()

    return click.option(
        name, is_flag=True, is_eager=True, expose_value=False, callback=show, help=help
    )


@click.group(cls=_Root, homes=_HOMES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-u", "--url", help="The URL of the server.")
@click.option("-U", "--username", help="Your user name; the password is asked for.")
@click.option("-p", "--password", help="Your password; better not on the command line.")
@flag("--password-stdin", help="Read your password from standard input.")
@click.option("-t", "--token", help="Your API token; better not on the command line.")
@flag("--token-stdin", help="Read your API token from standard input.")
@flag("--anonymous", help="Send no credentials, whatever there are: public repositories need none.")
@click.option(
    "--profile",
    metavar="NAME",
    shell_complete=completes("profiles"),
    help="Another profile than the default one.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True),
    help="Authorities that the server's certificate may be from: a PEM file or a folder.",
)
@flag("-k", "--insecure", help="Accept any certificate of the server.")
@flag("-d", "--debug", help="Show requests, and where errors are from.")
@click.option(
    "--api-version",
    type=click.Choice(["0", "1"]),
    default=str(DEFAULT_API_VERSION),
    show_default=True,
    is_eager=True,
    help="The version of Brood's API.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(FORMATS),
    help="How data is written, unless a command says; with json, errors are JSON, too.",
)
@click.option(
    "--timeout",
    type=Seconds(),
    metavar="SECONDS",
    help="How long to wait for the server each time, instead of 10 s to connect and 60 s else.",
)
@click.option(
    "--retries",
    type=click.IntRange(0, MOST_RETRIES),
    metavar="NUMBER",
    help="How often to try again what failed in passing; 3 when it is not given.",
)
@flag("-q", "--quiet", help="Say nothing but warnings and errors; data are written all the same.")
@flag("-v", "--verbose", help="Say more: what was left as it is, and what was looked at again.")
@_shows("--command-tree", _command_tree, "Show every command with its arguments.")
@_shows("--version", _version, "Show the version.")
@click.pass_context
def hatcher(ctx: click.Context, /, **_: object) -> None:
    """Work with Brood, the server for Python artefacts.

    Begin with 'hatcher login', which keeps the server and who you are.

    Every option has an environment variable: HATCHER_URL for --url, HATCHER_TOKEN for
    --token; HATCHER_EGGS_UPLOAD_FORCE for --force of 'hatcher eggs upload'. The options below
    may stand behind a command, too, in their long form.

    \b
    For example:
    hatcher login https://brood.example.com
    hatcher user repositories
    hatcher eggs upload acme dev rh8-x86_64 spam-1.0.0-1.egg
    hatcher eggs list acme dev rh8-x86_64 cp311
    """
    settle_verbosity(ctx)
    warn_of_secrets(ctx)
    ctx.obj = state = State(lambda: settings_of(ctx))
    ctx.call_on_close(state.close)
