"""How long to wait for what."""

from __future__ import annotations

import time

from hatcher.errors import InvalidArgumentError
from hatcher.transport.value import Value


class Timeouts(Value):
    """Seconds to wait before a request fails with a `BroodTimeoutError`.

    Parameters
    ----------
    connect : float or None, default 10
        Until the connection stands, TLS included.
    read : float or None, default 60
        Until an answer begins, and between its parts where it is no file.
    write : float or None, default 60
        Until the other side takes the next bytes.
    pool : float or None, default 60
        Until one of the session's connections is free.
    stall : float or None, default 30
        Between two arrivals of bytes of a file that is being downloaded.

    Raises
    ------
    InvalidArgumentError
        A number is not above 0.

    Notes
    -----
    None waits for ever. None of them limits a transfer as a whole.
    """

    __match_args__ = ("connect", "read", "write", "pool", "stall")
    __slots__ = __match_args__

    connect: float | None
    read: float | None
    write: float | None
    pool: float | None
    stall: float | None

    def __init__(
        self,
        connect: float | None = 10.0,
        read: float | None = 60.0,
        write: float | None = 60.0,
        pool: float | None = 60.0,
        stall: float | None = 30.0,
    ) -> None:
        super().__init__(connect, read, write, pool, stall)
        for name in self.__match_args__:
            seconds = getattr(self, name)
            if seconds is not None and not seconds > 0:
                raise InvalidArgumentError(
                    f"The {name} timeout is {seconds!r}; give seconds above 0, or None to wait "
                    "for ever."
                )

    @classmethod
    def of(cls, timeout: float | Timeouts | None) -> Timeouts:
        """Return `timeout` itself, or the same number of seconds for everything.

        Parameters
        ----------
        timeout : float, Timeouts or None
            Seconds; None waits for ever.

        Returns
        -------
        Timeouts
        """
        if isinstance(timeout, Timeouts):
            return timeout
        return cls(timeout, timeout, timeout, timeout, timeout)


def deadline(seconds: float | None) -> float | None:
    """Return the time of the monotonic clock in that many seconds."""
    return None if seconds is None else time.monotonic() + seconds


def left(until: float | None) -> float | None:
    """Return the seconds until a deadline; raise TimeoutError if it has passed."""
    if until is None:
        return None
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds
