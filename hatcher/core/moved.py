"""Names of modules that scripts for the existing client import, and where what they mean is today."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

#: By the names of modules below `hatcher.core`: their names, and what these are here.
_MOVED: Mapping[str, Mapping[str, str]] = {
    "auth": {
        "BroodBearerTokenAuth": "hatcher.api.BroodBearerTokenAuth",
        "BroodClientAuth": "hatcher.api.BroodClientAuth",
    },
    "brood_url_handler": {"BroodURLHandler": "hatcher.core.url_handler.BroodURLHandler"},
    "model_registry": {
        "MAX_API_VERSION": "hatcher.api.MAX_API_VERSION",
        "InvalidApiVersion": "hatcher.errors.UnsupportedAPIVersionError",
    },
    "v0": {},
    "v0.organization": {"Organization": "hatcher.api.Organization"},
    "v0.repository": {
        "Repository": "hatcher.api.Repository",
        "SinglePlatformRepository": "hatcher.api.SinglePlatformRepository",
    },
    "v0.team": {"Team": "hatcher.api.Team"},
    "v0.user": {"User": "hatcher.api.User"},
    "v1": {},
    "v1.bundle": {
        "BundleCollectionController": "hatcher.api.BundleCollection",
        "BundleResourceController": "hatcher.api.Bundle",
        "BundleResourceFileController": "hatcher.api.LocalBundle",
    },
    "v1.organization": {"Organization": "hatcher.api.Organization"},
    "v1.repository": {
        "Repository": "hatcher.api.Repository",
        "SinglePlatformRepository": "hatcher.api.SinglePlatformRepository",
    },
    "v1.user": {"User": "hatcher.api.User"},
}


class _OldModule(ModuleType):
    """A module that has moved: each of its names says where to, and is what it is there."""

    def __getattr__(self, name: str) -> Any:
        new = _MOVED[self.__name__.removeprefix("hatcher.core.")].get(name)
        if new is None:
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        # Imported here, for those who use such a name.
        import warnings

        instead = "hatcher.api.BroodClient.from_url" if name == "BroodURLHandler" else new
        warnings.warn(
            f"{self.__name__}.{name} is deprecated: use {instead}.",
            DeprecationWarning,
            stacklevel=2,
        )
        module, _, attribute = new.rpartition(".")
        return getattr(import_module(module), attribute)

    def __dir__(self) -> list[str]:
        return sorted({*vars(self), *self.__all__})


def offer_old_names() -> None:
    """Let the old modules be imported; they have no files, and import nothing themselves."""
    core = __name__.rpartition(".")[0]
    for below in _MOVED:
        name = f"{core}.{below}"
        parent, _, last = name.rpartition(".")
        module = sys.modules[name] = _OldModule(name, "Moved: see hatcher.core.moved.")
        module.__spec__ = type(__spec__)(name, None)
        vars(module)["__all__"] = [*_MOVED[below]]
        setattr(sys.modules[parent], last, module)
