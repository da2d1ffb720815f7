"""Answers, servers, clients and ways to ask that many of these tests use."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from brood_api.api.platforms import v1_list_platforms
from hatcher.api import BroodClient, BroodClientAuth, RetryPolicy, SinglePlatformRepository
from hatcher.testing import Answer, ScriptedServer

JSON = {"Content-Type": "application/json"}
NAMED = {"Content-Disposition": 'attachment; filename="spam-1.0-1.egg"'}
PLATFORMS = Answer(200, JSON, b'{"platforms": ["rh8-x86_64"]}')
SECRET = "abracadabra"
PAIR = ("ada", SECRET)
AT_ONCE = RetryPolicy(backoff=0)

#: What no header can hold, and what is not the user's to say, in whatever way it is given.
BAD_HEADERS = [
    ("X-A", f"{SECRET}\r\nDELETE / HTTP/1.1\r\nHost: x"),
    ("X-A", f"{SECRET}\rX"),
    ("X-A", f"{SECRET}\n"),
    ("X-A", f"{SECRET}\0"),
    ("X-A", f"{SECRET}\x7f"),
    ("X-A", f"{SECRET}€"),
    ("X-A", f"{SECRET}\udc80"),
    ("X-A", f" {SECRET}"),
    ("X-A", 5),
    *((name, SECRET) for name in ("X A", "X-A ", "X-A:", "X-A\r\n", "X-Ä", "X-A\0", "", "X(A)")),
    *((name, SECRET) for name in ("Host", "content-length", "Transfer-Encoding", "CONNECTION")),
]

Make = Callable[..., BroodClient]


def token(value: object) -> Answer:
    """What a server answers to an exchange of credentials."""
    return Answer(200, JSON, json.dumps({"token": value}).encode())


def default(url: str, auth: Any = None, **options: Any) -> BroodClient:
    """A client of version 1 that sends each request once."""
    return BroodClient.from_url(url, auth, **{"api_version": 1, "retries": 0, **options})


def through_httpx(url: str, auth: Any = None, **options: Any) -> BroodClient:
    """The same over an httpx client, which has a secret of its own."""
    own = httpx.Client(headers={"Authorization": f"Bearer {SECRET}"}, trust_env=False)
    options = {"api_version": 1, "retries": 0, **options}
    client = BroodClient.from_session(url, own, **options)
    return client if auth is None else client.with_auth(auth)


both = pytest.mark.parametrize("make", [default, through_httpx])


@contextmanager
def scripted(
    *answers: Any, auth: Any = None, login: Any = None, make: Make = default, **options: Any
) -> Iterator[tuple[ScriptedServer, BroodClient]]:
    """A server that answers so, and a client of it; one with `login` exchanges that for a token."""
    with ScriptedServer(*answers) as server:
        if login is not None:
            auth = BroodClientAuth(server.url, login)
        with make(server.url, auth, **options) as client:
            yield server, client


def platform_of(client: BroodClient) -> SinglePlatformRepository:
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def download(client: BroodClient, folder: Path, content: bytes = b"") -> None:
    """Download an egg that should have this content."""
    sha256 = hashlib.sha256(content).hexdigest()
    platform_of(client).download_egg("cp311", "spam", "1.0-1", folder, sha256)


by_each = pytest.mark.parametrize("sends", ["graph", "raw", "async raw"])


def ask(client: BroodClient, sends: str = "graph") -> Any:
    """Ask for platforms by the graph or by the raw client."""
    if sends == "graph":
        return client.list_platforms()
    if sends == "raw":
        return getattr(v1_list_platforms.sync(client=client.raw), "platforms", None)

    async def asked() -> Any:
        async with client.raw as raw:
            return getattr(await v1_list_platforms.asyncio(client=raw), "platforms", None)

    return asyncio.run(asked())
