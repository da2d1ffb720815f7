"""When a request is sent again, and after what pause."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hatcher.errors import (
    BroodConnectionError,
    BroodTimeoutError,
    ErrorResponse,
    HatcherException,
    IncompleteDownloadError,
    InvalidArgumentError,
    InvalidEgg,
    InvalidJSONError,
    NotConnectedError,
    TLSError,
    TransferInterruptedError,
    http_error_class,
)
from hatcher.transport.request import Safety
from hatcher.transport.retry import RetryPolicy, is_certainly_undone, parse_retry_after, unsent
from hatcher.transport.timeouts import Timeouts


def answered(status: int, retry_after: str | None = None) -> HatcherException:
    return http_error_class(status)(
        "do it",
        method="GET",
        url="https://example.com",
        response=ErrorResponse(status, "", ""),
        retry_after=parse_retry_after(retry_after),
    )


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
    ("error", "undone"),
    [
        (BroodConnectionError("lost"), False),
        (BroodTimeoutError("silent"), False),
        (answered(502), False),
        (answered(504), False),
        (NotConnectedError("refused"), True),
        (answered(429), True),
        (answered(408), True),
        (unsent(BroodTimeoutError("silent")), True),
    ],
)
def test_what_is_certainly_undone(error: HatcherException, undone: bool) -> None:
    assert is_certainly_undone(error) is undone


def test_pauses_grow_to_the_longest() -> None:
    policy, lost = RetryPolicy(backoff=1.0, longest=5.0), BroodConnectionError("lost")
    for failures, least in [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (5000, 5)]:
        assert least <= policy.pause(failures, lost) <= least + 1
    assert RetryPolicy(backoff=0).pause(3, lost) == 0


def test_a_pause_is_as_long_as_the_server_asks() -> None:
    policy = RetryPolicy(backoff=0.5)
    assert policy.pause(1, answered(429, "7")) == 7.0
    assert 0.5 <= policy.pause(1, answered(429, "0")) <= 1.0


def test_retry_after_is_read_in_both_forms() -> None:
    assert parse_retry_after(None) is None
    assert parse_retry_after("7") == 7.0
    assert parse_retry_after("-7") == 0.0
    assert parse_retry_after("1.5") == 1.5
    assert parse_retry_after("-1.5") == 0.0
    assert parse_retry_after("5, 10, 7") == 10.0
    for odd in ("", "5,", ", ", "5; 6", "+5", "0x5", "5_0", "5 6"):
        assert parse_retry_after(odd) is None
    for past in (
        "Wed, 21 Oct 0000 07:28:00 GMT",
        "Wed, 21 Oct 2015 07:28:00",
        "Wed, 21 Oct 2015 07:28:00 GMT, later",
    ):
        assert parse_retry_after(past) == 0.0
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
