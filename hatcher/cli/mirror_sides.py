"""How the sides of a mirror are written on the command line: places, folders, archives, manifests.

What is meant can be told from how it is written, so that the same command means the same wherever
it is run: a path shows that it is one, and everything else is a place on a server. What could be
taken for something else is refused.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import click

from hatcher.cli.groups import api_version_of
from hatcher.cli.refusals import Refusal
from hatcher.cli.state import State
from hatcher.files.folders import NoHomeError, expanded

if TYPE_CHECKING:
    from hatcher.mirror.listing import SideLike

Sort: TypeAlias = Literal["place", "folder", "archive", "manifest"]

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

#: A place behind the name of a profile; without a name, on the chosen server.
_ON_SERVER = re.compile(r"(?P<profile>[A-Za-z0-9][A-Za-z0-9._@-]*)?:(?P<place>.*)\Z", re.DOTALL)

_SEPARATORS = ("/", "\\")
_PATH_BEGINS = (".", "~", *_SEPARATORS)

#: What a place may be, in words.
_PLACES = "ORGANIZATION, ORGANIZATION/REPOSITORY or ORGANIZATION/REPOSITORY/PLATFORM"

#: Why a side cannot stand where it stands.
_WRONG_SORT: Mapping[Sort, str] = {
    "place": "it is a place on a server. For a folder of that name write './{text}'.",
    "folder": "it is a folder.",
    "archive": "it is an archive: those are made by 'hatcher mirror pack', and are only read here.",
    "manifest": "it is a manifest, which says what there is, and has nothing of it.",
}


class WrittenSide(NamedTuple):
    """A side of a mirror, as it was written.

    Attributes
    ----------
    sort : {'place', 'folder', 'archive', 'manifest'}
    place : str or None
        The place on a server, or in a folder.
    profile : str or None
        Whose server it is on; None for the chosen one.
    path : pathlib.Path or None
        Of a folder or file.
    """

    sort: Sort
    place: str | None = None
    profile: str | None = None
    path: Path | None = None

    def open(self, state: State) -> SideLike:
        """Return what `hatcher.mirror` takes for it; sends nothing.

        Parameters
        ----------
        state : State
            Of the command.

        Raises
        ------
        Refusal
            There is no such profile, or nobody said which server.
        HatcherException
            A manifest cannot be read.
        """
        # Imported here: help and completion need none of it.
        from hatcher import mirror

        if self.sort == "place":
            assert self.place is not None
            there = state if self.profile is None else state.of_profile(self.profile)
            return there.client.at(self.place)
        assert self.path is not None
        if self.sort == "folder":
            # The folder of version 1 unless the other side says otherwise.
            version = api_version_of(click.get_current_context())
            return mirror.Folder(
                self.path,
                self.place,
                api_version=version if version == 0 and self.place is not None else None,
            )
        return mirror.read_manifest(self.path) if self.sort == "manifest" else self.path


class Side(click.ParamType):  # type: ignore[type-arg]  # generic in newer versions of click only
    """The type of arguments and options that take a side of a mirror.

    Parameters
    ----------
    *sorts : {'place', 'folder', 'archive', 'manifest'}
        What may stand there.
    """

    name = "side"

    def __init__(self, *sorts: Sort) -> None:
        self._sorts = sorts

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> WrittenSide:
        """Read what was written."""
        if isinstance(value, WrittenSide):
            return value
        try:
            side = read_side(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if side.sort not in self._sorts:
            said = _WRONG_SORT[side.sort].format(text=value)
            self.fail(f"'{value}' cannot stand here: {said}", param, ctx)
        if side.sort in ("archive", "manifest") and not os.path.isfile(side.path or ""):  # noqa: PTH113
            self.fail(
                f"There is no {side.sort} '{value}'. Check the path; a place that is called so is "
                f"written ':{value}'.",
                param,
                ctx,
            )
        return side


def open_pair(state: State, source: WrittenSide, target: WrittenSide) -> tuple[SideLike, SideLike]:
    """Return what `hatcher.mirror` takes for two sides; sends nothing.

    Parameters
    ----------
    state : State
        Of the command.
    source, target : WrittenSide

    Raises
    ------
    Refusal
        None of two folders says which place is meant, or a side cannot be had.
    """
    if source.sort == target.sort == "folder" and source.place is None and target.place is None:
        raise Refusal(
            "There may be many places in a folder, and neither side says which one is meant.",
            "Write it behind one of them, such as ./backup:acme/dev",
        )
    return source.open(state), target.open(state)


def read_side(text: str) -> WrittenSide:
    """Read a side of a mirror as it was written.

    Parameters
    ----------
    text : str

    Returns
    -------
    WrittenSide

    Raises
    ------
    ValueError
        It is none, or may be two things; the message says how to write it.
    """
    if _URL.match(text):
        raise ValueError(
            f"'{text}' is a URL. Keep the server in a profile, 'hatcher login URL --profile NAME', "
            "and write NAME:acme/dev."
        )
    is_path = is_written_as_path(text)
    on_server = None if is_path else _ON_SERVER.match(text)
    if on_server is not None:
        return WrittenSide("place", _checked_place(on_server["place"]), on_server["profile"])
    if text.endswith(_SEPARATORS):
        return WrittenSide("folder", path=_path(text))
    suffix = os.path.splitext(text)[1].lower()  # noqa: PTH122 - it may be a place
    if suffix in (".zip", ".json"):
        return WrittenSide("archive" if suffix == ".zip" else "manifest", path=_path(text))
    if is_path:
        return _folder(text)
    place = _checked_place(text)
    if os.path.lexists(text):
        raise ValueError(
            f"'{text}' may be a place on the server, or what stands here under that name. Write "
            f"':{text}' for the place, './{text}' for the folder."
        )
    return WrittenSide("place", place)


def is_written_as_path(text: str) -> bool:
    """Whether the beginning of a side says that it is a path.

    Parameters
    ----------
    text : str
        The side, or the beginning of it.
    """
    return text.startswith(_PATH_BEGINS) or _DRIVE.match(text) is not None


def divided(text: str) -> tuple[str, str]:
    """Divide what is no path into what names the server, with its colon, and the place.

    Parameters
    ----------
    text : str
        A side, or the beginning of one, such as ``site:ac``.

    Returns
    -------
    tuple of (str, str)
        Such as ``site:`` and ``ac``.
    """
    on_server = _ON_SERVER.match(text)
    if on_server is None:
        return "", text
    return text[: on_server.start("place")], on_server["place"]


def _folder(text: str) -> WrittenSide:
    drive = _DRIVE.match(text)
    start = drive.end() if drive else 0
    path, colon, place = text[start:].rpartition(":")
    if not colon:
        return WrittenSide("folder", path=_path(text))
    if os.path.lexists(_path(text)):
        raise ValueError(
            f"'{text}' may be a folder of that name, or the place '{place}' in another one. "
            f"Write '{text}/' for the folder."
        )
    return WrittenSide("folder", _checked_place(place), path=_path(text[:start] + path))


def _path(text: str) -> Path:
    try:
        return expanded(text) if text.startswith("~") else Path(text)
    except NoHomeError as error:
        raise ValueError(
            f"'{text}' leads nowhere: there is no such home directory. Write the whole path."
        ) from error


def _checked_place(text: str) -> str:
    parts = text.split("/")
    if "\\" in text:
        raise ValueError(
            f"'{text}' is no place, which has no backslash in it. A folder begins with '.\\', or "
            "with a drive."
        )
    if len(parts) > 3 or not all(part.strip() and part not in (".", "..") for part in parts):
        raise ValueError(
            f"'{text}' is no place. Write {_PLACES}; a folder begins with './', '/' or '~'."
        )
    return text
