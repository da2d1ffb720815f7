"""Where files of the user's own are: the one home of home directories and the usual folders."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Literal

from hatcher.errors import InvalidDestinationError


class NoHomeError(FileNotFoundError):
    """The user has no home directory: no passwd entry, and no HOME."""

    def __init__(self, path: str) -> None:
        super().__init__(errno.ENOENT, "This user has no home directory: set HOME", path)


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return an absolute path, in which ``~`` is a home directory.

    Raises
    ------
    NoHomeError
        There is no such home directory.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise NoHomeError(os.fspath(path)) from error


def user_folder(kind: Literal["cache", "config"], variable: str = "") -> Path | None:
    """Return the user's folder of a kind; it need not exist.

    Parameters
    ----------
    kind : {'cache', 'config'}
    variable : str, optional
        The environment variable that names another one; where it is empty, there is none.

    Raises
    ------
    NoHomeError
        It would be in the home directory, and there is none.
    """
    named = os.environ.get(variable)
    if named is not None:
        return expanded(named) if named.strip() else None
    # Imported here, for those who need no such folder.
    import platformdirs

    try:
        folder: Path = getattr(platformdirs, f"user_{kind}_path")("hatcher", appauthor=False)
    except (KeyError, RuntimeError) as error:
        raise NoHomeError("~") from error
    if not folder.is_absolute():  # as some versions leave it then
        raise NoHomeError(str(folder))
    return folder


def make_directory(directory: Path) -> None:
    """Make a directory, and those above it, where they are missing.

    Parameters
    ----------
    directory : pathlib.Path

    Raises
    ------
    InvalidDestinationError
        It cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidDestinationError(
            f"The folder '{directory}' cannot be made: {error.strerror}. Check what stands in its "
            "way and the permissions, or give another."
        ) from error


def existing_directory(destination: str | os.PathLike[str]) -> Path:
    """Return `destination` when files can be put there.

    Raises
    ------
    InvalidDestinationError
        It is no directory, or cannot be written to.
    """
    directory = Path(destination)
    if not directory.is_dir():
        what = "is a file, not" if directory.exists() else "is not"
        raise InvalidDestinationError(
            f"The destination '{directory}' {what} a directory. Create it, or give another."
        )
    if not os.access(directory, os.W_OK | os.X_OK):
        raise InvalidDestinationError(
            f"The destination '{directory}' cannot be written to. Check its permissions, or give "
            "another."
        )
    return directory
