"""Text files from anywhere, read within a limit."""

from __future__ import annotations

from pathlib import Path

from hatcher.errors import ArtefactError

#: The largest app or bundle that is read, in bytes.
LARGEST_TEXT = 16 << 20


def read_text(file: Path, error: type[ArtefactError]) -> str:
    """Return the text of a file.

    Raises
    ------
    ArtefactError
        Of the class `error`: it is too large, or not UTF-8.
    """
    size = file.stat().st_size
    if size > LARGEST_TEXT:
        raise error(f"'{file}' has {size} bytes; more than {LARGEST_TEXT} are not read.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise error(f"'{file}' is not UTF-8 text: {cause}. Save it as UTF-8.") from cause
