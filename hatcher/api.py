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
    from hatcher.core.team import Team
    from hatcher.core.user import User
    from hatcher.transfer.progress import Phase, Progress
    from hatcher.transfer.progress_bar import ProgressBar
    from hatcher.transfer.reports import BatchReport, FileResult
    from hatcher.transport.auth import BasicAuth, BroodBearerTokenAuth, BroodClientAuth
    from hatcher.transport.callbacks import RequestEvent, ResponseEvent
    from hatcher.transport.retry import RetryPolicy
    from hatcher.transport.timeouts import Timeouts

#: The newest version of Brood's API that hatcher speaks.
MAX_API_VERSION = 1

_HOMES = {
    "App": "hatcher.core.apps",
    "BasicAuth": "hatcher.transport.auth",
    "BatchReport": "hatcher.transfer.reports",
    "BroodBearerTokenAuth": "hatcher.transport.auth",
    "BroodClient": "hatcher.core.brood_client",
    "BroodClientAuth": "hatcher.transport.auth",
    "Bundle": "hatcher.core.bundles",
    "BundleCollection": "hatcher.core.bundles",
    "Egg": "hatcher.core.eggs",
    "FileResult": "hatcher.transfer.reports",
    "LocalBundle": "hatcher.core.bundles",
    "Organization": "hatcher.core.organization",
    "Phase": "hatcher.transfer.progress",
    "Progress": "hatcher.transfer.progress",
    "ProgressBar": "hatcher.transfer.progress_bar",
    "Repository": "hatcher.core.repository",
    "RequestEvent": "hatcher.transport.callbacks",
    "ResponseEvent": "hatcher.transport.callbacks",
    "RetryPolicy": "hatcher.transport.retry",
    "Runtime": "hatcher.core.runtimes",
    "SinglePlatformRepository": "hatcher.core.repository",
    "Team": "hatcher.core.team",
    "Timeouts": "hatcher.transport.timeouts",
    "User": "hatcher.core.user",
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
