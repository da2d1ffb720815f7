"""Files that are for nobody but the user: written whole or not at all, with mode 0600."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hatcher.cli.refusals import Refusal


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Let no other process change a file between reading and writing it.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made when missing. Two links to one file are one file.

    Raises
    ------
    Refusal, InvalidDestinationError
        It could not be written.
    """
    from hatcher.files.locks import locked

    target = _target(path)
    with locked(target.with_name(f".{target.name}.lock")):
        yield


def write_private(path: Path, text: str) -> None:
    """Write a file in place of the one that is there, whose mode stays; a new one is private.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made when missing. What a symbolic link leads to is written.
    text : str

    Raises
    ------
    Refusal, InvalidDestinationError
        It could not be written; what was there is still there.
    """
    # Imported here: most commands write none.
    from hatcher.files.atomic import replacing

    target = _target(path)
    with replacing(target, private=True) as partial:
        if target.exists():
            Path(partial.path).chmod(stat.S_IMODE(target.stat().st_mode))
        partial.write(text.encode())


def _target(path: Path) -> Path:
    """Return what a link leads to, in a folder that is there."""
    target = Path(os.path.realpath(path))
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if path.is_relative_to(os.devnull):
            what = "Nothing can be kept: this user has no home directory."
        else:
            what = f"{path} cannot be written: {error.strerror or error}."
        raise Refusal(what, "Name a file in a folder of your own in HATCHER_CONFIG.") from error
    return target


def read_private(path: Path) -> str | None:
    """Read a file that holds secrets; None when there is none.

    Parameters
    ----------
    path : pathlib.Path

    Raises
    ------
    Refusal
        Others may read or change it.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            if os.name == "posix":
                _check(path, os.fstat(file.fileno()))
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _check(path: Path, status: os.stat_result) -> None:
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refusal(
            f"The credentials in {path} are not used: others may read or change that file.",
            f"Was it meant to be so? If not: chmod 600 {path}",
        )
    if os.geteuid() not in (0, status.st_uid):
        raise Refusal(
            f"The credentials in {path} are not used: that file belongs to another user.",
            "Name a configuration of your own in HATCHER_CONFIG, and log in: hatcher login",
        )
