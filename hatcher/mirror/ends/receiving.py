"""The side of an end that is written to."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from hatcher.mirror.states import Held
from hatcher.transfer.batch import Attempts, Item, Tally
from hatcher.transfer.progress import Phase, Progress
from hatcher.transfer.reports import Outcome

#: Returns a local file with what is to be written, verified.
Obtain: TypeAlias = Callable[[], Path]


class Options(NamedTuple):
    """What the caller of an apply may choose.

    Attributes
    ----------
    create_missing : bool
        Make the repositories that are missing.
    dry_run : bool
        Write nothing.
    journal : str, path-like, bool or None
        Where it is noted what was begun: a file, or one in the user's state folder; False for
        nowhere.
    progress : Progress, optional
        Is told, from the calling thread, of what is one request for many.
    """

    create_missing: bool = False
    dry_run: bool = False
    journal: str | os.PathLike[str] | bool | None = None
    progress: Progress | None = None


class Delivery:
    """An artefact that is to be written, or to be deleted.

    Parameters
    ----------
    path : str
        Below the place: where it is to stand.
    wanted : Held or None
        What the source has; None when it is to be deleted.
    there : Held or None
        What the target has instead, which is known to be what may be replaced.
    """

    __slots__ = ("path", "there", "wanted")

    def __init__(self, path: str, wanted: Held | None, there: Held | None) -> None:
        self.path = path
        self.wanted = wanted
        self.there = there


class Receiver(ABC):
    """Writes to an end."""

    #: Whether a file may be made at once where `local` says.
    is_local = False

    #: What is told of the bytes.
    phase: Phase = "uploading"

    #: What has become of something that was written.
    outcome: Outcome = "uploaded"

    @abstractmethod
    def local(self, path: str) -> Path:
        """Return the local file that something stands in; for people only, on a server."""

    def missing(self, items: Sequence[Item[Delivery]]) -> set[str]:
        """Return the repositories that there would have to be, and must not be created.

        Parameters
        ----------
        items : sequence of Item
        """
        return set()

    @abstractmethod
    def rounds(self, items: Sequence[Item[Delivery]]) -> Iterator[list[Item[Delivery]]]:
        """Give what is to be written, in rounds that follow each other.

        What has to be done after a round is done when the next one is asked for.

        Parameters
        ----------
        items : sequence of Item
        """

    @abstractmethod
    def attempts(self, item: Item[Delivery]) -> Attempts:
        """Return what gives up when it is the same with all that go to one place."""

    @abstractmethod
    def put(self, item: Item[Delivery], obtain: Obtain, tally: Tally) -> Outcome:
        """Write something; what it replaces is as it was a moment ago."""

    @abstractmethod
    def delete(self, item: Item[Delivery], tally: Tally) -> Outcome:
        """Delete something, if it is as it was a moment ago."""

    def keep(self, path: str, held: Held) -> None:  # noqa: B027 - servers need not be told
        """Note something that is there already, and right."""

    @abstractmethod
    def close(self) -> None:
        """Bring to an end what goes for all of it."""
