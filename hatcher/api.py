"""The public names of hatcher, each imported when it is first used.

>>> from hatcher.api import BroodClient
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatcher.core.brood_client import BroodClient
    from hatcher.core.organization import Organization
    from hatcher.core.repository import Repository, SinglePlatformRepository
    from hatcher.transport.auth import BasicAuth, BroodBearerTokenAuth, BroodClientAuth
    from hatcher.transport.retry import RetryPolicy
    from hatcher.transport.timeouts import Timeouts

#: The newest version of Brood's API that hatcher speaks.
MAX_API_VERSION = 1

_HOMES = {
    "BasicAuth": "hatcher.transport.auth",
    "BroodBearerTokenAuth": "hatcher.transport.auth",
    "BroodClient": "hatcher.core.brood_client",
    "BroodClientAuth": "hatcher.transport.auth",
    "Organization": "hatcher.core.organization",
    "Repository": "hatcher.core.repository",
    "RetryPolicy": "hatcher.transport.retry",
    "SinglePlatformRepository": "hatcher.core.repository",
    "Timeouts": "hatcher.transport.timeouts",
}

__all__ = [
    "MAX_API_VERSION",
    "BasicAuth",
    "BroodBearerTokenAuth",
    "BroodClient",
    "BroodClientAuth",
    "Organization",
    "Repository",
    "RetryPolicy",
    "SinglePlatformRepository",
    "Timeouts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
