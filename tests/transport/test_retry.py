"""When a request is sent again, and after what pause."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    HatcherException,
    IncompleteDownloadError,
    InvalidArgumentError,
    InvalidEgg,
    InvalidJSONError,
    NotConnectedError,
    TLSError,
    TransferInterruptedError,
)
from hatcher.transport.answers import http_error
from hatcher.transport.request import Safety
from hatcher.transport.retry import RetryPolicy, may_be_gone, parse_retry_after, unsent
from hatcher.transport.timeouts import Timeouts


def answered(status: int, retry_after: str | None = None) -> HatcherException:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return http_error(("do it", "GET", "https://example.com"), status, headers, b"")


@pytest.mark.parametrize(
    ("safety", "error", "again"),
    [
        ("safe", answered(503), True),
        ("safe", answered(502), True),
        ("safe", answered(504), True),
        ("safe", answered(429, "1"), True),
        ("safe", answered(429, "3600"), False),
        ("safe", answered(500), False),
        ("safe", answered(404), False),
        ("safe", BroodConnectionError("lost"), True),
        ("safe", BroodTimeoutError("silent"), True),
        ("safe", NotConnectedError("refused"), True),
        ("safe", TLSError("certificate"), False),
        ("safe", InvalidEgg("no egg"), False),
        ("safe", answered(408), True),
        ("safe", InvalidJSONError("cut"), False),
        ("safe", TransferInterruptedError("Ctrl-C"), False),
        ("idempotent", answered(408), True),
        ("idempotent", answered(429, "1"), True),
        ("idempotent", answered(500), False),
        ("idempotent", answered(502), True),
        ("idempotent", answered(503), True),
        ("idempotent", answered(503, "3600"), False),
        ("idempotent", answered(504), True),
        ("idempotent", BroodConnectionError("lost"), True),
        ("idempotent", IncompleteDownloadError("cut"), True),
        ("idempotent", BroodTimeoutError("silent"), True),
        ("idempotent", NotConnectedError("refused"), True),
        ("ambiguous", answered(408), True),
        ("ambiguous", answered(429, "1"), True),
        ("ambiguous", answered(429, "3600"), False),
        ("ambiguous", answered(500), False),
        ("ambiguous", answered(502), False),
        ("ambiguous", answered(503), False),
        ("ambiguous", answered(503, "1"), False),
        ("ambiguous", answered(504), False),
        ("ambiguous", BroodConnectionError("lost"), False),
        ("ambiguous", IncompleteDownloadError("cut"), False),
        ("ambiguous", BroodTimeoutError("silent"), False),
        ("ambiguous", NotConnectedError("refused"), True),
        ("ambiguous", TLSError("certificate"), False),
        ("ambiguous", unsent(answered(503)), True),
        ("ambiguous", unsent(answered(500)), False),
        ("ambiguous", unsent(BroodTimeoutError("silent")), True),
    ],
)
def test_what_is_sent_again(safety: Safety, error: HatcherException, again: bool) -> None:
    assert RetryPolicy().allows(safety, error) is again


@pytest.mark.parametrize(
    ("method", "earlier", "gone"),
    [
        ("DELETE", [BroodConnectionError("lost")], True),
        ("DELETE", [BroodTimeoutError("silent")], True),
        ("DELETE", [answered(502)], True),
        ("DELETE", [answered(429), answered(504)], True),
        ("DELETE", [NotConnectedError("refused")], False),
        ("DELETE", [answered(429), answered(408)], False),
        ("DELETE", [unsent(BroodTimeoutError("silent"))], False),
        ("DELETE", [], False),
        ("PUT", [BroodConnectionError("lost")], False),
        ("GET", [BroodConnectionError("lost")], False),
    ],
)
def test_what_may_be_deleted_already(
    method: str, earlier: list[HatcherException], gone: bool
) -> None:
    assert may_be_gone(method, earlier) is gone


def test_retry_after_is_read_in_both_forms() -> None:
    assert parse_retry_after(None) is None
    assert parse_retry_after("7") == 7.0
    assert parse_retry_after("-7") == 0.0
    for odd in ("soon", "9" * 400, "9" * 5000, "1e999", "nan", "٣", "Wed, 99 Oct 99999 07:28:00"):
        assert parse_retry_after(odd) is None
    assert parse_retry_after("Mon, 01 Jan 0001 00:00:00 +2359") in (None, 0.0)
    in_a_minute = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=1)))
    assert in_a_minute is not None and 50 < in_a_minute <= 60
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0


@pytest.mark.parametrize("numbers", [{"retries": -1}, {"backoff": -0.1}, {"longest": float("nan")}])
def test_numbers_below_zero_are_refused(numbers: dict[str, float]) -> None:
    with pytest.raises(InvalidArgumentError, match=next(iter(numbers))):
        RetryPolicy(**numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_timeouts_are_above_zero(seconds: float) -> None:
    with pytest.raises(InvalidArgumentError, match="connect timeout"):
        Timeouts(connect=seconds)


def test_one_number_is_for_everything() -> None:
    assert Timeouts.of(5) == Timeouts(5, 5, 5, 5, 5)
    assert Timeouts.of(None) == Timeouts(None, None, None, None, None)
    assert Timeouts.of(Timeouts(read=1)).read == 1
