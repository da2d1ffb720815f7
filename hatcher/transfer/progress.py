"""How far a long call has come, told to whoever wants to know."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol, TypeAlias

#: What a long call is doing: reading files to know their sha256; sending; receiving; or
#: waiting for the server to show what it has.
Phase: TypeAlias = Literal["hashing", "uploading", "downloading", "indexing"]


class Progress(Protocol):
    """What long calls take as `progress`: any callable with these parameters.

    It is called from one thread at a time, now and then. `done` never falls within a
    phase, and is `total` at the end of it. An exception that it raises ends the call
    and comes out of it; nothing is left behind.

    Examples
    --------
    >>> def progress(done, total, phase):
    ...     print(f'{phase}: {done} of {total} bytes')
    >>> platform.upload_egg('nose-1.3.0-1.egg', progress=progress)
    """

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        """Take note.

        Parameters
        ----------
        done : int
            Bytes so far in this phase.
        total : int or None
            Bytes of the whole phase; None where nobody knows.
        phase : {'hashing', 'uploading', 'downloading', 'indexing'}
            What is being done.
        """


class BatchOptions(NamedTuple):
    """What the caller of a batch may choose."""

    concurrency: int | None = None
    progress: Progress | None = None
    dry_run: bool = False
    overwrite: bool = False
    connections: int | None = None


class Meter:
    """Tells a `Progress` of one phase, and keeps to what it may count on.

    Parameters
    ----------
    progress : Progress, optional
        Nobody is told when it is not given.
    total : int or None
        Bytes of the whole phase.
    phase : {'hashing', 'uploading', 'downloading', 'indexing'}
    """

    __slots__ = ("_phase", "_progress", "_reached", "_total")

    def __init__(self, progress: Progress | None, total: int | None, phase: Phase) -> None:
        self._progress = progress
        self._total = total
        self._phase = phase
        self._reached = -1

    def reach(self, done: int) -> None:
        """Tell of so many bytes, unless as many have been told of already.

        What is sent a second time counts when it passes what was sent before.
        """
        if self._total is not None:
            done = min(done, self._total)
        if self._progress is not None and done > self._reached:
            self._reached = done
            self._progress(done, self._total, self._phase)
