"""Changing the user's file of profiles; what else stands in it stays, comments too."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.settings.private_files import write_private
from hatcher.cli.settings.profiles import DEFAULT_PROFILE, Config

Document: TypeAlias = MutableMapping[str, Any]


def with_profile(config: Config, name: str, values: dict[str, str | int | bool | None]) -> Config:
    """Set keys of a profile and write the file; the first profile becomes the default one.

    Parameters
    ----------
    config : Config
    name : str
        Of the profile; made when missing.
    values : dict
        By key; None takes the key away.

    Returns
    -------
    Config
        What the file says now.

    Raises
    ------
    Refusal
        It would not be as it should be; nothing is written.
    """

    def edit(document: Document) -> None:
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
        if not config.profiles and DEFAULT_PROFILE not in document:
            document[DEFAULT_PROFILE] = name

    return _edited(config, edit)


def with_default(config: Config, name: str | None) -> Config:
    """Set the default profile and write the file.

    Parameters
    ----------
    config : Config
    name : str or None
        None takes it away.
    """

    def edit(document: Document) -> None:
        if name is not None:
            document[DEFAULT_PROFILE] = name
        else:
            document.pop(DEFAULT_PROFILE, None)

    return _edited(config, edit)


def _edited(config: Config, edit: Callable[[Document], None]) -> Config:
    import tomlkit

    document, meant = tomlkit.parse(config.text), tomllib.loads(config.text)
    edit(document)
    edit(meant)
    text = tomlkit.dumps(document)
    # TOML can be written in ways that tomlkit puts nothing into.
    if not _says(text, meant):
        raise Refusal(
            f"{config.path} is written in a way that hatcher cannot change.",
            "Give each profile a table of its own, [profiles.NAME], or change it by hand.",
        )
    # Nothing is written that could not be read.
    changed = Config(config.path, text)
    write_private(changed.path, changed.text)
    return changed


def _says(text: str, meant: Document) -> bool:
    try:
        return tomllib.loads(text) == meant
    except tomllib.TOMLDecodeError:
        return False
