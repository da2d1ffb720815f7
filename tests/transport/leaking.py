"""Looking for secrets in all that an exception shows, and ways to ask for something."""

import asyncio
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path

from rich.pretty import pretty_repr

from brood_api.api.platforms import v1_list_platforms
from hatcher.api import BroodClient
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


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """Return all places where an exception shows a secret; frames of the tests are theirs."""
    found: list[str] = []

    def look(where: str, value: object) -> None:
        for text in renderings(value):
            found.extend(where for secret in secrets if secret in text)

    for each in lineage(error):
        kind = type(each).__name__
        look(kind, each)
        look(f"args of {kind}", each.args)
        for name, value in getattr(each, "__dict__", {}).items():
            look(f"{kind}.{name}", value)
            if name == "response":
                look(f"{kind}.response.text", f"{value.text} {value.content_type}")
        if isinstance(each, UnicodeError):
            look(f"{kind}.object", getattr(each, "object", ""))
        if isinstance(each, HatcherException):
            look(f"pickle of {kind}", pickle.dumps(each))
        for frame, line in traceback.walk_tb(each.__traceback__):
            if Path(frame.f_code.co_filename).parent == HERE:
                continue
            for name, value in frame.f_locals.items():
                look(f"{kind}: {frame.f_code.co_filename}:{line} {name}", value)
    return found


def ask(client: BroodClient, sends: str) -> object:
    """Ask for platforms by the graph or by the raw client."""
    if sends == "graph":
        return client.list_platforms()
    if sends == "raw":
        return v1_list_platforms.sync(client=client.raw)

    async def asked() -> object:
        async with client.raw as raw:
            return await v1_list_platforms.asyncio(client=raw)

    return asyncio.run(asked())
