"""Where each artefact stands in a folder, as the existing client's export lays it out.

``v<api>/<organization>/<repository>/<platform>/<kind>/[<python tag>/]<file>``: eggs, apps and
bundles have a folder for each python tag, which is called ``None`` for those that have none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Literal, NamedTuple, NoReturn, TypeAlias, get_args

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
        next(known for known in KINDS if known == kind),
        tag,
        filename,
    )


def version_folder(root: Path, api_version: int) -> Path:
    """Return the folder of what was exported with a version of the API.

    Raises
    ------
    InvalidArgumentError
        There is none.
    """
    folder = root / f"v{api_version}"
    if not folder.is_dir():
        others = sorted(path.name for path in root.glob("v[0-9]*") if path.is_dir())
        said = f" There is {', '.join(others)}, of another version of the API." if others else ""
        raise InvalidArgumentError(
            f"There is no folder '{folder.name}' in '{root}'.{said} Give the folder that an export "
            "was written to."
        )
    return folder


def repositories_in(root: Path, api_version: int) -> Iterator[tuple[str, str]]:
    """Give the repositories that a folder holds, sorted: organization and repository.

    Parameters
    ----------
    root : pathlib.Path
    api_version : int
    """
    for organization in _folders(version_folder(root, api_version)):
        for repository in _folders(organization):
            yield organization.name, repository.name


def platforms_in(root: Path, api_version: int, organization: str, repository: str) -> list[str]:
    """Return the platforms of a repository that a folder holds, sorted."""
    folder = version_folder(root, api_version) / organization / repository
    return [platform.name for platform in _folders(folder)]


def files_in(
    root: Path, api_version: int, organization: str, repository: str, platform: str, kind: Kind
) -> list[Path]:
    """Return the files of a kind that a folder holds, in whatever folders below it.

    Hidden files, and those that end otherwise, are none of them.
    """
    folder = version_folder(root, api_version) / organization / repository / platform / kind
    if not folder.is_dir():
        return []
    return sorted(
        Path(where, name)
        for where, _, names in os.walk(folder, onerror=unreadable)
        for name in names
        if name.endswith(SUFFIXES[kind]) and not name.startswith(".")
    )


def stray_in(
    root: Path, api_version: int, organization: str, repository: str, kinds: Collection[Kind]
) -> InvalidArgumentError | None:
    """Return what is to be said of the files of a repository that no artefact is called like.

    Hidden files, and what a download left half done, are none of them.
    """
    folder = version_folder(root, api_version) / organization / repository
    strays = [path for platform in _folders(folder) for path in _strays(os.fspath(platform), kinds)]
    if not strays:
        return None
    number = "1 file" if len(strays) == 1 else f"{len(strays):,} files"
    return InvalidArgumentError(
        f"{number} cannot be told to be an artefact, such as '{shown(strays[0])}'. Rename it, put "
        "it where an export would, or move it away."
    )


def _strays(folder: str, kinds: Collection[Kind], kind: str | None = None) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        unreadable(error)
    for entry in entries:
        if entry.name.startswith(".") or entry.name.endswith(PARTIAL_SUFFIX):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _strays(entry.path, kinds, kind or entry.name)
        elif kind in KINDS and kind not in kinds:
            continue  # not asked for
        elif not entry.is_file() or not entry.name.endswith(
            SUFFIXES[kind] if kind in KINDS else ()
        ):
            yield entry.path


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")
        )
    except OSError as error:
        unreadable(error)


def unreadable(error: OSError) -> NoReturn:
    """Say that a folder cannot be read.

    Raises
    ------
    InvalidArgumentError
        Always.
    """
    raise InvalidArgumentError(
        f"The folder '{error.filename}' cannot be read: {error.strerror}. Check its permissions."
    ) from error
