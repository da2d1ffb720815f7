"""Where each artefact stands in a folder, as the existing client's export lays it out.

``v<api>/<organization>/<repository>/<platform>/<kind>/[<python tag>/]<file>``: eggs, apps and
bundles have a folder for each python tag, which is called ``None`` for those that have none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, cast, get_args

from hatcher import cancel
from hatcher.artefacts.names import split_filename, split_runtime
from hatcher.artefacts.versions import Key, built_key, runtime_key
from hatcher.characters import shown
from hatcher.errors import InvalidArgumentError, InvalidNameError, MissingFilenameError
from hatcher.files.partial import PARTIAL_SUFFIX
from hatcher.transfer.filenames import server_filename, server_name

#: What there is, called as the folders are.
Kind: TypeAlias = Literal["eggs", "runtimes", "apps", "bundles"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: How the files of each kind end.
SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "eggs": (".egg",),
    "runtimes": (".runtime",),
    "apps": (".yaml", ".yml"),
    "bundles": (".bundle",),
}

#: The folder of what has no tag.
NO_TAG_FOLDER = "None"

#: The kinds that have a folder for each python tag.
TAGGED: frozenset[Kind] = frozenset({"eggs", "apps", "bundles"})


class Location(NamedTuple):
    """Where an artefact belongs, on a server or in a folder.

    Attributes
    ----------
    api_version : int
    organization, repository, platform : str
    kind : {'eggs', 'runtimes', 'apps', 'bundles'}
    python_tag : str or None
        Of eggs, apps and bundles.
    filename : str
    """

    api_version: int
    organization: str
    repository: str
    platform: str
    kind: Kind
    python_tag: str | None
    filename: str

    @property
    def place(self) -> str:
        """The repository, such as ``acme/dev``."""
        return f"{self.organization}/{self.repository}"

    @property
    def path(self) -> str:
        """The path in a folder, with slashes; unchecked, so for showing only."""
        tag = [self.python_tag or NO_TAG_FOLDER] if self.kind in TAGGED else []
        folders = [self.organization, self.repository, self.platform, self.kind, *tag]
        return "/".join([f"v{self.api_version}", *folders, self.filename])

    def below(self, root: Path) -> Path:
        """Return the path of the file in a folder.

        Parameters
        ----------
        root : pathlib.Path

        Raises
        ------
        InvalidNameError
            A name cannot be that of a folder or file: the file would stand elsewhere, be hidden,
            or not be of its kind.
        """
        tag = self.python_tag or NO_TAG_FOLDER
        for what, name in (
            ("organization", self.organization),
            ("repository", self.repository),
            ("platform", self.platform),
            ("python tag", tag),
            ("file", self.filename),
        ):
            try:
                if what == "file":
                    server_filename(name, what, self._is_of_kind)
                else:
                    server_name(name, what)
            except MissingFilenameError as error:
                raise InvalidNameError(
                    f"The name of the {what}, '{shown(name)}', cannot be one in a folder, so "
                    "nothing of it was written. Tell the administrators of the server."
                ) from error
        return root.joinpath(*self.path.split("/"))

    def _is_of_kind(self, filename: str) -> bool:
        # Runtimes of version 0 are called as their builders liked, such as `.zip`.
        old = (".zip",) if self.kind == "runtimes" and self.api_version == 0 else ()
        return filename.endswith(SUFFIXES[self.kind] + old)


_VERSION = re.compile("v[0-9]")


def parse(path: str) -> Location:
    """Return what belongs at a path of the layout.

    Parameters
    ----------
    path : str
        As `Location.path` gives it; there may be more folders around the file.

    Raises
    ------
    InvalidNameError
        It is none of the layout.
    """
    version, *parts = path.split("/")
    if len(parts) < 5 or _VERSION.fullmatch(version) is None or parts[3] not in KINDS:
        raise InvalidNameError(
            f"'{path}' is not where an artefact stands in an export: "
            "v1/organization/repository/platform/kind/python tag/file."
        )
    organization, repository, platform, kind, *tags, filename = parts
    tag = tags[0] if tags and kind in TAGGED and tags[0] != NO_TAG_FOLDER else None
    return Location(
        int(version.removeprefix("v")),
        organization,
        repository,
        platform,
        cast(Kind, kind),
        tag,
        filename,
    )


def name_and_version(kind: Kind, filename: str) -> tuple[str, str]:
    """Return the name and the version that a file of a kind is called by."""
    return (split_runtime if kind == "runtimes" else split_filename)(filename)


def order_of(path: str) -> Key:
    """Return what sorts paths: by folder and name, and by version as the field orders them.

    Parameters
    ----------
    path : str
        Such as ``rh8-x86_64/eggs/cp311/numpy-1.26.4-1.egg``.
    """
    folder, _, filename = path.rpartition("/")
    is_runtime = folder.rpartition("/")[2] == "runtimes"
    name, version = name_and_version("runtimes" if is_runtime else "eggs", filename)
    key = runtime_key if is_runtime else built_key
    return folder, name.lower(), key(version), path


def folder_in(root: Path, api_version: int, *names: str) -> Path:
    """Return the folder of a place in what was exported with a version of the API.

    Raises
    ------
    InvalidArgumentError
        Nothing was.
    """
    folder = root / f"v{api_version}"
    if not folder.is_dir():
        others = sorted(path.name for path in root.glob("v[0-9]*") if path.is_dir())
        said = f" There is {', '.join(others)}, of another version of the API." if others else ""
        raise InvalidArgumentError(
            f"There is no folder '{folder.name}' in '{root}'.{said} Give the folder that an export "
            "was written to."
        )
    return folder.joinpath(*names)


def repositories_in(root: Path, api_version: int) -> Iterator[tuple[str, str]]:
    """Give the repositories that a folder holds, sorted: organization and repository."""
    for organization in _folders(folder_in(root, api_version)):
        for repository in _folders(organization):
            yield organization.name, repository.name


def platforms_in(root: Path, api_version: int, organization: str, repository: str) -> list[str]:
    """Return the platforms of a repository that a folder holds, sorted."""
    return [path.name for path in _folders(folder_in(root, api_version, organization, repository))]


def files_in(folder: str | Path, kind: Kind) -> Iterator[tuple[tuple[str, ...], os.DirEntry[str]]]:
    """Give the files of a kind in a folder and below it, with the folders that lead there.

    Hidden files, and those that end otherwise, are none of them.
    """
    for parts, entry in _entries_in(folder):
        is_of_kind = entry.name.endswith(SUFFIXES[kind]) and not entry.name.startswith(".")
        if is_of_kind and entry.is_file():
            yield parts, entry


def stray_in(
    root: Path, api_version: int, organization: str, repository: str, kinds: Collection[Kind]
) -> InvalidArgumentError | None:
    """Return what is to be said of the files of a repository that no artefact is called like.

    Hidden files, and what a download left half done, are none of them.
    """
    folder = folder_in(root, api_version, organization, repository)
    strays = [path for platform in _folders(folder) for path in _strays(platform, kinds)]
    if not strays:
        return None
    number = "1 file" if len(strays) == 1 else f"{len(strays):,} files"
    return InvalidArgumentError(
        f"{number} cannot be told to be an artefact, such as '{shown(strays[0])}'. Rename it, put "
        "it where an export would, or move it away."
    )


def _strays(folder: Path, kinds: Collection[Kind]) -> Iterator[str]:
    for parts, entry in _entries_in(folder):
        if any(
            name.startswith(".") or name.endswith(PARTIAL_SUFFIX) for name in (*parts, entry.name)
        ):
            continue
        suffixes = SUFFIXES.get(cast(Kind, parts[0]), ()) if parts else ()
        is_asked_for = not suffixes or parts[0] in kinds
        if is_asked_for and not (entry.is_file() and entry.name.endswith(suffixes)):
            yield entry.path


def _entries_in(
    folder: str | Path, parts: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], os.DirEntry[str]]]:
    """Give all that is no folder in a folder and below it, with the folders that lead there."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(error) from error
    for entry in entries:
        cancel.check()
        if entry.is_dir(follow_symlinks=False):
            yield from _entries_in(entry.path, (*parts, entry.name))
        else:
            yield parts, entry


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        raise _unreadable(error) from error


def _unreadable(error: OSError) -> InvalidArgumentError:
    return InvalidArgumentError(
        f"The folder '{error.filename}' cannot be read: {error.strerror}. Check its permissions."
    )
