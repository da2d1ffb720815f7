"""Which end is meant by what a user gives: a place, a folder, an archive, a manifest."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from hatcher.errors import InvalidArgumentError
from hatcher.mirror.ends.base import LEVELS, End
from hatcher.mirror.ends.folder import Folder
from hatcher.mirror.ends.listed import Listed
from hatcher.mirror.ends.place import PLACES, Place, Remote
from hatcher.mirror.manifests.manifest import Manifest, read_manifest

#: What may stand at either end of a mirror.
EndLike: TypeAlias = Place | End | Manifest | str | os.PathLike[str]


def end_of(given: EndLike) -> End:
    """Return the end that is meant.

    Parameters
    ----------
    given : Organization, Repository, SinglePlatformRepository, End, Manifest, str or path-like
        A path is that of the folder of an export, of an archive, or of a manifest (``.json``).

    Raises
    ------
    InvalidArgumentError
        It is none.
    """
    if isinstance(given, End):
        return given
    if isinstance(given, PLACES):
        return Remote(given)
    if isinstance(given, Manifest):
        return Listed(given)
    if isinstance(given, str | os.PathLike):
        if os.path.isfile(given):  # noqa: PTH113 - takes any path
            from hatcher.mirror.ends.archive import Archive

            path = Path(given)
            return Listed(read_manifest(path)) if path.suffix == ".json" else Archive(path)
        return Folder(given)
    raise InvalidArgumentError(
        f"{given!r} is no end of a mirror. Give an organization, a repository or a platform of "
        "one, a folder or an archive."
    )


def pair_of(source: EndLike, target: EndLike) -> tuple[End, End]:
    """Return the two ends, each with what it takes of the other one.

    Parameters
    ----------
    source, target
        As for `end_of`.

    Raises
    ------
    InvalidArgumentError
        They cannot be compared.
    """
    ends = end_of(source), end_of(target)
    names = ends[0].names or ends[1].names
    if names is None:
        raise InvalidArgumentError(
            "Two folders cannot be compared without a place. Say which one: "
            "Folder('backup', 'acme/dev')."
        )
    version = ends[0].api_version
    if version is None:
        version = ends[1].api_version
    whole = tuple(end.beside(names, 1 if version is None else version) for end in ends)
    levels = {len(end.names or ()) for end in whole}
    if len(levels) > 1:
        raise InvalidArgumentError(
            f"{whole[0]} and {whole[1]} cannot be compared. Give two organizations, two "
            "repositories or two platforms."
        )
    if len(levels & LEVELS.keys()) != 1:
        raise InvalidArgumentError(
            f"{whole[0]} says nothing of what place it is. Give one of a single place."
        )
    return whole[0], whole[1]
