"""Files that are for nobody but the user: written whole or not at all, with mode 0600."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from hatcher.cli.failures.refusals import Refusal


def write_private(path: Path, text: str) -> None:
    """Write a file that nobody else may read, in place of the one that is there.

    Parameters
    ----------
    path : pathlib.Path
        Its folder is made when missing. What a symbolic link leads to is written.
    text : str

    Raises
    ------
    Refusal
        It cannot be written.
    """
    try:
        _write(Path(os.path.realpath(path)), text)
    except OSError as error:
        if path.is_relative_to(os.devnull):
            what = "Nothing can be kept: this user has no home directory."
        else:
            what = f"{path} cannot be written: {error.strerror or error}."
        raise Refusal(what, "Name a file in a folder of your own in HATCHER_CONFIG.") from error


def _write(target: Path, text: str) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
        with open(path, encoding="utf-8") as file:
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
