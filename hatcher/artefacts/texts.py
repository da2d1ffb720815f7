"""Text files from anywhere, read within a limit."""

from __future__ import annotations

from pathlib import Path

from hatcher.errors import ArtefactError

#: The largest app or bundle that is read, in bytes.
LARGEST_TEXT = 16 << 20


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
