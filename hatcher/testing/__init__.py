"""What authors of tools on hatcher test with: a running Brood, real eggs, faults on demand.

`BroodServer` and `BroodProcess` run a Brood with throw-away data; the pytest fixtures
``brood_server`` and ``brood_process`` hand out a fresh one to each test. `build_egg` and
`write_egg` make eggs that a Brood accepts; `write_runtime`, `write_app`, `write_bundle` and
`write_legacy_runtime` the other artefacts. `FaultProxy`, `FaultyGateway` and `ScriptedServer`
misbehave as networks and gateways do; the fixtures ``fault_proxy`` and ``faulty_gateway`` put the
first two before ``brood_server``.

The names load when they are first used: pytest imports this package in every run.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hatcher.testing.artefacts import (
        write_app,
        write_bundle,
        write_legacy_runtime,
        write_runtime,
    )
    from hatcher.testing.brood import BroodProcess, BroodServer
    from hatcher.testing.eggs import UnsuitableDistributionError, build_egg, write_egg
    from hatcher.testing.faults import Answer, Fault, FaultProxy, Request, ScriptedServer
    from hatcher.testing.gateway import FaultyGateway, Passage, RequestFault

__all__ = [
    "Answer",
    "BroodProcess",
    "BroodServer",
    "Fault",
    "FaultProxy",
    "FaultyGateway",
    "Passage",
    "Request",
    "RequestFault",
    "ScriptedServer",
    "UnsuitableDistributionError",
    "build_egg",
    "write_app",
    "write_bundle",
    "write_egg",
    "write_legacy_runtime",
    "write_runtime",
]

_HOMES = {
    "artefacts": ("write_app", "write_bundle", "write_legacy_runtime", "write_runtime"),
    "brood": ("BroodProcess", "BroodServer"),
    "eggs": ("UnsuitableDistributionError", "build_egg", "write_egg"),
    "faults": ("Answer", "Fault", "FaultProxy", "Request", "ScriptedServer"),
    "gateway": ("FaultyGateway", "Passage", "RequestFault"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
