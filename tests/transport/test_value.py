"""What no request can do without: values that cannot be changed."""

from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from hatcher.transport.request import Request
from hatcher.transport.retry import RetryPolicy
from hatcher.transport.timeouts import Timeouts
from hatcher.transport.value import Value


@pytest.mark.parametrize(
    ("value", "same", "other", "shown"),
    [
        (
            RetryPolicy(2, 0.5),
            RetryPolicy(retries=2, backoff=0.5, longest=30),
            RetryPolicy(2, 0.25),
            "RetryPolicy(retries=2, backoff=0.5, longest=30.0)",
        ),
        (
            Timeouts(read=None),
            Timeouts(10, None, 60, 60, 30),
            Timeouts(),
            "Timeouts(connect=10.0, read=None, write=60.0, pool=60.0, stall=30.0)",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Value) else "",
)
def test_a_value_is_what_its_attributes_are(value, same, other, shown):
    assert value == same
    assert hash(value) == hash(same)
    assert value != other
    assert value != shown
    assert repr(value) == shown
    again = pickle.loads(pickle.dumps(value))
    assert (again, type(again)) == (value, type(value))


def test_how_often_is_tried_when_nobody_says():
    # In a process of its own: that of the tests does not wait for so long.
    program = "from hatcher.api import RetryPolicy; print(RetryPolicy())"
    shown = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert shown == "RetryPolicy(retries=3, backoff=0.5, longest=30.0)\n"


def test_values_of_two_kinds_are_never_equal():
    class Pauses(Value):
        __match_args__ = ("retries", "backoff", "longest")
        __slots__ = __match_args__

    assert Pauses(3, 0.5, 30.0) != RetryPolicy(3, 0.5, 30.0)


def test_a_value_cannot_be_changed():
    timeouts = Timeouts()
    with pytest.raises(AttributeError, match="'read'"):
        timeouts.read = 5  # type: ignore[misc]
    with pytest.raises(AttributeError, match="'read'"):
        del timeouts.read  # type: ignore[misc]
    with pytest.raises(AttributeError, match="'late'"):
        timeouts.late = 5  # type: ignore[attr-defined]
    assert timeouts == Timeouts()


def test_a_value_can_be_taken_apart():
    match RetryPolicy(5):
        case RetryPolicy(retries, longest=longest):
            assert (retries, longest) == (5, 30.0)


def test_a_request_does_not_show_what_it_carries():
    request = Request(
        "v1_create_user",
        "POST",
        "/api/v1/json/users",
        "ambiguous",
        json={"password": "hunter2"},
        headers={"Authorization": "Bearer hunter2"},
    )
    assert repr(request) == "<Request v1_create_user: POST /api/v1/json/users>"
    assert request.action == "create user"
    assert request.params == {}
    assert request._replace(may_be_missing=True).json == request.json
