"""Trying again: when it is harmless, and how long to wait before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from attrs import Attribute, field, frozen

from hatcher.errors import (
    BroodConnectionError,
    BroodHTTPError,
    BroodTimeoutError,
    HatcherException,
    InvalidArgumentError,
    NotConnectedError,
    TLSError,
)
from hatcher.transport.request import Safety

logger = logging.getLogger("hatcher")

T = TypeVar("T")

#: The server, or a gateway before it, may answer otherwise a moment later.
_PASSING = frozenset({429, 502, 503, 504})


def _not_negative(_: object, attribute: Attribute[Any], value: float) -> None:
    if not value >= 0:
        raise InvalidArgumentError(f"{attribute.name} is {value!r}; give a number from 0.")


@frozen
class RetryPolicy:
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

    retries: int = field(default=3, validator=_not_negative)
    backoff: float = field(default=0.5, validator=_not_negative)
    longest: float = field(default=30.0, validator=_not_negative)

    def allows(self, safety: Safety, error: BaseException) -> bool:
        """Whether a request of that safety may be sent again after `error`.

        What is not safe goes out again only when it certainly had no effect: no
        connection was made, or the server turned it away for its rate.

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
        if isinstance(error, TLSError):
            return False
        if isinstance(error, BroodHTTPError):
            if error.retry_after is not None and error.retry_after > self.longest:
                return False
            passing = error.status_code in _PASSING
            return passing and (safety == "safe" or error.status_code == 429)
        if safety == "safe":
            return isinstance(error, BroodConnectionError | BroodTimeoutError)
        return isinstance(error, NotConnectedError)


def resume(
    policy: RetryPolicy,
    safety: Safety,
    first: HatcherException,
    again: Callable[[], T],
    sleep: Callable[[float], object] = time.sleep,
) -> T:
    """Go on after a first failure.

    Parameters
    ----------
    policy : RetryPolicy
    safety : {'safe', 'idempotent', 'ambiguous'}
        The safety of what is tried.
    first : HatcherException
        Why the first try failed.
    again : callable
        The next try; called after each pause until it returns.
    sleep : callable, optional
        Lets that many seconds pass.

    Returns
    -------
    object
        What `again` returned.

    Raises
    ------
    HatcherException
        The last failure, when the policy allows no further try.
    """
    if policy.retries == 0 or not policy.allows(safety, first):
        raise first

    # Imported here: 50 ms that a session without a failure never spends.
    import tenacity

    pause = tenacity.wait_exponential(
        multiplier=policy.backoff, max=policy.longest
    ) + tenacity.wait_random(0, policy.backoff)

    def wait(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = getattr(error, "retry_after", None)
        seconds = max(pause(state), asked or 0.0)
        logger.info("trying again in %.1f s after: %s", seconds, error)
        return seconds

    pending: list[HatcherException] = [first]

    def attempt() -> T:
        # The first failure counts as the first attempt.
        if pending:
            raise pending.pop()
        return again()

    def nap(seconds: float) -> None:
        sleep(seconds)

    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(policy.retries + 1),
        wait=wait,
        retry=tenacity.retry_if_exception(lambda error: policy.allows(safety, error)),
        sleep=nap,
        reraise=True,
    )(attempt)


def parse_retry_after(value: str | None) -> float | None:
    """Read a Retry-After header in either form.

    Parameters
    ----------
    value : str or None
        A number of seconds or an HTTP date.

    Returns
    -------
    float or None
        Seconds from now, at least 0; None when there is nothing readable.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
