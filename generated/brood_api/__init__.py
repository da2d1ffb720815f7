"""The Brood protocol in Python, one module per operation: ``brood_api.api.<tag>.<operation>``.

Build output: never edit it. It is generated from ``openapi/brood.yaml`` by
``scripts/generate.py``, and any build of the project renews it when the description has
changed. ``operations.py`` lists the operations, ``brood.json`` is the description itself.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import client

    return getattr(client, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
