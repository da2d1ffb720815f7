"""Local files, found readable or refused with a reason."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from hatcher.characters import all_show, shown
from hatcher.errors import ArtefactError


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
    if suffix and file.suffix != suffix:
        raise error(
            f"'{file.name}' is not {kind}: its name does not end in '{suffix}'. Give one that does."
        )
    if not all_show(file.name):
        raise error(
            f"The name of the file '{shown(file.name)}' holds characters that do not show, which no "
            "server takes. Rename it."
        )
    return file
