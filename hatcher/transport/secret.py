"""Secrets, and keeping them out of tracebacks and messages."""

from __future__ import annotations

import base64
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

from hatcher.errors import HatcherException

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
T = TypeVar("T")

#: What stands in messages instead of a secret.
REDACTED = "[redacted]"

#: How many values of headers are remembered; the oldest are forgotten first.
_REMEMBERED = 256

#: Shorter secrets are only found as whole words, and not at all if they consist of letters,
#: since servers use such words, too.
_SHORT = 6

_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})

#: Headers whose values are not secret.
_PUBLIC = frozenset(
    {"accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding"}
    | {"user-agent"}
)


class Secret:
    """A password or token that shows itself only when asked.

    Its repr hides it, and it refuses to be pickled.

    Parameters
    ----------
    value : str
        The secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<Secret>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Imported here: it takes the whole of OpenSSL, and secrets are rarely compared.
        import hmac

        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret cannot be pickled.")


def basic(username: bytes, password: bytes) -> Secret:
    """Return the value of the Authorization header for a user name and a password."""
    pair = base64.b64encode(username + b":" + password)
    return Secret(f"Basic {pair.decode('ascii')}")


class Redactor:
    """Removes the secrets that were sent from a server's words, which become part of errors."""

    def __init__(self) -> None:
        self._sent: deque[str] = deque(maxlen=_REMEMBERED)

    def learn(self, header: Secret) -> None:
        """Remember the value of a header that is about to be sent."""
        value = header.reveal()
        if value not in self._sent:
            self._sent.append(value)

    def learn_added(self, headers: Mapping[str, str], known: Mapping[str, str]) -> None:
        """Remember the headers that a library has added to a request, except for public ones."""
        for name in headers.keys() - {*map(str.lower, known), *_PUBLIC}:
            self.learn(Secret(headers[name]))

    def __call__(self, text: str) -> str:
        """Return a text without the secrets."""
        patterns = {pattern for value in tuple(self._sent) for pattern in _patterns(value)}
        # The longest first: one may be a part of another.
        return re.sub("|".join(sorted(patterns, key=len, reverse=True)) or r"(?!)", REDACTED, text)

    def clean(self, error: E) -> E:
        """Remove the secrets from an exception, and from those that it came from."""
        for each in lineage(error):
            each.args = tuple(map(self._cleaned, each.args))
            vars(each).update({name: self._cleaned(value) for name, value in vars(each).items()})
        return error

    def _cleaned(self, value: Any) -> Any:
        if isinstance(value, str):
            return self(value)
        return tuple(map(self._cleaned, value)) if type(value) is tuple else value


def _patterns(header: str) -> Iterator[str]:
    """Yield patterns for the forms in which a server may repeat the value of a header."""
    # Imported here, for those who see no error.
    import json
    from contextlib import suppress
    from urllib.parse import quote, quote_plus

    scheme, _, rest = header.partition(" ")
    secrets = {header, rest or header}
    if scheme.lower() == "basic":
        with suppress(ValueError):
            pair = base64.b64decode(rest, validate=True).decode("utf-8", "replace")
            secrets |= {pair, pair.partition(":")[2]}
    for secret in secrets - {""}:
        is_short = len(secret) < _SHORT
        if is_short and secret.isalpha():
            continue
        forms = {
            secret,
            quote(secret),
            quote(secret, safe=""),
            quote_plus(secret),
            secret.translate(_HTML),
            json.dumps(secret)[1:-1],
            json.dumps(secret, ensure_ascii=False)[1:-1],
        }
        for form in forms:
            yield rf"(?<!\w){re.escape(form)}(?!\w)" if is_short else re.escape(form)


def lineage(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all those that it came from."""
    rest: list[BaseException | None] = [error]
    seen = set()
    while rest:
        each = rest.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            rest += [each.__cause__, each.__context__]


def bare(error: E) -> E:
    """Strip an exception, and those that it came from, of their frames, which hold credentials."""
    for each in lineage(error):
        each.__traceback__ = None
    return error


def bare_own(error: BaseException, *others: type[BaseException]) -> None:
    """Do as `bare` for hatcher's exceptions, those named and Ctrl-C.

    What a user's function has raised keeps its frames: they lead to it, and hold no secret.
    """
    if isinstance(error, (HatcherException, *others)) or not isinstance(error, Exception):
        bare(error)


def discreet(call: Callable[P, T]) -> Callable[P, T]:
    """Have a function that takes secrets leave no frame that holds them when it fails."""

    @wraps(call)
    def leaving_nothing(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            raise bare(error)  # noqa: B904 - it is the same one

    return leaving_nothing
