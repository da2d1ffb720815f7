"""The tree of exceptions: what they say, and that they can be pickled."""

import inspect
import pickle

import pytest

from hatcher import errors
from hatcher.errors import BroodHTTPError, ErrorResponse, HatcherException, http_error_class

EXCEPTIONS = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, HatcherException)
]


def test_every_exception_is_exported_and_drawn_in_the_tree():
    for exception in EXCEPTIONS:
        assert exception.__name__ in errors.__all__
        assert exception.__name__ in (errors.__doc__ or "")
        assert exception.__doc__


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_every_exception_can_be_pickled(exception):
    if issubclass(exception, BroodHTTPError):
        response = ErrorResponse(418, "application/json", '{"error": "teapot"}')
        error: HatcherException = exception(
            "brew", method="GET", url="https://example.com", response=response, error="teapot"
        )
    else:
        error = exception("what went wrong")
    error.add_note("and more")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is exception and str(again) == str(error) and str(error)
    assert {k: str(v) for k, v in vars(again).items()} == {
        k: str(v) for k, v in vars(error).items()
    }


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, errors.BadRequestError),
        (401, errors.AuthenticationError),
        (403, errors.PermissionDeniedError),
        (404, errors.NotFoundError),
        (409, errors.ConflictError),
        (418, errors.BroodHTTPError),
        (422, errors.BadRequestError),
        (429, errors.RateLimitedError),
        (500, errors.ServerError),
        (522, errors.ServerError),
        (599, errors.ServerError),
    ],
)
def test_each_status_has_its_class(status, exception):
    assert http_error_class(status) is exception
    response = ErrorResponse(status, "", "")
    error = exception("brew", method="GET", url="https://example.com/x", response=response)
    assert f"Could not brew: GET https://example.com/x was answered {status}" in str(error)


def test_an_error_is_as_easy_to_read_as_those_of_requests():
    response = ErrorResponse(404, "application/json", '{"error": "no such thing"}')
    error = errors.NotFoundError(
        "find it", method="GET", url="https://example.com", response=response, error="no such thing"
    )
    assert error.response.status_code == 404
    assert error.response.json() == {"error": "no such thing"}
    assert "no such thing" in error.response.text
    assert "no such thing. Check the names" in str(error)
