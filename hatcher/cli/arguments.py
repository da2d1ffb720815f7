"""What the arguments of commands are: a line of help for each, and where their names come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import click


class Known(NamedTuple):
    """What is known of an argument.

    Attributes
    ----------
    help : str
        A line for the help of each command that takes it.
    names : str or None
        Where the shell gets names for it: a question of `hatcher.cli.completion.names`, 'file',
        'dir', or None where only the user knows.
    """

    help: str
    names: str | None = None


_FULL_VERSION = "Its version and build, such as 1.3.0-1."

#: By name; where it means different things, with the words of the command before it.
_KNOWN: Mapping[str, Known] = {
    "organization": Known("The name of the organization.", "organizations"),
    "repository": Known("The name of the repository.", "repositories"),
    "platform": Known("Such as rh8-x86_64; 'hatcher platforms list' shows them.", "platforms"),
    "python_tag": Known("Such as cp311; 'hatcher python-tags list' shows them.", "all python tags"),
    "filename": Known("The file to upload.", "file"),
    "destination": Known("A folder that exists; the current one when it is left out.", "dir"),
    "description": Known("What it is, in a sentence."),
    "email": Known("The user's name: an email address.", "members"),
    "team": Known("The name of the team.", "teams"),
    "api-tokens name": Known("What the token is called.", "API tokens"),
    "api-tokens create name": Known("What to call the token, such as where it is used."),
    "apps app_id": Known("The app's id.", "apps"),
    "apps python_tag": Known("Such as cp311.", "apps"),
    "apps version": Known(_FULL_VERSION, "apps"),
    "apps apps": Known("Files, folders with apps in them, or - for a list on stdin.", "file"),
    "bundles bundles": Known(
        "Files, folders with bundles in them, or - for a list on stdin.", "file"
    ),
    "bundles check-file filename": Known("The bundle's file.", "file"),
    "bundles directory": Known("The folder to save it in.", "dir"),
    "bundles fetch directory": Known("The folder to put it into; made when missing.", "dir"),
    "bundles name": Known("The name of the bundle.", "bundles"),
    "bundles python_tag": Known(
        "The python tag of the bundle's runtime, such as cp311.", "bundles"
    ),
    "bundles version": Known(_FULL_VERSION, "bundles"),
    "completion shell": Known("Which shell; yours when it is left out."),
    "config key": Known("Which setting."),
    "config use profile": Known("The profile that is to be the default one.", "profiles"),
    "config value": Known("What to set it to."),
    "eggs build distributions": Known("Distributions that are installed here, as in 'pip list'."),
    "eggs eggs": Known("Files, folders with eggs in them, or - for a list on stdin.", "file"),
    "eggs list python_tag": Known(
        "Of the runtime that is to use the eggs, such as cp311.", "python tags"
    ),
    "eggs name": Known("The name of the egg, as in its file name.", "eggs"),
    "eggs version": Known(_FULL_VERSION, "eggs"),
    "export target_dir": Known("The folder to export to.", "dir"),
    "import root_dir": Known("The folder that was exported.", "dir"),
    "login url": Known("The server, such as https://brood.example.com."),
    "mirror archive": Known("The file to write: NAME.zip.", "file"),
    "mirror place": Known("A place on a server, a folder, or an archive.", "ends"),
    "mirror source": Known("What there is to be: a place, a folder, or an archive.", "ends"),
    "mirror pack source": Known("A place on a server, or one in a folder.", "ends"),
    "mirror target": Known("Where it is to be: a place or a folder.", "ends"),
    "mirror plan target": Known(
        "Where it is to be: a place or a folder, or its manifest or archive.", "ends"
    ),
    "mirror verify target": Known("A place on a server, a folder, or an archive.", "ends"),
    "organizations create name": Known("What to call the organization."),
    "promote app app_id": Known("The app's id.", "apps"),
    "promote app python_tag": Known("Such as cp311.", "apps"),
    "promote app version": Known(_FULL_VERSION, "apps"),
    "promote bundle name": Known("The name of the bundle.", "bundles"),
    "promote bundle python_tag": Known(
        "The python tag of the bundle's runtime, such as cp311.", "bundles"
    ),
    "promote bundle version": Known(_FULL_VERSION, "bundles"),
    "promote egg name": Known("The name of the egg, as in its file name.", "eggs"),
    "promote egg version": Known(_FULL_VERSION, "eggs"),
    "promote runtime implementation": Known("Such as cpython.", "runtimes"),
    "promote runtime version": Known("Its version, such as 3.11.9+1.", "runtimes"),
    "repositories create repository": Known("What to call the repository."),
    "runtimes implementation": Known("Such as cpython.", "runtimes"),
    "runtimes python_tag": Known("Such as cp38.", "runtimes of tags"),
    "runtimes runtimes": Known(
        "Files, folders with runtimes in them, or - for a list on stdin.", "file"
    ),
    "runtimes version": Known("Its version, such as 3.11.9+1.", "runtimes"),
    "schema command": Known("The words of a command, such as: eggs list"),
    "teams create group": Known("What its members may do: an access level."),
    "teams create team": Known("What to call the team."),
    "teams members email": Known("The member's email address.", "team's members"),
    "teams members add email": Known("The user's email address.", "members"),
    "teams repositories repository": Known("The name of the repository.", "team's repositories"),
    "teams repositories add repository": Known("The name of the repository.", "repositories"),
    "users create email": Known("The email address that the user is to log in with."),
    # Options that the shell completes.
    "export repositories": Known("", "places"),
    "export platforms": Known("", "platforms"),
    "export python_tags": Known("", "python tags"),
    "mirror against": Known("", "ends"),
    "mirror lacking": Known("", "ends"),
    "mirror plan": Known("", "file"),
    "mirror save": Known("", "file"),
    "mirror platforms": Known("", "platforms"),
    "mirror python_tags": Known("", "python tags"),
    "import requested_platforms": Known("", "platforms"),
    "import requested_repos": Known("", "places"),
    "profile": Known("", "profiles"),
    "bundles inside": Known("", "places"),
    "promote to": Known("", "places"),
    "promote to_profile": Known("", "profiles"),
}


def known_of(ctx: click.Context, name: str) -> Known | None:
    """Return what is known of an argument of a command, or of an option.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    name : str
        The name of the parameter.

    Returns
    -------
    Known or None
    """
    words = list(_words(ctx))[::-1]
    for length in range(len(words), -1, -1):
        known = _KNOWN.get(" ".join([*words[:length], name]))
        if known is not None:
            return known
    return None


def _words(ctx: click.Context) -> Iterator[str]:
    """The words of a command, the last first, without ``hatcher``."""
    while ctx.parent is not None:
        yield ctx.info_name or ""
        ctx = ctx.parent
