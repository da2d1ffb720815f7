"""Every exception that hatcher raises, in one tree.

::

    HatcherException
    ├── InvalidArgumentError              the call itself is wrong; nothing was sent
    │   ├── InvalidURLError
    │   ├── InvalidNameError
    │   ├── UnsupportedAPIVersionError
    │   └── InvalidDestinationError
    │       └── NoSpaceError              there is no room for a file
    ├── ArtefactError                     a local file is wrong; nothing was sent
    │   ├── InvalidEgg
    │   ├── InvalidRuntime
    │   ├── InvalidBundle
    │   ├── InvalidApp
    │   ├── InvalidAccessFile
    │   ├── MissingPlatformError
    │   └── FileChangedError              ... or changed while it was being sent
    ├── TargetFileExists
    ├── BatchError                        some files of a batch are missing
    ├── NoMatchError                      the server has nothing of what was asked for
    ├── ChecksumMismatchError             the bytes are not the ones expected
    ├── TransportError                    no usable answer arrived
    │   ├── BroodConnectionError
    │   │   ├── NotConnectedError         nothing was sent at all
    │   │   │   ├── ProxyError
    │   │   │   └── TLSError
    │   │   └── IncompleteDownloadError   the body ended early
    │   ├── BroodTimeoutError
    │   └── TransferInterruptedError      it was cancelled
    ├── InvalidResponseError              an answer arrived that Brood would not give
    │   ├── InvalidJSONError
    │   ├── MissingFilenameError
    │   └── RedirectError
    └── BroodHTTPError                    the server said no
        ├── BadRequestError               400, 422
        ├── AuthenticationError           401
        ├── PermissionDeniedError         403
        ├── NotFoundError                 404
        ├── ConflictError                 409
        ├── RateLimitedError              429
        └── ServerError                   5xx

Besides, `BatchInterrupted` is the KeyboardInterrupt that a batch ends with.

A message says what was being done, to what, what went wrong, and what to try; ``what`` and
``advice`` are the two halves of it, for people. No message holds a secret. Every exception can
be pickled.
"""

from __future__ import annotations

import errno
import re
from typing import Any, ClassVar, NamedTuple, Self

from hatcher.suggestions import question

#: Where a sentence ends, and another one begins.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z'])")


def _halves(message: str) -> tuple[str, str]:
    """Split a message: its first sentence says what went wrong, the others what to try."""
    what, *advice = _SENTENCE_END.split(message, maxsplit=1)
    return what, "".join(advice)


class HatcherException(Exception):  # noqa: N818 - the name that users know
    """The root of every exception that hatcher raises on purpose.

    Parameters
    ----------
    message : str
        What went wrong, in a sentence. What to try may follow it, or be given apart.
    what : str, optional
        Another sentence for people, where the message says more than they want to read.
    advice : str, optional
        What to try; the end of the message.
    """

    def __init__(self, message: str = "", *, what: str = "", advice: str = "") -> None:
        super().__init__(f"{message} {advice}" if advice else message)
        if what or advice:
            self._parts = what or message, advice

    @property
    def what(self) -> str:
        """What went wrong: a sentence for people, mostly without the request itself (`str`)."""
        return self._split()[0]

    @property
    def advice(self) -> str:
        """What to try; empty where that is not known (`str`)."""
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        parts: tuple[str, str] | None = self.__dict__.get("_parts")
        if parts is not None:
            return parts
        return _halves(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        # The default calls the class with `args` alone, which loses the
        # required keyword arguments of the richer classes.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(
    cls: type[HatcherException], args: tuple[Any, ...], state: dict[str, Any]
) -> HatcherException:
    error = cls.__new__(cls, *args)
    error.args = args  # those that are an OSError too do not take them from __new__
    error.__dict__.update(state)
    return error


# -- the call is wrong ------------------------------------------------------------


class InvalidArgumentError(HatcherException, ValueError):
    """An argument cannot be used; nothing was sent."""


class InvalidURLError(InvalidArgumentError):
    """The server's URL cannot be used."""


class InvalidNameError(InvalidArgumentError):
    """A name cannot be a segment of a URL: it is empty, ``.`` or ``..``."""


class UnsupportedAPIVersionError(InvalidArgumentError):
    """The requested version of Brood's API is not known, or lacks the operation."""


class InvalidDestinationError(InvalidArgumentError):
    """The destination of a download is not a directory that can be written to."""


class NoSpaceError(InvalidDestinationError, OSError):
    """There is no room for a file at its destination.

    Attributes
    ----------
    needed, free : int or None
        Bytes that are still to be written, and that are free; None when the system
        did not say.
    """

    errno = errno.ENOSPC

    def __new__(cls, *args: Any, **options: Any) -> Self:
        # The first base with a __new__ of its own is ValueError, whose objects are too small.
        return OSError.__new__(cls, *args)

    def __init__(self, message: str, *, needed: int | None = None, free: int | None = None) -> None:
        super().__init__(message)
        self.needed = needed
        self.free = free


# -- a local file is wrong --------------------------------------------------------


class ArtefactError(HatcherException):
    """A local file is not the artefact that it should be."""


class InvalidEgg(ArtefactError):  # noqa: N818
    """The file is not a valid Enthought egg."""


class InvalidRuntime(ArtefactError):  # noqa: N818
    """The file is not a valid runtime."""


class InvalidBundle(ArtefactError):  # noqa: N818
    """The file is not a valid bundle."""


class InvalidApp(ArtefactError):  # noqa: N818
    """The file is not a valid app."""


class InvalidAccessFile(ArtefactError):  # noqa: N818
    """The document does not say who may do what.

    Attributes
    ----------
    errors : tuple of str
        What is wrong with it, each with its line, where there is one.
    """

    def __init__(self, message: str, errors: tuple[str, ...] = ()) -> None:
        several = len(errors) > 1
        super().__init__(
            "\n".join([f"{message}: {errors[0]}", *errors[1:]]) if errors else message,
            what=f"{message} has {len(errors)} errors." if several else "",
        )
        self.errors = errors


class MissingPlatformError(ArtefactError):
    """The file does not say which platform it is for."""


class FileChangedError(ArtefactError):
    """The file changed while it was being sent; the server stored nothing of it."""


class TargetFileExists(HatcherException):
    """A file with the target's name exists already and was left as it is."""


class BatchError(HatcherException):
    """Some files of a batch are not where they were meant to go.

    Attributes
    ----------
    report : BatchReport
        What became of each file.
    """

    def __init__(self, message: str, *, report: Any = None) -> None:
        # The first line counts the files; the others are about one file each.
        super().__init__(message, what=message.partition("\n")[0])
        self.report = report


class BatchInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a batch; no error, so ``except Exception`` does not catch it.

    Attributes
    ----------
    report : BatchReport
        What became of each file until then.
    """

    def __init__(self, message: str = "", *, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class NoMatchError(HatcherException, LookupError):
    """The server has been asked, and has nothing of what was asked for."""


class ChecksumMismatchError(HatcherException):
    """The sha256 of an artefact is not the expected one.

    Attributes
    ----------
    expected, actual : str or None
        The sha256 that was wanted and the one that was found, in hexadecimal.
    """

    def __init__(
        self, message: str, *, expected: str | None = None, actual: str | None = None
    ) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual


# -- no usable answer arrived -----------------------------------------------------


class _OfRequest(Exception):  # noqa: N818 - the part that two branches of the tree share
    def __init__(
        self,
        message: str,
        *,
        method: str | None = None,
        url: str | None = None,
        what: str = "",
        advice: str = "",
    ) -> None:
        super().__init__(message, what=what, advice=advice)  # type: ignore[call-arg]
        self.method = method
        self.url = url


class TransportError(_OfRequest, HatcherException):
    """The request did not lead to an answer.

    Attributes
    ----------
    method, url : str or None
        What was requested; the URL contains no credentials.
    """


class BroodConnectionError(TransportError, ConnectionError):
    """The connection failed or was lost."""


class NotConnectedError(BroodConnectionError):
    """No connection could be made, so nothing was sent."""


class ProxyError(NotConnectedError):
    """The proxy that the environment names could not be reached, or made no connection."""


class TLSError(NotConnectedError):
    """The server's certificate or the TLS handshake was not acceptable."""


class IncompleteDownloadError(BroodConnectionError):
    """The body of an answer ended before it was complete."""


class BroodTimeoutError(TransportError, TimeoutError):
    """The server took longer than the timeout allows."""


class TransferInterruptedError(TransportError):
    """It was cancelled before it was complete, as with Ctrl-C."""


# -- an answer that Brood would not give ------------------------------------------


class InvalidResponseError(_OfRequest, HatcherException):
    """The answer is not one that Brood gives; a proxy or another server may have given it.

    Attributes
    ----------
    method, url : str or None
        What was requested; the URL contains no credentials.
    """


class InvalidJSONError(InvalidResponseError, ValueError):
    """The answer should be JSON of a known shape and is not."""


class MissingFilenameError(InvalidResponseError):
    """The server did not name a file, or gave an unsafe name or that of another file."""


class RedirectError(InvalidResponseError):
    """The server sent the request elsewhere, where it must not follow."""


# -- the server said no -----------------------------------------------------------


class ErrorResponse:
    """What is left of an HTTP answer that became an exception.

    Attributes
    ----------
    status_code : int
        The HTTP status.
    content_type : str
        The media type of the body, as sent.
    text : str
        The body, cut after 64 KiB.
    """

    __slots__ = ("content_type", "status_code", "text")

    def __init__(self, status_code: int, content_type: str, text: str) -> None:
        self.status_code = status_code
        self.content_type = content_type
        self.text = text

    def json(self) -> Any:
        """Parse the body as JSON.

        Returns
        -------
        object
            Usually a dict with the server's words under ``error``.

        Raises
        ------
        ValueError
            The body is not JSON.
        """
        import json

        try:
            return json.loads(self.text)
        except RecursionError as error:
            raise ValueError("The body is nested too deeply.") from error

    def __repr__(self) -> str:
        return f"<ErrorResponse [{self.status_code}]>"


#: The statuses that may be others for somebody whom the server knows.
_ASKS_WHO = frozenset({401, 403, 404})

_NO_CREDENTIALS = (
    "No credentials were given, and this may need a login: give the client auth=(user name, "
    "password), or a token."
)


class BroodHTTPError(HatcherException):
    """The server answered with an error status.

    Attributes
    ----------
    status_code : int
        The HTTP status.
    method, url : str
        What was asked; the URL holds no credentials.
    error : str or None
        The server's own words, where it gave any.
    request_id : str or None
        The server's name for the request, to quote to its administrators.
    retry_after : float or None
        Seconds after which the server asks to be tried again.
    response : ErrorResponse
        The answer itself: ``.status_code``, ``.text``, ``.json()``.
    anonymous : bool
        Whether the request was sent without credentials.
    """

    #: What a user can do about it, where no more is known than the status.
    _usual_advice: ClassVar[str] = ""

    def __init__(
        self,
        action: str,
        *,
        method: str,
        url: str,
        response: ErrorResponse,
        error: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        advice: str = "",
        anonymous: bool = False,
    ) -> None:
        if anonymous and response.status_code in _ASKS_WHO:
            advice = advice or _NO_CREDENTIALS
        status = f"{response.status_code} {_phrase(response.status_code)}"
        said = error
        if error and not advice:  # the server may have said what to do
            said, advice = _halves(error)
        super().__init__(
            f"Could not {action}: {method} {url} was answered {status}: "
            f"{(said or 'the server gave no reason').rstrip('.')}.",
            what=self._told(action, status, said),
            advice=advice or self._usual_advice,
        )
        self.status_code = response.status_code
        self.method = method
        self.url = url
        self.response = response
        self.error = error
        self.anonymous = anonymous
        self.request_id = request_id
        self.retry_after = retry_after

    @classmethod
    def _told(cls, action: str, status: str, error: str | None) -> str:
        """Return what went wrong for people: in the server's words, where it has any."""
        said = error.rstrip(".") if error else f"the server answered {status} and gave no reason"
        return f"Could not {action}: {said}."


def _phrase(status_code: int) -> str:
    # Imported here: it makes an enumeration of all there are.
    from http import HTTPStatus

    try:
        return HTTPStatus(status_code).phrase
    except ValueError:
        return "(no standard status)"


class BadRequestError(BroodHTTPError):
    """400 or 422: the server does not accept the request as it is."""


class AuthenticationError(BroodHTTPError):
    """401: the server does not know who is asking."""

    _usual_advice = "Check the user name and password, or the token; a token may have expired."


class PermissionDeniedError(BroodHTTPError):
    """403: the server knows who is asking and refuses."""

    _usual_advice = "Ask an administrator of the organization for the access level that this needs."


class MissingName(NamedTuple):
    """The name that a server does not know, or does not show.

    Attributes
    ----------
    kind : str
        What it should be the name of, such as ``organization``.
    name : str
    alike : tuple of str
        What may have been meant, the likeliest first.
    """

    kind: str
    name: str
    alike: tuple[str, ...] = ()

    @property
    def question(self) -> str:
        """What may have been meant; empty where nothing is like it (`str`)."""
        return question(self.alike)

    def __str__(self) -> str:
        said = f"There is no {self.kind} '{self.name}' that you may see."
        return f"{said} {self.question}" if self.alike else said


class NotFoundError(BroodHTTPError):
    """404: there is no such thing, or it may not be seen.

    Attributes
    ----------
    missing : MissingName or None
        Which of the names is wrong, where that could be found out.
    """

    _usual_advice = "Check the names; Brood also answers so for what one has no access to."

    def __init__(
        self, action: str, *, advice: str = "", missing: MissingName | None = None, **answered: Any
    ) -> None:
        login = f" {_NO_CREDENTIALS}" if answered.get("anonymous") else ""
        super().__init__(action, advice=f"{missing}{login}" if missing else advice, **answered)
        self.missing = missing
        if missing:
            said = f"there is no {missing.kind} '{missing.name}' that you may see"
            tried = f"{missing.question}{login}".strip() or self._usual_advice
            self._parts = f"Could not {action}: {said}.", tried


class ConflictError(BroodHTTPError):
    """409: what is there already stands in the way."""


class RateLimitedError(BroodHTTPError):
    """429: too many requests."""

    _usual_advice = "Wait before trying again."


class ServerError(BroodHTTPError):
    """5xx: the server, or a gateway before it, failed."""

    _usual_advice = "Try again later; if it goes on, tell the administrators of the server."

    @classmethod
    def _told(cls, action: str, status: str, error: str | None) -> str:
        # Its words alone could be taken for something that the user has done.
        if error is None:
            return super()._told(action, status, error)
        return f"Could not {action}: the server answered {status}: {error.rstrip('.')}."


_BY_STATUS: dict[int, type[BroodHTTPError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    422: BadRequestError,
    429: RateLimitedError,
}


def http_error_class(status_code: int) -> type[BroodHTTPError]:
    """Return the exception class of an HTTP error status.

    Parameters
    ----------
    status_code : int
        An HTTP status.

    Returns
    -------
    type of BroodHTTPError
    """
    if status_code >= 500:
        return ServerError
    return _BY_STATUS.get(status_code, BroodHTTPError)


#: Every exception, and what they hold.
__all__ = [
    name
    for name, value in list(globals().items())
    if isinstance(value, type) and value.__module__ == __name__ and not name.startswith("_")
]
