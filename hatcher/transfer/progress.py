"""How far a long call has come, told to whoever wants to know."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

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
