"""How long to wait for what."""

from __future__ import annotations

from typing import Any

from attrs import Attribute, field, frozen

from hatcher.errors import InvalidArgumentError


def _positive(_: object, attribute: Attribute[Any], value: float | None) -> None:
    if value is not None and not value > 0:
        raise InvalidArgumentError(
            f"The {attribute.name} timeout is {value!r}; give seconds above 0, or None to "
            "wait for ever."
        )


@frozen
class Timeouts:
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

    connect: float | None = field(default=10.0, validator=_positive)
    read: float | None = field(default=60.0, validator=_positive)
    write: float | None = field(default=60.0, validator=_positive)
    pool: float | None = field(default=60.0, validator=_positive)
    stall: float | None = field(default=30.0, validator=_positive)

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
