"""Clients, answers and looks that many of these tests use."""

from __future__ import annotations

import threading
from typing import Any

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository

JSON = {"Content-Type": "application/json"}

#: As the usual policy, without its pauses.
AT_ONCE = RetryPolicy(backoff=0)


def platform_at(url: str, auth: Any = None, **options: Any) -> SinglePlatformRepository:
    """A platform of acme/dev, for a client of its own."""
    options = {"api_version": 1, "retries": AT_ONCE, "cache": False, **options}
    client = BroodClient.from_url(url, auth, **options)
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def hashing_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "hatcher-transfer"]
