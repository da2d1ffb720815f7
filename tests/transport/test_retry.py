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


LOST, SILENT = BroodConnectionError("lost"), BroodTimeoutError("silent")
CUT, REFUSED = IncompleteDownloadError("cut"), NotConnectedError("refused")
UNTRUSTED = TLSError("certificate")

#: What may have been carried out, and what certainly has not.
UNSURE = [LOST, SILENT, CUT, answered(502), answered(503, "1"), answered(503), answered(504)]
UNDONE = [
    REFUSED,
    answered(408),
    answered(429, "1"),
    unsent(answered(503)),
    unsent(BroodTimeoutError("x")),
]
NEVER = [answered(500), answered(429, "3600"), unsent(answered(500)), UNTRUSTED]
OTHERS = [answered(404), InvalidEgg("no egg"), InvalidJSONError("cut")]


@pytest.mark.parametrize(
    ("safety", "error", "again"),
    [
        *((safety, error, True) for safety in ("safe", "idempotent") for error in UNSURE + UNDONE),
        *((safety, error, False) for safety in ("safe", "idempotent") for error in NEVER + OTHERS),
        *(("ambiguous", error, False) for error in UNSURE + NEVER),
        *(("ambiguous", error, True) for error in UNDONE),
        ("idempotent", answered(503, "3600"), False),
        ("safe", TransferInterruptedError("Ctrl-C"), False),
    ],
)
def test_what_is_sent_again(safety, error, again):
    assert RetryPolicy().allows(safety, error) is again


@pytest.mark.parametrize(
    ("error", "undone"),
    [*((each, False) for each in UNSURE[:4]), *((each, True) for each in UNDONE)],
)
def test_what_is_certainly_undone(error, undone):
    assert is_certainly_undone(error) is undone


def test_pauses_grow_to_the_longest():
    policy, lost = RetryPolicy(backoff=1.0, longest=5.0), BroodConnectionError("lost")
    for failures, least in [(1, 1), (2, 2), (3, 4), (4, 5), (5, 5), (5000, 5)]:
        assert least <= policy.pause(failures, lost) <= least + 1
    assert RetryPolicy(backoff=0).pause(3, lost) == 0


def test_a_pause_is_as_long_as_the_server_asks():
    policy = RetryPolicy(backoff=0.5)
    assert policy.pause(1, answered(429, "7")) == 7.0
    assert 0.5 <= policy.pause(1, answered(429, "0")) <= 1.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        *((over, 0.0) for over in ("-7", "-5.5", "0")),
        ("1.5", 1.5),
        ("5, 10, 7", 10.0),
        ("Wed, 21 Oct 0000 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT, later", 0.0),
        *((odd, None) for odd in (None, "", "5,", ", ", "5; 6", "+5", "0x5", "5_0", "5 6", "soon")),
        *((odd, None) for odd in ("9" * 5000, "1e999", "\xe9", "٣", "Wed, 99 Oct 99999 07:28:00")),
        ("Thu, 01 Jan 1970 00:00:00 -9999", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value, seconds):
    assert parse_retry_after(value) == seconds


def test_retry_after_may_be_a_date():
    in_a_minute = parse_retry_after(format_datetime(datetime.now(UTC) + timedelta(minutes=1)))
    assert in_a_minute is not None and 50 < in_a_minute <= 60
    assert parse_retry_after("Mon, 01 Jan 0001 00:00:00 +2359") in (None, 0.0)


@pytest.mark.parametrize("numbers", [{"retries": -1}, {"backoff": -0.1}, {"longest": float("nan")}])
def test_numbers_below_zero_are_refused(numbers):
    with pytest.raises(InvalidArgumentError, match=next(iter(numbers))):
        RetryPolicy(**numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_timeouts_are_above_zero(seconds):
    with pytest.raises(InvalidArgumentError, match="connect timeout"):
        Timeouts(connect=seconds)


def test_one_number_is_for_everything():
    assert Timeouts.of(5) == Timeouts(5, 5, 5, 5, 5)
    assert Timeouts.of(None) == Timeouts(None, None, None, None, None)
    assert Timeouts.of(Timeouts(read=1)).read == 1
