"""Changing the user's file of profiles; what else stands in it stays, comments too."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.settings.private_files import changing, write_private
from hatcher.cli.settings.profiles import DEFAULT_PROFILE, Config, read_config

Document: TypeAlias = MutableMapping[str, Any]


def with_profile(
    name: str,
    values: dict[str, str | int | bool | None],
    check: Callable[[Config], object] = lambda config: None,
) -> None:
    """Set keys of a profile and write the file; the first profile becomes the default one.

    Parameters
    ----------
    name : str
        Of the profile; made when missing.
    values : dict
        By key; None takes the key away.
    check : callable, optional
        Given what the file says now, raises what speaks against it.

    Raises
    ------
    Refusal
        It would not be as it should be; nothing is written.
    """

    def edit(document: Document) -> None:
        is_first = not document.get("profiles")
        if "profiles" not in document:
            document["profiles"] = {name: {}}
        profiles = document["profiles"]
        if name not in profiles:
            profiles[name] = {}  # a table of the kind that the others are
        profile = profiles[name]
        for key, value in values.items():
            if value is not None:
                profile[key] = value
            elif key in profile:
                del profile[key]
        if is_first and DEFAULT_PROFILE not in document:
            document[DEFAULT_PROFILE] = name

    _edit(edit, check)


def with_default(name: str | None, check: Callable[[Config], object] = lambda config: None) -> None:
    """Set the default profile and write the file.

    Parameters
    ----------
    name : str or None
        None takes it away.
    check : callable, optional
        As for `with_profile`.
    """

    def edit(document: Document) -> None:
        if name is not None:
            document[DEFAULT_PROFILE] = name
        else:
            document.pop(DEFAULT_PROFILE, None)

    _edit(edit, check)


def _edit(edit: Callable[[Document], None], check: Callable[[Config], object]) -> None:
    import tomlkit

    with changing(read_config().path):
        # Read anew: another process may have changed it since this one began.
        config = read_config()
        check(config)
        meant = tomllib.loads(config.text)
        edit(meant)
        try:
            document = tomlkit.parse(config.text)
            edit(document)
            text = tomlkit.dumps(document)
        except Exception as error:  # whatever it is: tomlkit does not know all of TOML
            raise _too_odd(config) from error
        if not _says(text, meant):
            raise _too_odd(config)
        # Nothing is written that could not be read.
        write_private(config.path, Config(config.path, text).text)


def _too_odd(config: Config) -> Refusal:
    # TOML can be written in ways that tomlkit puts nothing into.
    return Refusal(
        f"{config.path} is written in a way that hatcher cannot change.",
        "Give each profile a table of its own, [profiles.NAME], or change it by hand.",
    )


def _says(text: str, meant: Document) -> bool:
    try:
        return tomllib.loads(text) == meant
    except tomllib.TOMLDecodeError:
        return False
