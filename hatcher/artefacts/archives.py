"""Zip files from anywhere, looked at before they are unpacked."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.errors import ArtefactError

if TYPE_CHECKING:
    import zipfile

#: Bytes that a description in an archive may unpack to. Real ones have a few thousand.
LARGEST_DESCRIPTION = 1 << 20


def refuse_bombs(
    file: Path, archive: zipfile.ZipFile, members: Collection[str], error: type[ArtefactError]
) -> None:
    """Refuse an archive in which a description unpacks to more than any real one.

    Parameters
    ----------
    file : pathlib.Path
    archive : zipfile.ZipFile
        The file, opened.
    members : collection of str
        The names of the members that are going to be read.
    error : type of ArtefactError
        What to raise.

    Raises
    ------
    ArtefactError
        Of the class `error`: one of them is too large.
    """
    for member in archive.infolist():
        # zipfile never reads more of a member than the directory says.
        if member.filename in members and member.file_size > LARGEST_DESCRIPTION:
            raise error(
                f"'{file}' is not to be trusted: its {member.filename} unpacks to "
                f"{member.file_size} bytes, more than {LARGEST_DESCRIPTION}. Build it again."
            )


def refuse_namesakes(file: Path, archive: zipfile.ZipFile, error: type[ArtefactError]) -> None:
    """Refuse an archive that has two members of one name.

    One reader takes the first of them and another one the last.

    Raises
    ------
    ArtefactError
        Of the class `error`.
    """
    if len(archive.NameToInfo) == len(archive.filelist):
        return
    names = archive.namelist()
    twice = next(name for name in names if names.count(name) > 1)
    raise error(f"'{file}' is not valid: it has '{twice}' more than once. Build it again.")
