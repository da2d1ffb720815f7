"""Local files: found readable and read within a limit, or refused with a reason."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unicodedata import normalize

from hatcher.characters import all_show, shown
from hatcher.errors import ArtefactError

_PARTS = re.compile(r"([.\w]+)-([^-]+)-([0-9]+)")

#: The largest app or bundle that is read, in bytes.
LARGEST_TEXT = 16 << 20


def existing_file(
    path: str | os.PathLike[str], error: type[ArtefactError], suffix: str, kind: str
) -> Path:
    """Return `path` as a Path when it is a readable file of the right kind.

    Parameters
    ----------
    path : str or path-like
        Where the file should be.
    error : type of ArtefactError
        What to raise when it is not.
    suffix : str
        How its name must end, such as ``.egg``; empty for any end.
    kind : str
        What such a file is called in a message, such as ``an egg``.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    ArtefactError
        Of the class `error`: the file is missing, is a directory or no ordinary file,
        cannot be read, has another suffix, or characters in its name that do not show.
    """
    file = Path(path)
    try:
        mode = file.stat().st_mode
    except PermissionError as cause:
        raise error(f"'{file}' cannot be reached. Check the permissions of its folder.") from cause
    except (OSError, ValueError) as cause:
        raise error(f"There is no file '{file}'. Check the path.") from cause
    if stat.S_ISDIR(mode):
        raise error(f"'{file}' is a directory, not {kind}. Give the path of one file.")
    if not stat.S_ISREG(mode):
        raise error(f"'{file}' is no ordinary file, so it is not {kind}. Copy it into one.")
    if not os.access(file, os.R_OK):
        raise error(f"'{file}' cannot be read. Check its permissions.")
    if suffix:
        check_suffix(file, error, (suffix,), kind)
    if not all_show(file.name):
        raise error(
            f"The name of the file '{shown(file.name)}' holds characters that do not show, which no "
            "server takes. Rename it."
        )
    return file


def check_suffix(
    file: Path, error: type[ArtefactError], suffixes: tuple[str, ...], kind: str
) -> None:
    """Refuse a file whose name ends in none of some suffixes."""
    if file.suffix not in suffixes:
        ends = " or ".join(f"'{suffix}'" for suffix in suffixes)
        raise error(
            f"'{shown(file.name)}' is not {kind}: its name does not end in {ends}. Give one that "
            "does."
        )


def parts_of(
    file: Path, error: type[ArtefactError], kind: str, example: str
) -> tuple[str, str, str]:
    """Return the name, version and build that a file is called."""
    called = _PARTS.fullmatch(normalize("NFC", file.stem))
    if called is None:
        raise error(
            f"'{shown(file.name)}' is not called as {kind} must be: name-version-build"
            f"{file.suffix}, for example {example}{file.suffix}. Rename it."
        )
    name, version, build = called.groups()
    return name, version, build


def read_text(file: Path, error: type[ArtefactError], largest: int = LARGEST_TEXT) -> str:
    """Return the text of a file, without a byte order mark.

    Raises
    ------
    ArtefactError
        Of the class `error`: it is too large, cannot be read, or is not UTF-8.
    """
    try:
        size = file.stat().st_size
        if size > largest:
            raise error(
                f"'{file}' has {size} bytes; more than {largest} are not read. Give a smaller one."
            )
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as cause:
        raise error(f"'{file}' is not UTF-8 text: {cause}. Save it as UTF-8.") from cause
    except OSError as cause:
        raise error(f"'{file}' cannot be read: {cause}. Check the disk.") from cause


@contextmanager
def refusing(error: type[ArtefactError], problem: str, advice: str) -> Iterator[None]:
    """Raise a ValueError about a file as what it means: the problem, why, and what to do."""
    try:
        yield
    except ValueError as cause:
        raise error(f"{problem}: {cause}. {advice}") from cause
