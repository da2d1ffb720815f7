"""The manifest of a folder: what hatcher has put into it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from hatcher.files.locks import locked
from hatcher.mirror.documents import DOCUMENTS, digest_of_file
from hatcher.mirror.layout import KINDS, Kind
from hatcher.mirror.manifests.manifest import FILENAME, Entry, Manifest, kind_at, now, read_manifest
from hatcher.mirror.selection import Selection
from hatcher.transfer.hashing import file_sha256
from hatcher.transfer.progress import Progress

#: What is locked while several processes write to the one of a folder.
LOCK = ".manifest.lock"


def record_files(root: Path, paths: Iterable[str], sha256s: Mapping[str, str | None]) -> None:
    """Write down in a folder's ``manifest.json`` what was put into it; see `record`.

    Parameters
    ----------
    root : pathlib.Path
    paths : iterable of str
        The files, by their paths in the layout.
    sha256s : mapping of str to str or None
        By what they are compared, where that is known.

    Raises
    ------
    HatcherException
        As for `record`; or a file is not what it should be.
    """
    known: dict[str, Kind] = {}
    there = {}
    for path in paths:
        # Another process may have removed it meanwhile.
        with suppress(FileNotFoundError):
            kind = kind_at(path, known)
            there[path] = entry_of_file(root / path, kind, sha256s.get(path))
    record(root, there)


def record(root: Path, there: Mapping[str, Entry], gone: Iterable[str] = ()) -> None:
    """Write down in a folder's ``manifest.json`` what was put into it, and what was deleted.

    What stands in it already stays. When nothing is new, it is not written. Several processes
    may do this at once.

    Parameters
    ----------
    root : pathlib.Path
        The folder that ``v1`` is in.
    there : mapping of str to Entry
        By the path in the layout.
    gone : iterable of str
        Paths in the layout.

    Raises
    ------
    ArtefactError
        What is there under that name is no manifest, so it was left as it is.
    InvalidDestinationError
        It cannot be written.
    InvalidNameError
        A path is none of the layout.
    """
    path = root / FILENAME
    known: dict[str, Kind] = {}
    for name in there:
        kind_at(name, known)
    with locked(root / LOCK):
        before: Mapping[str, Entry] = {}
        if os.path.lexists(path):
            before = read_manifest(path).artefacts
        # An archive that was unpacked by hand says what it carried.
        after = {name: entry._replace(carried=False) for name, entry in before.items()}
        after.update(there)
        for name in gone:
            after.pop(name, None)
        if after != before:
            everything = Selection(KINDS, None, None)
            Manifest("all that hatcher has put here", (), None, everything, after, now()).write(
                path
            )


def entry_of_file(
    path: Path, kind: Kind, sha256: str | None = None, progress: Progress | None = None
) -> Entry:
    """Return what a manifest says of a file.

    Parameters
    ----------
    path : pathlib.Path
    kind : {'eggs', 'runtimes', 'apps', 'bundles'}
    sha256 : str, optional
        What it is compared by, where that is known; it is not found out again.
    progress : Progress, optional
        Is told of bytes that are hashed.

    Raises
    ------
    ArtefactError
        It is no bundle or app.
    OSError
        It cannot be read.
    """
    size = path.stat().st_size
    if kind in DOCUMENTS:
        file = file_sha256(path, progress=progress)
        return Entry(kind, sha256 or digest_of_file(kind, path), size, file)
    return Entry(kind, sha256 or file_sha256(path, progress=progress), size)
