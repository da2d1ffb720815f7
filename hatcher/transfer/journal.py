"""What an unfinished batch has begun to send.

A journal is a file of JSON lines: a header, then one line for each file, written before
the file is sent, which names the place and what the file is called there. When a batch is repeated,
the server is asked for these alone; nothing that stands here is believed without that.
A batch that has come to a good end removes its journal.

By default a batch makes a file of its own in the user's state folder and locks it, so
that any number of processes may work at once. The files that other processes have left
behind are read with it, and removed when all that they name is settled.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from hatcher.errors import InvalidArgumentError
from hatcher.files.folders import user_folder

try:
    import fcntl as _fcntl
except ImportError:  # Windows: a file that is open there cannot be removed, which is enough
    fcntl: ModuleType | None = None
else:
    fcntl = _fcntl

logger = logging.getLogger("hatcher")

#: What something is called on the server, such as name, version and python tag.
Claim: TypeAlias = tuple[str, ...]

#: Where journals are, instead of the user's state folder; empty for no journals.
FOLDER_VARIABLE = "HATCHER_STATE_DIR"

_HEADER = {"hatcher": "batch", "version": 1}
_SUFFIX, _UNNAMED = ".batch", ".new"

#: Seconds that a journal which nobody has come back to is kept: 30 days.
_LIFETIME = 30 * 24 * 3600

_OPEN = os.O_RDWR | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
_NEW = _OPEN | os.O_CREAT | os.O_EXCL


class Journal:
    """What was begun to be sent to one place; see `open_journal`.

    Parameters
    ----------
    place : str
        A digest of where it is sent to.
    left : list of File
        The files of unfinished batches, locked.
    others : collection of Claim
        What batches that are at work meanwhile have begun.
    make : callable
        Gives the file to write to, locked, when there is something to write.
    """

    def __init__(
        self,
        place: str,
        left: list[File],
        others: Collection[Claim],
        make: Callable[[], File],
    ) -> None:
        self._place = place
        self._left = left
        self._make = make
        self._own: File | None = None
        self.begun: frozenset[Claim] = frozenset(others).union(
            *(file.claims.get(place, ()) for file in left)
        )

    def begin(self, claims: Iterable[Claim]) -> None:
        """Write down what is going to be sent."""
        try:
            if self._own is None:
                self._own = self._make()
            self._own.append(self._place, claims)
        except OSError as error:
            # The work matters more than its journal: at worst something is sent again.
            logger.warning("the journal of the batch could not be written: %s", error)

    def settle(self, claims: Iterable[Claim]) -> None:
        """Remove the files in which nothing stands beside these claims."""
        settled = {(self._place, claim) for claim in claims}
        files = self._left if self._own is None else [*self._left, self._own]
        for file in dict.fromkeys(files):
            if file.names() <= settled:
                file.remove()

    def close(self) -> None:
        """Let go of the files, for whoever goes on with what they hold."""
        for file in self._left:
            file.close()
        if self._own is not None:
            self._own.close()


class File:
    """One journal file that is open.

    Parameters
    ----------
    path : pathlib.Path
    descriptor : int
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.claims: dict[str, set[Claim]] = {}
        self._descriptor = descriptor
        self._closed = False
        self._torn = False

    def lock(self) -> bool:
        """Take the file for this process; return whether nobody else has it."""
        if fcntl is None:
            return True
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        except OSError:
            return True  # there are no locks on this file system
        # Who had it may have removed it: then the name is another file's, or nobody's.
        return os.fstat(self._descriptor).st_nlink > 0

    def read(self) -> bool:
        """Read what stands in it; return whether it is a journal of this version.

        A last line that was cut off is left out.
        """
        with open(self._descriptor, "rb", closefd=False) as file:
            content = file.read()
        if not content:
            os.write(self._descriptor, _line(_HEADER))
            return True
        lines = [_parsed(line) for line in content.split(b"\n")]
        if lines[0] != _HEADER:
            return False
        for line in lines[1:]:
            if isinstance(line, list) and line and all(isinstance(word, str) for word in line):
                self.claims.setdefault(line[0], set()).add(tuple(line[1:]))
        self._torn = not content.endswith(b"\n")
        return True

    def append(self, place: str, claims: Iterable[Claim]) -> None:
        """Add lines, in one write."""
        claims = list(claims)
        self.claims.setdefault(place, set()).update(claims)
        # After a line that was cut off, the next one begins a line of its own.
        lines, self._torn = b"\n" if self._torn else b"", False
        os.write(self._descriptor, lines + b"".join(_line([place, *claim]) for claim in claims))

    def names(self) -> set[tuple[str, Claim]]:
        """Return all that stands in it."""
        return {(place, claim) for place, claims in self.claims.items() for claim in claims}

    def remove(self) -> None:
        """Remove the file."""
        self.close()
        with suppress(OSError):
            self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close it, which gives up the lock."""
        if not self._closed:
            self._closed = True
            os.close(self._descriptor)


def open_journal(place: Iterable[str], journal: str | os.PathLike[str] | None) -> Journal | None:
    """Open the journal of a batch.

    Parameters
    ----------
    place : iterable of str
        Where the batch goes to: server, organization, repository, platform.
    journal : str or path-like, optional
        A file of the user's choice; without it one in the user's state folder.

    Returns
    -------
    Journal or None
        None when there can be none, and nobody has asked for one.

    Raises
    ------
    InvalidArgumentError
        The file of the user's choice cannot be used.
    """
    digest = hashlib.sha256(json.dumps(list(place)).encode()).hexdigest()[:16]
    if journal is not None:
        return _open_given(digest, Path(journal))
    try:
        parent = user_folder("state", FOLDER_VARIABLE)
        if parent is None:
            return None
        folder = parent / "batches"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        left, others = _left_behind(folder, digest)
    except OSError as error:
        logger.warning("there is no journal of the batch: %s", error)
        return None
    return Journal(digest, left, others, lambda: _new(folder, digest))


def _open_given(digest: str, path: Path) -> Journal:
    try:
        file = File(path, os.open(path, _OPEN | os.O_CREAT, 0o600))
    except OSError as error:
        raise InvalidArgumentError(
            f"The journal '{path}' cannot be written ({error.strerror}). Give the path of a file "
            "in a folder that exists."
        ) from error
    if not file.lock():
        file.close()
        raise InvalidArgumentError(
            f"Another batch is at work with the journal '{path}'. Wait for it, or give another "
            "path."
        )
    if not file.read():
        file.close()
        raise InvalidArgumentError(
            f"'{path}' is not a journal that this version of hatcher can read, so it was left as "
            "it is. Give another path, or remove it."
        )
    return Journal(digest, [file], (), lambda: file)


def _left_behind(folder: Path, digest: str) -> tuple[list[File], set[Claim]]:
    """Open what unfinished batches have left; read what others have begun so far."""
    left: list[File] = []
    others: set[Claim] = set()
    for path in folder.iterdir():
        # Other processes remove theirs meanwhile.
        with suppress(FileNotFoundError):
            if path.suffix not in (_SUFFIX, _UNNAMED):
                continue
            old = time.time() - path.stat().st_mtime > _LIFETIME
            ours = path.suffix == _SUFFIX and path.name.startswith(digest)
            if not old and not ours:
                continue
            file = File(path, os.open(path, _OPEN))
            is_free = file.lock()
            if old and is_free:
                file.remove()
            elif not file.read():
                logger.warning("'%s' is no journal of this version: it is not read", path)
                file.close()
            elif is_free and ours:
                left.append(file)
            else:
                others |= file.claims.get(digest, set())
                file.close()
    return left, others


def _new(folder: Path, digest: str) -> File:
    # Locked before it has its name, so that nobody takes it for one that was left behind.
    path = folder / f"{digest}-{secrets.token_hex(8)}{_SUFFIX}"
    making = path if fcntl is None else path.with_suffix(_UNNAMED)
    file = File(path, os.open(making, _NEW, 0o600))
    try:
        file.lock()
        file.read()
        if making != path:
            making.rename(path)
    except BaseException:
        file.close()
        making.unlink(missing_ok=True)
        raise
    return file


def _line(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
