"""Trying again: when it is harmless, and how long to wait first.

``tests/faults/retries.toml`` says what follows for every operation and every fault.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar

from hatcher import cancel
from hatcher.errors import (
    BroodConnectionError,
    BroodHTTPError,
    BroodTimeoutError,
    HatcherException,
    InvalidArgumentError,
    InvalidResponseError,
    NotConnectedError,
    ServerError,
    TLSError,
)
from hatcher.transport.request import Safety
from hatcher.transport.value import Value

#: A logger of its own, so that those who wait can be told of retries alone.
logger = logging.getLogger("hatcher.retry")

_counts = threading.local()

#: Attributes of errors: nothing was sent; another try would fail too.
_UNSENT, _FINAL = "_unsent", "_final"

_SECONDS = re.compile(r"-?\d{1,9}(\.\d{0,9})?", re.ASCII)

T = TypeVar("T")

#: The server has not carried the request out, and may do so later.
_TURNED_AWAY = frozenset({408, 429})

#: A gateway failed, or the server is overloaded: it may answer otherwise a moment later, and has
#: perhaps carried the request out. Not 500: a server that fails so, fails again.
_PASSING = frozenset({502, 503, 504})


#: The server has too much to do, or this client asks too much.
_OVERLOADED = frozenset({429, 503})


class Turns(Protocol):
    """Whose turn it is among the threads of one operation."""

    def turned_away(self, seconds: float) -> None:
        """Take note that the server wants fewer requests, and none before so many seconds."""

    def connections_to_come(self) -> int:
        """Return how many more connections will be needed; once, and 0 from then on."""

    def leave(self) -> bool:
        """Leave the turn to others; return whether this thread had one."""

    def come_back(self) -> None:
        """Wait for a turn again."""


#: What the threads of an operation share, where they are many.
turns: ContextVar[Turns | None] = ContextVar("hatcher_turns", default=None)


@contextmanager
def turn_left() -> Iterator[None]:
    """Leave this thread's turn to others inside the block."""
    shared = turns.get()
    had_one = shared is not None and shared.leave()
    try:
        yield
    finally:
        if shared is not None and had_one:
            shared.come_back()


def pause(seconds: float) -> None:
    """Wait before something is sent again, unless the operation of this thread is cancelled."""
    with turn_left():
        cancel.sleep(seconds)


class RetryPolicy(Value):
    """How often and after what pause a failed request is sent again.

    Parameters
    ----------
    retries : int, default 3
        How often to try again; 0 never does.
    backoff : float, default 0.5
        Seconds before the first further try; each next pause doubles, and a
        random part keeps many clients from coming back at once.
    longest : float, default 30
        The longest pause in seconds, also when the server asks for more: then
        the error is raised and says how long the server wants.

    Raises
    ------
    InvalidArgumentError
        A number is below 0.
    """

    __match_args__ = ("retries", "backoff", "longest")
    __slots__ = __match_args__

    retries: int
    backoff: float
    longest: float

    def __init__(self, retries: int = 3, backoff: float = 0.5, longest: float = 30.0) -> None:
        super().__init__(retries, backoff, longest)
        for name in self.__match_args__:
            number = getattr(self, name)
            if not number >= 0:
                raise InvalidArgumentError(f"{name} is {number!r}; give a number from 0.")

    def allows(self, safety: Safety, error: BaseException) -> bool:
        """Whether a request of that safety may be sent again after `error`.

        What is safe or idempotent goes out again after whatever passes: a lost
        connection, silence, 408, 429, 502, 503, 504. What is ambiguous does so only
        when it certainly had no effect: nothing of it was sent, or the server turned
        it away because it was too slow (408) or too frequent (429). An answer that
        makes no sense is not asked for again: a wrong URL or a captive portal, which
        it comes from, would give it again.

        Parameters
        ----------
        safety : {'safe', 'idempotent', 'ambiguous'}
            What the description says of the operation.
        error : BaseException
            Why the request failed.

        Returns
        -------
        bool
        """
        if isinstance(error, TLSError) or vars(error).get(_FINAL, False):
            return False
        harmless = safety != "ambiguous" or is_unsent(error)
        if isinstance(error, BroodHTTPError):
            if error.retry_after is not None and error.retry_after > self.longest:
                return False
            if error.status_code in _TURNED_AWAY:
                return True
            return harmless and error.status_code in _PASSING
        return harmless and isinstance(error, BroodConnectionError | BroodTimeoutError)

    def pause(self, failures: int, error: BaseException) -> float:
        """Return how long to wait before the next try.

        Parameters
        ----------
        failures : int
            How many tries have failed, from 1.
        error : BaseException
            Why the last one did.

        Returns
        -------
        float
            Seconds; at least as many as the server asked for.
        """
        # Imported here, for those who never wait.
        import random

        # Past 2**60, any pause but 0 is longer than the longest.
        growing = min(self.backoff * 2.0 ** min(failures - 1, 60), self.longest)
        spread = random.uniform(0, self.backoff)  # noqa: S311 - no secret
        return max(growing + spread, getattr(error, "retry_after", None) or 0.0)


def unsent(error: T) -> T:
    """Note on an error that nothing of the request had been sent, as when its login fails."""
    vars(error)[_UNSENT] = True
    return error


def final(error: T) -> T:
    """Note on an error that another try would fail too, and perhaps count as a failed login."""
    vars(error)[_FINAL] = True
    return error


def call_of_user(call: Callable[[Any], object], argument: object) -> object:
    """Call a user's function; what it raises is no failure of the request."""
    try:
        return call(argument)
    except HatcherException as error:
        final(error)
        raise


def is_unsent(error: BaseException) -> bool:
    """Whether a request failed before anything of it was sent."""
    return isinstance(error, NotConnectedError) or vars(error).get(_UNSENT, False)


def is_certainly_undone(error: BaseException) -> bool:
    """Whether a request that failed has certainly not been carried out."""
    return is_unsent(error) or (isinstance(error, BroodHTTPError) and error.status_code < 500)


def leaves_open(error: BaseException) -> bool:
    """Whether a request that failed so may have been carried out, and a look may tell."""
    if is_unsent(error):
        return False
    if isinstance(error, ServerError):
        # A gateway's words, or words as of one. 500 is the server's own: it has failed.
        return error.status_code in _PASSING
    if isinstance(error, BroodConnectionError | BroodTimeoutError):
        return True
    return type(error) is InvalidResponseError


def retries_of_thread() -> int:
    """Return how often this thread has tried something again."""
    count: int = getattr(_counts, "retries", 0)
    return count


def pause_before_retry(
    policy: RetryPolicy, safety: Safety, failures: int, error: BaseException
) -> float:
    """Return how long to wait after so many failures, and log it; raise the last if it is no use."""
    if failures > policy.retries or not policy.allows(safety, error):
        raise error
    seconds = policy.pause(failures, error)
    _counts.retries = retries_of_thread() + 1
    logger.info("Trying again in %.1f s (%d of %d): %s", seconds, failures, policy.retries, error)
    return seconds


def overload_pause(policy: RetryPolicy, error: BaseException) -> float | None:
    """Return how long a server that turns requests away wants none; None where it does not."""
    if not isinstance(error, BroodHTTPError) or error.status_code not in _OVERLOADED:
        return None
    seconds = error.retry_after or 0.0
    return seconds if seconds <= policy.longest else 0.0


def note_overload(policy: RetryPolicy, error: BroodHTTPError) -> None:
    """Tell the other threads of the operation when the server turns requests away."""
    shared, seconds = turns.get(), overload_pause(policy, error)
    if shared is not None and seconds is not None:
        shared.turned_away(seconds)


def parse_retry_after(value: str | None) -> float | None:
    """Return the seconds of a Retry-After header: numbers, of which the largest counts, or a date."""
    if value is None:
        return None
    numbers = [number.strip() for number in value.split(",")]
    if all(map(_SECONDS.fullmatch, numbers)):
        return max(0.0, *map(float, numbers))
    return _seconds_until(value)


def _seconds_until(date: str) -> float | None:
    # Imported here: dates are rare, and take 10 ms.
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
