"""The table of retries, retries.toml: which of its groups each operation is in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from brood_api.operations import OPERATIONS
from scripts import operations

TABLE: dict[str, Any] = tomllib.loads(Path(__file__).with_name("retries.toml").read_text("utf-8"))
FAULTS: dict[str, str] = TABLE.pop("faults")

_REASONS = operations.reasons()
#: What the graph sends: the others have no retries.
SENT = [name for name in OPERATIONS if (name, "graph") not in _REASONS]


def group_of(operation: str) -> str:
    """Return the group that names an operation, or else the one that is for its kind."""
    about = OPERATIONS[operation]
    named = [name for name, group in TABLE.items() if operation in group.get("operations", ())]
    kind = {"safety": about.safety, "method": about.method}
    meant = [
        name
        for name, group in TABLE.items()
        if "operations" not in group and {**kind, **_kind(group)} == kind
    ]
    # First what is for the method, too.
    (*_, group) = named or sorted(meant, key=lambda name: len(_kind(TABLE[name])))
    return group


def _kind(group: dict[str, Any]) -> dict[str, str]:
    return {key: group[key] for key in ("safety", "method") if key in group}
