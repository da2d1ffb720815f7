"""hatcher for async programs: the graph of `hatcher.api`, awaited, on asyncio and trio.

>>> from hatcher.aio import AsyncBroodClient
>>> async with AsyncBroodClient.from_url(url, auth=token, api_version=1) as client:
...     await client.at('acme/dev/rh8-x86_64').upload_egg('nose-1.3.0-1.egg')

Whole repositories are in `hatcher.aio.mirror`, and who may do what in `hatcher.aio.access`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatcher.aio import access, mirror
    from hatcher.aio.graph import (
        AsyncApp,
        AsyncBroodClient,
        AsyncBundle,
        AsyncBundleCollection,
        AsyncEgg,
        AsyncLocalBundle,
        AsyncOrganization,
        AsyncRepository,
        AsyncRuntime,
        AsyncSearchResult,
        AsyncSearchResults,
        AsyncSinglePlatformRepository,
        AsyncTeam,
        AsyncUser,
    )
    from hatcher.aio.threads import AsyncProgress
    from hatcher.aio.twin import Iteration

__all__ = [
    "AsyncApp",
    "AsyncBroodClient",
    "AsyncBundle",
    "AsyncBundleCollection",
    "AsyncEgg",
    "AsyncLocalBundle",
    "AsyncOrganization",
    "AsyncProgress",
    "AsyncRepository",
    "AsyncRuntime",
    "AsyncSearchResult",
    "AsyncSearchResults",
    "AsyncSinglePlatformRepository",
    "AsyncTeam",
    "AsyncUser",
    "Iteration",
    "access",
    "mirror",
]

_HOMES = {"AsyncProgress": "threads", "Iteration": "twin"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    if name in ("access", "mirror"):
        return import_module(f"hatcher.aio.{name}")
    home = import_module(f"hatcher.aio.{_HOMES.get(name, 'graph')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
