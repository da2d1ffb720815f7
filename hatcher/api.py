"""The public names of hatcher, each imported when it is first used.

>>> from hatcher.api import BroodClient
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatcher.core.apps import App
    from hatcher.core.brood_client import BroodClient
    from hatcher.core.bundles import Bundle, BundleCollection, LocalBundle
    from hatcher.core.eggs import Egg
    from hatcher.core.organization import Organization
    from hatcher.core.repository import Repository, SinglePlatformRepository
    from hatcher.core.runtimes import Runtime
    from hatcher.core.search import SearchResult, SearchResults
    from hatcher.core.team import Team
    from hatcher.core.user import User
    from hatcher.transfer.progress import Phase, Progress
    from hatcher.transfer.progress_bar import ProgressBar
    from hatcher.transfer.reports import BatchReport, FileFacts, FileResult
    from hatcher.transport.auth import BasicAuth, BroodBearerTokenAuth, BroodClientAuth
    from hatcher.transport.callbacks import RequestEvent, ResponseEvent
    from hatcher.transport.retry import RetryPolicy
    from hatcher.transport.timeouts import Timeouts

#: The newest version of Brood's API that hatcher speaks.
MAX_API_VERSION = 1

_HOMES = {
    name: f"hatcher.{module}"
    for module, names in {
        "core.apps": ("App",),
        "core.brood_client": ("BroodClient",),
        "core.bundles": ("Bundle", "BundleCollection", "LocalBundle"),
        "core.eggs": ("Egg",),
        "core.organization": ("Organization",),
        "core.repository": ("Repository", "SinglePlatformRepository"),
        "core.runtimes": ("Runtime",),
        "core.search": ("SearchResult", "SearchResults"),
        "core.team": ("Team",),
        "core.user": ("User",),
        "transfer.progress": ("Phase", "Progress"),
        "transfer.progress_bar": ("ProgressBar",),
        "transfer.reports": ("BatchReport", "FileFacts", "FileResult"),
        "transport.auth": ("BasicAuth", "BroodBearerTokenAuth", "BroodClientAuth"),
        "transport.callbacks": ("RequestEvent", "ResponseEvent"),
        "transport.retry": ("RetryPolicy",),
        "transport.timeouts": ("Timeouts",),
    }.items()
    for name in names
}

__all__ = [
    "MAX_API_VERSION",
    "App",
    "BasicAuth",
    "BatchReport",
    "BroodBearerTokenAuth",
    "BroodClient",
    "BroodClientAuth",
    "Bundle",
    "BundleCollection",
    "Egg",
    "FileFacts",
    "FileResult",
    "LocalBundle",
    "Organization",
    "Phase",
    "Progress",
    "ProgressBar",
    "Repository",
    "RequestEvent",
    "ResponseEvent",
    "RetryPolicy",
    "Runtime",
    "SearchResult",
    "SearchResults",
    "SinglePlatformRepository",
    "Team",
    "Timeouts",
    "User",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
