"""Looking for secrets in all that an exception shows."""

import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

from rich.pretty import pretty_repr

from hatcher.errors import HatcherException

#: Frames of tests are not looked at: they know the secret.
HERE = Path(__file__).parent


def lineage(error: BaseException) -> Iterator[BaseException]:
    """Give an exception and all that led to it."""
    rest: list[BaseException | None] = [error]
    seen: set[int] = set()
    while rest:
        each = rest.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            rest += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]


def renderings(value: object) -> Iterator[str]:
    """Give what debuggers, pytest and rich show of an object."""
    yield repr(value)
    yield str(value)
    yield pretty_repr(value, max_width=100_000)


def shown(error: BaseException) -> Iterator[tuple[str, object]]:
    """Give what an exception has, and the locals of its frames, with where that is."""
    kind = type(error).__name__
    yield kind, error
    yield f"args of {kind}", error.args
    for name, value in getattr(error, "__dict__", {}).items():
        yield f"{kind}.{name}", value
        if name == "response":
            yield f"{kind}.response.text", f"{value.text} {value.content_type}"
    if isinstance(error, UnicodeError):
        yield f"{kind}.object", getattr(error, "object", "")
    if isinstance(error, HatcherException):
        yield f"pickle of {kind}", pickle.dumps(error)
    for frame, line in traceback.walk_tb(error.__traceback__):
        path = frame.f_code.co_filename
        if Path(path).parent != HERE:
            yield from ((f"{kind}: {path}:{line} {n}", v) for n, v in frame.f_locals.items())


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """Return all places where an exception shows a secret; frames of the tests are theirs."""
    return [
        where
        for each in lineage(error)
        for where, value in shown(each)
        for text in renderings(value)
        if any(secret in text for secret in secrets)
    ]
