"""Answers and clients that many of these tests use."""

from __future__ import annotations

import json
from typing import Any

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.testing import Answer, ScriptedServer

JSON = {"Content-Type": "application/json"}
NAMED = {"Content-Disposition": 'attachment; filename="spam-1.0-1.egg"'}
PLATFORMS = Answer(200, JSON, b'{"platforms": ["rh8-x86_64"]}')
SECRET = "abracadabra"
AT_ONCE = RetryPolicy(backoff=0)


def token(value: object) -> Answer:
    """What a server answers to an exchange of credentials."""
    return Answer(200, JSON, json.dumps({"token": value}).encode())


def client_of(server: ScriptedServer, auth: Any = None, **options: Any) -> BroodClient:
    """A client of version 1 that sends each request once."""
    return BroodClient.from_url(server.url, auth, **{"api_version": 1, "retries": 0, **options})


def platform_of(client: BroodClient) -> SinglePlatformRepository:
    return client.organization("acme").repository("dev").platform("rh8-x86_64")
